//! Sections and fields of the file, with their positions.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::config::yaml::{self, Booleans};

pub use crate::config::yaml::Error;
pub(super) use crate::config::yaml::LineError;

/// An optional text with its position.
pub(super) type Text = Option<Spanned<String>>;

/// Optional PEM with its position. All PEM is treated as secret, because it can contain a private key.
pub(super) type InlinePem = Option<Spanned<SecretString>>;

/// The content of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    pub(super) tls_server_config: Option<TlsSection>,
    pub(super) http_server_config: Option<HttpSection>,
    pub(super) basic_auth_users: Option<BTreeMap<String, Spanned<SecretString>>>,
    pub(super) rate_limit: Option<Spanned<RateSection>>,
}

/// `tls_server_config`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsSection {
    pub(super) cert: InlinePem,
    pub(super) key: InlinePem,
    pub(super) cert_file: Text,
    pub(super) key_file: Text,
    pub(super) client_auth_type: Text,
    pub(super) client_ca: InlinePem,
    pub(super) client_ca_file: Text,
    pub(super) client_allowed_sans: Option<Spanned<Vec<String>>>,
    pub(super) min_version: Text,
    pub(super) max_version: Text,
    pub(super) cipher_suites: Option<Vec<Spanned<String>>>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
    pub(super) curve_preferences: Option<Vec<Spanned<String>>>,
}

/// `http_server_config`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpSection {
    pub(super) http2: Option<bool>,
    pub(super) headers: Option<BTreeMap<String, Spanned<String>>>,
}

/// `rate_limit`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateSection {
    pub(super) interval: Text,
    pub(super) burst: Option<Spanned<u32>>,
}

/// Parses the file's text.
pub(super) fn parse(text: &str) -> Result<Content, LineError> {
    Ok(yaml::parse::<Option<Content>>(text, Booleans::Lenient)?.unwrap_or_default())
}
