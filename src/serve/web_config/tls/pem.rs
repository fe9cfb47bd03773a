//! Certificates and private keys in PEM.

use std::path::Path;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::ExposeSecret as _;
use serde_saphyr::Spanned;

use super::super::file::{InlinePem, LineError, Text};
use super::super::watched_files::WatchedFiles;
use super::{non_empty, non_empty_pem};

/// PEM, with the field that it comes from.
pub(super) struct Pem {
    content: Vec<u8>,
    origin: String,
    place: Spanned<()>,
}

impl Pem {
    /// Reads PEM from the field `name`, or from the file of the field `name_file`.
    pub(super) fn read(
        name: &str,
        inline: &InlinePem,
        file: &Text,
        folder: &Path,
        files: &mut WatchedFiles,
    ) -> Result<Option<Self>, LineError> {
        match (non_empty_pem(inline), non_empty(file)) {
            (None, None) => Ok(None),
            (Some(_), Some(file)) => {
                Err(LineError::at(file, format!("both {name} and {name}_file are set; expected one of them")))
            }
            (Some(inline), None) => {
                let content = inline.value.expose_secret().as_bytes().to_vec();
                Ok(Some(Self { content, origin: name.to_owned(), place: place(inline) }))
            }
            (None, Some(file)) => {
                let path = folder.join(&file.value);
                let origin = format!("{name}_file {}", path.display());
                let content = files
                    .read(&path)
                    .map_err(|error| LineError::at(file, format!("{origin} cannot be read: {error}")))?;
                Ok(Some(Self { content, origin, place: place(file) }))
            }
        }
    }

    /// Returns an error about this PEM.
    pub(super) fn error(&self, message: &str) -> LineError {
        LineError::at(&self.place, format!("{} {message}", self.origin))
    }

    /// Parses certificates; at least one.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, LineError> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.content).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err(self.error("contains no valid certificate; expected PEM")),
        }
    }

    /// Parses a private key.
    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, LineError> {
        PrivateKeyDer::from_pem_slice(&self.content).map_err(|_| {
            let is_encrypted = self.content.windows(9).any(|window| window == b"ENCRYPTED");
            self.error(if is_encrypted {
                "contains an encrypted private key; expected one without a passphrase"
            } else {
                "contains no private key; expected PEM (PKCS #8, PKCS #1 or SEC 1)"
            })
        })
    }
}

fn place<T>(value: &Spanned<T>) -> Spanned<()> {
    Spanned::new((), value.referenced, value.defined)
}
