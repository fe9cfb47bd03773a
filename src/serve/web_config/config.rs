//! A web configuration that works: read, checked and built.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::http::{HeaderName, HeaderValue};
use serde_saphyr::Spanned;

use super::file::{self, Content, Error, HttpSection, Problem, RateSection};
use super::rate_limit::RateLimit;
use super::tls::{self, Clients, Tls};
use super::users::Users;
use super::watched_files::Sources;

/// Who may come in, and how.
#[derive(Debug, Default)]
pub struct WebConfig {
    /// How connections are encrypted, if they are.
    pub(super) tls: Option<Tls>,
    /// Who has a password, if anybody needs one.
    pub(super) users: Option<Users>,
    /// How often requests are answered, if that is bounded.
    pub(super) rate: Option<Arc<RateLimit>>,
    /// What is added to answers.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl WebConfig {
    /// Loads a file in the format of Prometheus' exporter-toolkit, and the certificates that it names.
    ///
    /// # Errors
    /// If one of them cannot be read, or what they hold cannot work.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::read(path, &mut Sources::default())
    }

    /// Loads a file, and notes in `sources` what it is made of.
    pub(super) fn read(path: &Path, sources: &mut Sources) -> Result<Self, Error> {
        let text = sources.read(path).map_err(|error| Problem::of_file(format!("cannot be read: {error}")));
        let text = text
            .and_then(|text| String::from_utf8(text).map_err(|_| Problem::of_file("is not a text in UTF-8")));
        let folder = path.parent().unwrap_or(Path::new(""));
        let config = text.and_then(|text| Self::build(&file::parse(&text)?, folder, sources));
        config.map_err(|problem| problem.in_file(path))
    }

    fn build(content: &Content, folder: &Path, sources: &mut Sources) -> Result<Self, Problem> {
        let Content { tls_server_config, http_server_config, basic_auth_users, rate_limit } = content;
        let http2 = http_server_config.as_ref().and_then(|http| http.http2).unwrap_or(true);
        let tls = match tls_server_config {
            Some(section) => tls::build(section, http2, folder, sources)?,
            None => None,
        };
        Ok(Self {
            tls,
            users: Users::new(basic_auth_users.as_ref())?,
            rate: rate_limit.as_ref().map(rate).transpose()?.flatten().map(Arc::new),
            headers: http_server_config.as_ref().map(headers).transpose()?.unwrap_or_default(),
        })
    }

    /// Returns what this configuration asks for and `other` no longer would.
    pub(super) fn lost_in(&self, other: &Self) -> Option<&'static str> {
        let clients = |config: &Self| config.tls.as_ref().map_or(Clients::Unasked, |tls| tls.clients);
        if self.tls.is_some() && other.tls.is_none() {
            Some("TLS")
        } else if clients(self) > clients(other) {
            Some("what is asked of clients' certificates")
        } else if self.users.is_some() && other.users.is_none() {
            Some("passwords")
        } else {
            None
        }
    }
}

fn rate(section: &Spanned<RateSection>) -> Result<Option<RateLimit>, Problem> {
    let Some(interval) = section.value.interval.as_ref().filter(|interval| interval.value != "0") else {
        return Ok(None);
    };
    let duration = humantime::parse_duration(&interval.value)
        .map_err(|error| Problem::at(interval, format!("{error}: expected a duration such as 1s or 100ms")))?;
    if duration.is_zero() {
        return Ok(None);
    }
    match &section.value.burst {
        Some(burst) if burst.value > 0 => Ok(Some(RateLimit::new(duration, burst.value, Instant::now()))),
        Some(burst) => Err(Problem::at(burst, "a burst of 0 would let nobody in; expected 1 or more")),
        None => Err(Problem::at(section, "rate_limit needs a burst, of 1 or more, besides its interval")),
    }
}

/// The headers that may be set, and their values where only some make sense.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

fn headers(section: &HttpSection) -> Result<Vec<(HeaderName, HeaderValue)>, Problem> {
    let mut headers = Vec::new();
    for (name, value) in section.headers.iter().flatten() {
        let Some((_, values)) = HEADERS.iter().find(|(known, _)| known == name) else {
            let known = HEADERS.map(|(known, _)| known).join(", ");
            return Err(Problem::at(value, format!("header {name:?} cannot be set; expected some of {known}")));
        };
        if value.value.is_empty() {
            continue;
        }
        if !values.is_empty() && !values.contains(&value.value.as_str()) {
            let expected = values.join(" or ");
            return Err(Problem::at(value, format!("header {name} has an unknown value; expected {expected}")));
        }
        match (name.parse(), value.value.parse()) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            _ => return Err(Problem::at(value, format!("header {name} has characters that cannot be sent"))),
        }
    }
    Ok(headers)
}
