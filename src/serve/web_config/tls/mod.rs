//! `tls_server_config`, built for rustls.

mod algorithms;
mod client_auth;

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use self::algorithms::Algorithms;
pub(super) use self::client_auth::ClientAuth;
use super::values::Boolean;
use super::watcher::WatchedFiles;
use crate::config::yaml::LineError;
use crate::trust;

/// An optional text with its position.
type Text = Option<Spanned<String>>;

/// Optional PEM with its position. All PEM is treated as secret, because it can contain a private key.
type InlinePem = Option<Spanned<SecretString>>;

/// `tls_server_config`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsSection {
    cert: InlinePem,
    key: InlinePem,
    cert_file: Text,
    key_file: Text,
    client_auth_type: Text,
    client_ca: InlinePem,
    client_ca_file: Text,
    client_allowed_sans: Option<Vec<String>>,
    min_version: Text,
    max_version: Text,
    cipher_suites: Option<Vec<Spanned<String>>>,
    prefer_server_cipher_suites: Option<Boolean>,
    curve_preferences: Option<Vec<Spanned<String>>>,
}

/// TLS settings of new connections.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) client_auth: ClientAuth,
    /// Whether a client certificate needs an allowed name.
    pub(super) has_allowed_names: bool,
}

/// Builds the TLS settings, or returns `None` if the section does not enable TLS. Paths are relative to `folder`.
pub(super) fn build(
    section: &TlsSection,
    http2: bool,
    folder: &Path,
    files: &mut WatchedFiles,
) -> Result<Option<Tls>, LineError> {
    let algorithms = Algorithms::read(section, http2)?;
    if !section.is_enabled() {
        return Ok(None);
    }
    let mut pem = |name: &str, inline: &InlinePem, file: &Text| Pem::read(name, inline, file, folder, files);
    let certificate = pem("cert", &section.cert, &section.cert_file)?;
    let key = pem("key", &section.key, &section.key_file)?;
    let authorities = pem("client_ca", &section.client_ca, &section.client_ca_file)?;

    let missing = |name| {
        let text = format!("{name} is missing; expected {name}_file, or {name} with inline PEM");
        LineError::without_line(format!("tls_server_config: {text}"))
    };
    let certificate = certificate.ok_or_else(|| missing("cert"))?;
    let key = key.ok_or_else(|| missing("key"))?;
    let (chain, private_key) = (certificate.certificates()?, key.private_key()?);
    let (provider, versions) = algorithms.supported(section)?;
    let provider = Arc::new(provider);
    let unsupported = "contains a private key that is not supported; expected RSA of 2,048 bits or more, ECDSA P-256 or P-384, or Ed25519";
    let own = provider.key_provider.load_private_key(private_key).map_err(|_| key.error(unsupported))?;
    let own = trust::certified_key(chain, own)
        .map_err(|error| certificate.error(&format!("cannot be used with this private key: {error}")))?;
    let (client_auth, verifier) = client_auth::verifier(section, authorities.as_ref(), &provider)?;
    let no_suite = "tls_server_config: cipher_suites contains no suite for the allowed TLS versions";
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|_| LineError::without_line(no_suite))?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
    config.time_provider = Arc::new(trust::TimeSince1970);
    config.ignore_client_order = section.prefer_server_cipher_suites.is_none_or(|Boolean(prefer)| prefer);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if http2 {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    if client_auth > ClientAuth::Off {
        // A resumed session does not verify the certificate again, even if it has expired since.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    let has_allowed_names = client_auth > ClientAuth::Off && section.client_allowed_sans.is_some();
    Ok(Some(Tls { config: Arc::new(config), client_auth, has_allowed_names }))
}

impl TlsSection {
    /// Returns whether a setting is there that exporter-toolkit takes as a wish for TLS.
    fn is_enabled(&self) -> bool {
        let texts = [&self.cert_file, &self.key_file, &self.client_ca_file, &self.client_auth_type];
        texts.into_iter().any(|text| non_empty(text).is_some())
            || [&self.cert, &self.key, &self.client_ca].into_iter().any(|pem| non_empty_pem(pem).is_some())
    }
}

/// Treats an empty value like a missing one, as exporter-toolkit does.
fn non_empty(text: &Text) -> Option<&Spanned<String>> {
    text.as_ref().filter(|text| !text.value.is_empty())
}

fn non_empty_pem(pem: &InlinePem) -> Option<&Spanned<SecretString>> {
    pem.as_ref().filter(|pem| !pem.value.expose_secret().is_empty())
}

/// PEM, with the field that it comes from.
struct Pem {
    content: Vec<u8>,
    origin: String,
    location: Location,
}

impl Pem {
    /// Reads PEM from the file of the field `name_file`, or else from the field `name`.
    fn read(
        name: &str,
        inline: &InlinePem,
        file: &Text,
        folder: &Path,
        files: &mut WatchedFiles,
    ) -> Result<Option<Self>, LineError> {
        Ok(Some(match (non_empty_pem(inline), non_empty(file)) {
            (None, None) => return Ok(None),
            (Some(inline), None) => {
                let content = inline.value.expose_secret().as_bytes().to_vec();
                Self { content, origin: name.to_owned(), location: inline.referenced }
            }
            (_, Some(file)) => {
                let path = folder.join(&file.value);
                let origin = format!("{name}_file {}", path.display());
                let content = files
                    .read(&path)
                    .map_err(|error| LineError::at(file, format!("{origin} cannot be read: {error}")))?;
                Self { content, origin, location: file.referenced }
            }
        }))
    }

    /// Returns an error about this PEM.
    fn error(&self, message: &str) -> LineError {
        LineError::at_location(self.location, format!("{} {message}", self.origin))
    }

    /// Parses certificates; at least one.
    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, LineError> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.content).collect();
        let certificates = certificates.ok().filter(|certificates| !certificates.is_empty());
        certificates.ok_or_else(|| self.error("contains no valid certificate; expected PEM"))
    }

    /// Parses a private key.
    fn private_key(&self) -> Result<PrivateKeyDer<'static>, LineError> {
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
