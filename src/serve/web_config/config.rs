//! The validated web configuration.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::http::{HeaderName, HeaderValue};
use serde_saphyr::Spanned;

use super::file::{self, Content, Error, HttpSection, LineError, RateSection};
use super::rate_limit::RateLimit;
use super::tls::{self, ClientAuth, Tls};
use super::users::Users;
use super::watched_files::WatchedFiles;

/// TLS, users, rate limit and response headers.
#[derive(Debug, Default)]
pub struct WebConfig {
    pub(super) tls: Option<Tls>,
    /// `None` if no password is required.
    pub(super) users: Option<Users>,
    pub(super) rate_limit: Option<Arc<RateLimit>>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl WebConfig {
    /// Loads a file in the format of Prometheus' exporter-toolkit, and the certificates that it refers to.
    ///
    /// # Errors
    /// If a file cannot be read or its content is invalid.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::read(path, &mut WatchedFiles::default())
    }

    /// Loads a file, and records every file that is read in `files`.
    pub(super) fn read(path: &Path, files: &mut WatchedFiles) -> Result<Self, Error> {
        let content = files.read(path).map_err(|error| format!("cannot be read: {error}"));
        let text = content.and_then(|content| {
            String::from_utf8(content).map_err(|_| "is not valid UTF-8; expected a text file".to_owned())
        });
        let folder = path.parent().unwrap_or(Path::new(""));
        let config = text
            .map_err(LineError::without_line)
            .and_then(|text| Self::build(&file::parse(&text)?, folder, files));
        config.map_err(|error| error.in_file(path))
    }

    fn build(content: &Content, folder: &Path, files: &mut WatchedFiles) -> Result<Self, LineError> {
        let Content { tls_server_config, http_server_config, basic_auth_users, rate_limit } = content;
        let http2 = http_server_config.as_ref().and_then(|http| http.http2).unwrap_or(true);
        let tls = match tls_server_config {
            Some(section) => tls::build(section, http2, folder, files)?,
            None => None,
        };
        Ok(Self {
            tls,
            users: Users::new(basic_auth_users.as_ref())?,
            rate_limit: rate_limit.as_ref().map(build_rate_limit).transpose()?.flatten().map(Arc::new),
            headers: http_server_config.as_ref().map(headers).transpose()?.unwrap_or_default(),
        })
    }

    /// Returns the name of a protection that this configuration has and `new` lacks.
    pub(super) fn protection_removed_by(&self, new: &Self) -> Option<&'static str> {
        let client_auth = |config: &Self| config.tls.as_ref().map_or(ClientAuth::Off, |tls| tls.client_auth);
        if self.tls.is_some() && new.tls.is_none() {
            Some("TLS")
        } else if client_auth(self) > client_auth(new) {
            Some("client certificate verification")
        } else if self.users.is_some() && new.users.is_none() {
            Some("basic authentication")
        } else {
            None
        }
    }
}

fn build_rate_limit(section: &Spanned<RateSection>) -> Result<Option<RateLimit>, LineError> {
    let Some(interval) = section.value.interval.as_ref().filter(|interval| interval.value != "0") else {
        return Ok(None);
    };
    let duration = humantime::parse_duration(&interval.value).map_err(|error| {
        let value = &interval.value;
        let text = format!("rate_limit: interval {value:?}: {error}; expected a duration such as 1s or 100ms");
        LineError::at(interval, text)
    })?;
    if duration.is_zero() {
        return Ok(None);
    }
    match &section.value.burst {
        Some(burst) if burst.value > 0 => Ok(Some(RateLimit::new(duration, burst.value, Instant::now()))),
        Some(burst) => Err(LineError::at(burst, "rate_limit: burst is 0; expected 1 or more")),
        None => Err(LineError::at(section, "rate_limit: burst is missing; expected 1 or more")),
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

fn headers(section: &HttpSection) -> Result<Vec<(HeaderName, HeaderValue)>, LineError> {
    let mut headers = Vec::new();
    for (name, value) in section.headers.iter().flatten() {
        let error = |text| Err(LineError::at(value, text));
        let Some((_, allowed)) = HEADERS.iter().find(|(known, _)| known == name) else {
            let expected = HEADERS.map(|(known, _)| known).join(", ");
            return error(format!("header {name:?} is not supported; expected one of {expected}"));
        };
        let text = value.value.as_str();
        if text.is_empty() {
            continue;
        }
        if !allowed.is_empty() && !allowed.contains(&text) {
            let expected = allowed.join(" or ");
            return error(format!("header {name} has the unsupported value {text:?}; expected {expected}"));
        }
        match (name.parse(), text.parse()) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            _ => return error(format!("header {name} contains characters that HTTP does not allow")),
        }
    }
    Ok(headers)
}
