//! Why a call gave no facts.

use std::time::Duration;

/// Why a call to the API failed.
///
/// Messages never hold the credential, and of the API's answer only its own error text, shortened and with e-mail
/// addresses masked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The API does not accept the credential: status 401, or the text says so.
    #[error("the API refused the credential{0}")]
    Unauthorized(ErrorDetail),
    /// The credential may not make this call: status 403, or the text says so.
    #[error("the credential is not permitted to make this call{0}")]
    Forbidden(ErrorDetail),
    /// There is no such organization or user, or no such endpoint below the base URL: status 404.
    #[error("the API knows no such thing{0}")]
    NotFound(ErrorDetail),
    /// Too many requests: status 429.
    #[error("the API asks for fewer requests{said}")]
    RateLimited {
        /// The API's own words.
        said: ErrorDetail,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// No call was made: the API had asked to be left alone.
    #[error("no call for another {}: the API asked for that", humantime::format_duration(Duration::from_secs(.remaining.as_secs() + 1)))]
    Paused {
        /// How much longer.
        remaining: Duration,
    },
    /// The API failed: status 500 to 599.
    #[error("the API failed{said}")]
    ServerError {
        /// The API's own words.
        said: ErrorDetail,
        /// How long it asks to be left alone; read from status 503 only.
        retry_after: Option<Duration>,
    },
    /// A status that has no meaning here, a redirect among them.
    #[error("an answer that means nothing here{0}")]
    HttpStatus(ErrorDetail),
    /// `success: false` for a reason that the other variants do not cover.
    #[error("the API reports an error{0}")]
    Api(ErrorDetail),
    /// The answer is not the JSON that was expected.
    #[error("the answer cannot be read: {0}")]
    Decode(String),
    /// The answer is longer than allowed.
    #[error("the answer is longer than {limit} bytes: see --api.max-response-size")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The answer was not complete in time.
    #[error("no complete answer within {}: see --api.timeout", humantime::format_duration(*.after))]
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// No connection: name resolution, refusal, or no answer to the attempt.
    #[error("no connection: {0}")]
    Connect(String),
    /// No secure connection: the certificate or the handshake failed.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// The connection broke while it was in use.
    #[error("the connection broke: {0}")]
    Transport(String),
    /// The exporter's own code failed.
    #[error("a defect in the exporter, please report it: {0}")]
    Panic(String),
}

impl Error {
    /// Returns the value of the `reason` label.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unauthorized(_) => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::RateLimited { .. } | Self::Paused { .. } => "rate_limited",
            Self::ServerError { .. } => "server_error",
            Self::HttpStatus(_) => "http_status",
            Self::Api(_) => "api_error",
            Self::Decode(_) => "decode",
            Self::TooLarge { .. } => "too_large",
            Self::Timeout { .. } => "timeout",
            Self::Connect(_) => "connect",
            Self::Tls(_) => "tls",
            Self::Transport(_) => "transport",
            Self::Panic(_) => "panic",
        }
    }

    /// Returns a text that is understood as this one of the API is, and has nothing else of it.
    pub(crate) fn meaning(text: &str) -> &'static str {
        match Self::of_text(ErrorDetail::new(200, Some(text), "")) {
            Self::Unauthorized(_) => "Invalid API key",
            Self::Forbidden(_) => "You do not have permission",
            _ => "An error",
        }
    }

    /// Returns the HTTP status of the answer, if there was one and it is what failed.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Unauthorized(said)
            | Self::Forbidden(said)
            | Self::NotFound(said)
            | Self::RateLimited { said, .. }
            | Self::ServerError { said, .. }
            | Self::HttpStatus(said)
            | Self::Api(said) => Some(said.status),
            _ => None,
        }
    }

    /// Returns how long the API asks to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::ServerError { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Makes the error of an answer whose status is not 200.
    pub(super) fn of_status(said: ErrorDetail, retry_after: Option<Duration>) -> Self {
        match said.status {
            401 => Self::Unauthorized(said),
            403 => Self::Forbidden(said),
            404 => Self::NotFound(said),
            429 => Self::RateLimited { said, retry_after },
            503 => Self::ServerError { said, retry_after },
            500..=599 => Self::ServerError { said, retry_after: None },
            _ => Self::HttpStatus(said),
        }
    }

    /// Makes the error of a `success: false`, which the API also sends with status 200: its text decides.
    pub(super) fn of_text(said: ErrorDetail) -> Self {
        let text = said.text.as_deref().unwrap_or_default().to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&[
            "invalid api key",
            "invalid jwt",
            "invalid token",
            "jwt expired",
            "token expired",
            "not logged in",
        ]) {
            Self::Unauthorized(said)
        } else if has(&[
            "permission",
            "not permitted",
            "not allowed",
            "forbidden",
            "access denied",
            "no access",
        ]) {
            Self::Forbidden(said)
        } else {
            Self::Api(said)
        }
    }
}

/// What the API said of its failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorDetail {
    /// The status of the answer.
    pub status: u16,
    /// Its `error`, fit for a log.
    pub text: Option<String>,
}

/// Longest error text of the API that is kept, in characters: enough for its sentences, too little for a page.
const LONGEST_TEXT: usize = 200;

impl ErrorDetail {
    /// Keeps of `text` what may stand in a log: no credential, no e-mail address, no control character, not too long.
    pub(super) fn new(status: u16, text: Option<&str>, credential: &str) -> Self {
        let fit = |text: &str| {
            let text =
                if credential.is_empty() { text.to_owned() } else { text.replace(credential, "[credential]") };
            let words =
                text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
            let masked: Vec<_> = words.map(|word| if word.contains('@') { "[e-mail]" } else { word }).collect();
            masked.join(" ").chars().take(LONGEST_TEXT).collect::<String>()
        };
        Self { status, text: text.map(fit).filter(|text| !text.is_empty()) }
    }
}

impl std::fmt::Display for ErrorDetail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, " (status {})", self.status)?;
        self.text.as_ref().map_or(Ok(()), |text| write!(formatter, ": {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_api_loses_credential_addresses_and_line_breaks() {
        let said =
            ErrorDetail::new(200, Some("key ei_123 of\njan@example.com\u{1b}[31m is <b@c.d> bad"), "ei_123");
        assert_eq!(said.text.as_deref(), Some("key [credential] of [e-mail] [31m is [e-mail] bad"));
    }

    #[test]
    fn a_success_false_is_sorted_by_its_text() {
        let reason = |text| Error::of_text(ErrorDetail::new(200, Some(text), "")).reason();
        assert_eq!(reason("Invalid API key"), "unauthorized");
        assert_eq!(reason("You do not have permission to do this"), "forbidden");
        assert_eq!(reason("Something else"), "api_error");
    }
}
