//! The sections and fields of the file, with their positions.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_saphyr::Spanned;

use crate::config::yaml::{self, Booleans};

pub use crate::config::yaml::Error;
pub(super) use crate::config::yaml::Problem;

/// An optional text with its position.
pub(super) type Text = Option<Spanned<String>>;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    pub(super) tls_server_config: Option<TlsSection>,
    pub(super) http_server_config: Option<HttpSection>,
    pub(super) basic_auth_users: Option<BTreeMap<String, Spanned<Secret>>>,
    pub(super) rate_limit: Option<Spanned<RateSection>>,
}

/// `tls_server_config`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsSection {
    pub(super) cert: Text,
    pub(super) key: Option<Spanned<Secret>>,
    pub(super) cert_file: Text,
    pub(super) key_file: Text,
    pub(super) client_auth_type: Text,
    pub(super) client_ca: Text,
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

/// A text that neither errors nor `Debug` show.
#[derive(Debug)]
pub(super) struct Secret(pub(super) SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret(text.into()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Parses the file's text.
pub(super) fn parse(text: &str) -> Result<Content, Problem> {
    Ok(yaml::parse::<Option<Content>>(text, Booleans::Lenient)?.unwrap_or_default())
}
