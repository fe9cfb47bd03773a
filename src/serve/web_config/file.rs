//! The file as it is written: sections and fields, each with its place, and what is wrong with it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_saphyr::{Error as YamlError, Spanned};

/// Why a web configuration cannot be used: the file, the line where there is one, and what is expected. It holds
/// no value of the file that may be secret.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {what}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Error {
    path: PathBuf,
    line: Option<u64>,
    what: String,
}

/// An [`Error`] before the file's name is known.
#[derive(Debug)]
pub(super) struct Problem {
    line: Option<u64>,
    what: String,
}

impl Problem {
    /// Something wrong with the value at a place.
    pub(super) fn at<T>(place: &Spanned<T>, what: impl Into<String>) -> Self {
        Self { line: Some(place.referenced.line()), what: what.into() }
    }

    /// Something wrong with the whole.
    pub(super) fn of_file(what: impl Into<String>) -> Self {
        Self { line: None, what: what.into() }
    }

    /// Returns the error of that file.
    pub(super) fn in_file(self, path: &Path) -> Error {
        Error { path: path.to_owned(), line: self.line.filter(|line| *line > 0), what: self.what }
    }
}

/// A text with its place, if it is there and not empty.
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

/// A text that no error and no `Debug` shows.
#[derive(Debug)]
pub(super) struct Secret(pub(super) SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
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
    let options = serde_saphyr::options! { with_snippet: false };
    let content = serde_saphyr::from_str_with_options::<Option<Content>>(text, options);
    Ok(content.map_err(|error| of_yaml(&error))?.unwrap_or_default())
}

/// Words an error of the parser without the values that its own text would show: they may be passwords.
fn of_yaml(error: &YamlError) -> Problem {
    let what = match error.without_snippet() {
        YamlError::SerdeUnknownField { field, expected, .. } => {
            format!("there is no field {field:?} here; expected one of {}", expected.join(", "))
        }
        YamlError::SerdeInvalidType { expected, .. } | YamlError::SerdeInvalidValue { expected, .. } => {
            format!("this value has the wrong type; expected {}", in_words(expected))
        }
        YamlError::Unexpected { expected, .. } => format!("expected {}", in_words(expected)),
        YamlError::InvalidScalar { ty, .. } => {
            format!("this value has the wrong type; expected {}", in_words(ty))
        }
        YamlError::DuplicateMappingKey { .. } => "this field stands here twice".to_owned(),
        YamlError::MultipleDocuments { .. } => {
            "expected one YAML document, and here a second begins".to_owned()
        }
        // The parser's own texts speak of syntax and hold nothing of the file.
        YamlError::ExternalMessage { msg, .. } => format!("this is not YAML: {msg}"),
        _ => "this cannot be understood; is it the YAML of a web configuration?".to_owned(),
    };
    Problem { line: error.location().map(|location| location.line()), what }
}

/// Returns what the parser expected as a user may know it.
fn in_words(expected: &str) -> &str {
    match expected {
        _ if expected.starts_with("struct ") || expected.starts_with("option") => "fields with values",
        "a map" | "mapping start" | "mapping" => "fields with values",
        "a sequence" | "sequence start" | "sequence" => "a list",
        "bool" | "boolean" | "a boolean" => "true or false",
        "u32" => "a whole number",
        "string" | "string scalar" | "a string" => "a text",
        other => other,
    }
}
