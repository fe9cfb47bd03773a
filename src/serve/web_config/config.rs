//! The web configuration: the sections of its file, validated.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::rate_limit::{RateLimit, RateSection};
use super::tls::{self, ClientAuth, Tls, TlsSection};
use super::users::Users;
use super::values::Boolean;
use super::watcher::WatchedFiles;
use crate::config::yaml::{self, Booleans, LineError};

/// The content of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    tls_server_config: Option<TlsSection>,
    http_server_config: Option<HttpSection>,
    pub(super) basic_auth_users: Option<BTreeMap<String, Spanned<SecretString>>>,
    rate_limit: Option<RateSection>,
}

/// `http_server_config`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpSection {
    http2: Option<Boolean>,
    headers: Option<BTreeMap<String, Spanned<Option<String>>>>,
}

/// TLS, users, rate limit and response headers.
#[derive(Debug)]
pub(super) struct WebConfig {
    pub(super) tls: Option<Tls>,
    /// `None` if no password is required.
    pub(super) users: Option<Users>,
    pub(super) rate_limit: Option<Arc<RateLimit>>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl WebConfig {
    /// Loads a file in the format of Prometheus' exporter-toolkit, and the certificates that it refers to. Records every
    /// file that is read in `files`.
    pub(super) fn read(path: &Path, files: &mut WatchedFiles) -> Result<Self, LineError> {
        let content =
            files.read(path).map_err(|error| LineError::without_line(format!("cannot be read: {error}")))?;
        let text = String::from_utf8(content);
        let text = text.map_err(|_| LineError::without_line("is not valid UTF-8; expected a text file"))?;
        let content = yaml::parse::<Option<Content>>(&text, Booleans::Lenient)?.unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new(""));
        let HttpSection { http2, headers: names } = content.http_server_config.unwrap_or_default();
        Ok(Self {
            tls: tls::build(
                &content.tls_server_config.unwrap_or_default(),
                http2.is_none_or(|Boolean(http2)| http2),
                folder,
                files,
            )?,
            users: Users::new(&content.basic_auth_users.unwrap_or_default())?,
            rate_limit: content.rate_limit.as_ref().and_then(RateLimit::build).map(Arc::new),
            headers: headers(&names.unwrap_or_default())?,
        })
    }

    /// Returns the name of a protection that this configuration has and `new` lacks.
    pub(super) fn protection_removed_by(&self, new: &Self) -> Option<&'static str> {
        let client_auth = |config: &Self| config.tls.as_ref().map_or(ClientAuth::Off, |tls| tls.client_auth);
        let has_allowed_names = |config: &Self| config.tls.as_ref().is_some_and(|tls| tls.has_allowed_names);
        let protections = [
            ("TLS", self.tls.is_some() && new.tls.is_none()),
            ("client certificate verification", client_auth(self) > client_auth(new)),
            ("client_allowed_sans", has_allowed_names(self) && !has_allowed_names(new)),
            ("basic authentication", self.users.is_some() && new.users.is_none()),
        ];
        protections.into_iter().find(|(_, is_removed)| *is_removed).map(|(name, _)| name)
    }
}

/// The headers that can be set, and their allowed values where exporter-toolkit restricts them.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

fn headers(
    section: &BTreeMap<String, Spanned<Option<String>>>,
) -> Result<Vec<(HeaderName, HeaderValue)>, LineError> {
    let mut headers = Vec::new();
    for (name, value) in section {
        let error = |text| Err(LineError::at(value, text));
        let Some((_, allowed)) = HEADERS.iter().find(|(known, _)| known == name) else {
            let expected = HEADERS.map(|(known, _)| known).join(", ");
            return error(format!("header {name:?} is not supported; expected one of {expected}"));
        };
        let text = value.value.as_deref().unwrap_or_default();
        if !allowed.is_empty() && !allowed.contains(&text) {
            let expected = allowed.join(" or ");
            return error(format!("header {name} has the unsupported value {text:?}; expected {expected}"));
        }
        // A value of several lines is sent as one, as Go does.
        let text = text.replace(['\r', '\n'], " ");
        let text = text.trim_matches([' ', '\t']);
        if text.is_empty() {
            continue;
        }
        match (name.parse(), HeaderValue::from_str(text)) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            _ => return error(format!("header {name} contains characters that HTTP does not allow")),
        }
    }
    Ok(headers)
}
