//! Sections and fields of the file with their line numbers, and errors in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;
use serde_saphyr::{Error as YamlError, Spanned};

/// Why a web configuration is invalid: file, line if known, and what is expected. Values that may be secret are not
/// included.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {message}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Error {
    path: PathBuf,
    line: Option<u64>,
    message: String,
}

/// An [`Error`] without the path of the file.
#[derive(Debug)]
pub(super) struct LineError {
    line: Option<u64>,
    message: String,
}

impl LineError {
    /// An error in `value`.
    pub(super) fn at<T>(value: &Spanned<T>, message: impl Into<String>) -> Self {
        Self { line: Some(value.referenced.line()), message: message.into() }
    }

    /// An error of the whole file.
    pub(super) fn without_line(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }

    /// Adds the path of the file.
    pub(super) fn in_file(self, path: &Path) -> Error {
        Error { path: path.to_owned(), line: self.line.filter(|line| *line > 0), message: self.message }
    }
}

/// An optional string with its line number.
pub(super) type Text = Option<Spanned<String>>;

/// Optional PEM with its line number. All PEM is treated as secret, because it can contain a private key.
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
    let options = serde_saphyr::options! { with_snippet: false };
    let content = serde_saphyr::from_str_with_options::<Option<Content>>(text, options);
    Ok(content.map_err(|error| of_yaml(&error))?.unwrap_or_default())
}

/// Words an error of the parser without the values that its own text would show: they may be passwords.
fn of_yaml(error: &YamlError) -> LineError {
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
    LineError { line: error.location().map(|location| location.line()), message: what }
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
