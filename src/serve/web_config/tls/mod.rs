//! `tls_server_config`, built for rustls. Settings that rustls does not support are errors.

mod algorithms;
mod allowed_names;
mod client_auth;
mod pem;

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use secrecy::ExposeSecret as _;
use serde_saphyr::Spanned;

pub(super) use self::client_auth::ClientAuth;
use self::pem::Pem;
use super::file::{InlinePem, LineError, Text, TlsSection};
use super::watched_files::WatchedFiles;

/// TLS settings of new connections.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) client_auth: ClientAuth,
}

/// Builds the TLS settings, or returns `None` if the section is empty. Paths are relative to `folder`.
pub(super) fn build(
    section: &TlsSection,
    http2: bool,
    folder: &Path,
    files: &mut WatchedFiles,
) -> Result<Option<Tls>, LineError> {
    if section.is_empty() {
        return Ok(None);
    }
    let mut pem = |name: &str, inline: &InlinePem, file: &Text| Pem::read(name, inline, file, folder, files);
    let certificate = pem("cert", &section.cert, &section.cert_file)?;
    let key = pem("key", &section.key, &section.key_file)?;
    let authorities = pem("client_ca", &section.client_ca, &section.client_ca_file)?;

    let certificate = certificate.ok_or_else(|| missing("cert"))?;
    let key = key.ok_or_else(|| missing("key"))?;
    let (chain, private_key) = (certificate.certificates()?, key.private_key()?);
    let provider = Arc::new(algorithms::provider(section)?);
    let (client_auth, verifier) = client_auth::verifier(section, authorities.as_ref(), &provider)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&algorithms::versions(section)?)
        .map_err(|_| {
            let text = "tls_server_config: cipher_suites contains no suite for the allowed TLS versions";
            LineError::without_line(text)
        })?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, private_key)
        .map_err(|error| certificate.error(&format!("cannot be used with this private key: {error}")))?;
    config.ignore_client_order = section.prefer_server_cipher_suites.unwrap_or(true);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if http2 {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    if client_auth > ClientAuth::Off {
        // A resumed session does not verify the certificate again, even if it has expired since.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Some(Tls { config: Arc::new(config), client_auth }))
}

fn missing(name: &str) -> LineError {
    LineError::without_line(format!(
        "tls_server_config: {name} is missing; expected {name}_file, or {name} with inline PEM"
    ))
}

impl TlsSection {
    fn is_empty(&self) -> bool {
        let Self {
            cert,
            key,
            cert_file,
            key_file,
            client_auth_type,
            client_ca,
            client_ca_file,
            client_allowed_sans,
            min_version,
            max_version,
            cipher_suites,
            prefer_server_cipher_suites,
            curve_preferences,
        } = self;
        let texts = [cert_file, key_file, client_auth_type, client_ca_file, min_version, max_version];
        texts.into_iter().all(|text| non_empty(text).is_none())
            && [cert, key, client_ca].into_iter().all(|pem| non_empty_pem(pem).is_none())
            && client_allowed_sans.is_none()
            && cipher_suites.is_none()
            && prefer_server_cipher_suites.is_none()
            && curve_preferences.is_none()
    }
}

/// Treats an empty value like a missing one, as exporter-toolkit does.
fn non_empty(text: &Text) -> Option<&Spanned<String>> {
    text.as_ref().filter(|text| !text.value.is_empty())
}

fn non_empty_pem(pem: &InlinePem) -> Option<&Spanned<secrecy::SecretString>> {
    pem.as_ref().filter(|pem| !pem.value.expose_secret().is_empty())
}
