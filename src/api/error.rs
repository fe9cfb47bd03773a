//! Errors of calls.

use std::time::Duration;

/// Why a call to the API failed.
///
/// Texts never contain the credential. Of the response they contain only the API's own error text, shortened and with
/// e-mail addresses masked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The API does not accept the credential: status 401, or by the error text.
    #[error("credential refused{0}")]
    Unauthorized(ErrorDetail),
    /// The credential is not permitted to make this call: status 403, or by the error text.
    #[error("not permitted for this credential{0}")]
    Forbidden(ErrorDetail),
    /// The organization, user or endpoint does not exist: status 404.
    #[error("not found{0}")]
    NotFound(ErrorDetail),
    /// Too many requests: status 429.
    #[error("rate limited{detail}")]
    RateLimited {
        /// Status and error text.
        detail: ErrorDetail,
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// No request was sent, because the API rate limits the account.
    #[error("rate limited: calls are paused for another {}", humantime::format_duration(Duration::from_secs(.remaining.as_secs() + 1)))]
    Paused {
        /// Remaining pause.
        remaining: Duration,
    },
    /// The API failed: status 500 to 599.
    #[error("API server error{detail}")]
    ServerError {
        /// Status and error text.
        detail: ErrorDetail,
        /// `Retry-After`, of status 503 only.
        retry_after: Option<Duration>,
    },
    /// Any other status; redirects are not followed.
    #[error("unexpected HTTP status {}", .0.with_redirect())]
    HttpStatus(ErrorDetail),
    /// `success: false` for a reason that the other variants do not cover.
    #[error("the API reports an error{0}")]
    Api(ErrorDetail),
    /// The response is not the expected JSON.
    #[error("cannot decode the response: {0}")]
    Decode(String),
    /// The response is larger than allowed.
    #[error("response larger than {limit} bytes: raise --api.max-response-size")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The response is compressed more than any response of the API.
    #[error("response larger than {} times its compressed size", super::body::MAX_RATIO)]
    TooCompressed,
    /// The response was not complete before the timeout.
    #[error("timed out after {}: see --api.timeout", humantime::format_duration(*.after))]
    Timeout {
        /// The timeout.
        after: Duration,
    },
    /// No connection: the host and port, and why.
    #[error("cannot connect to {0}")]
    Connect(String),
    /// The certificate is invalid or the TLS handshake failed: the host and port, and why.
    #[error("cannot establish a TLS connection to {0}")]
    Tls(String),
    /// The connection failed while it was in use.
    #[error("connection lost: {0}")]
    Transport(String),
    /// The exporter's own code failed.
    #[error("internal error, please report it: {0}")]
    Panic(String),
}

impl Error {
    /// All values of the `reason` label.
    pub const REASONS: [&str; 14] = [
        "unauthorized",
        "forbidden",
        "not_found",
        "rate_limited",
        "server_error",
        "http_status",
        "api_error",
        "decode",
        "too_large",
        "timeout",
        "connect",
        "tls",
        "transport",
        "panic",
    ];

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
            Self::TooLarge { .. } | Self::TooCompressed => "too_large",
            Self::Timeout { .. } => "timeout",
            Self::Connect(_) => "connect",
            Self::Tls(_) => "tls",
            Self::Transport(_) => "transport",
            Self::Panic(_) => "panic",
        }
    }

    /// Returns the HTTP status, if the request failed because of it or of the error text.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Unauthorized(detail)
            | Self::Forbidden(detail)
            | Self::NotFound(detail)
            | Self::RateLimited { detail, .. }
            | Self::ServerError { detail, .. }
            | Self::HttpStatus(detail)
            | Self::Api(detail) => Some(detail.status),
            _ => None,
        }
    }

    /// Returns the pause that the API requests.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::ServerError { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Returns the error of a response whose status is not 200.
    pub(super) fn of_status(detail: ErrorDetail, retry_after: Option<Duration>) -> Self {
        match detail.status {
            401 => Self::Unauthorized(detail),
            403 => Self::Forbidden(detail),
            404 => Self::NotFound(detail),
            429 => Self::RateLimited { detail, retry_after },
            503 => Self::ServerError { detail, retry_after },
            500..=599 => Self::ServerError { detail, retry_after: None },
            _ => Self::HttpStatus(detail),
        }
    }

    /// Returns the error of a response with status 200 and `success: false`: its text decides.
    pub(super) fn of_text(detail: ErrorDetail) -> Self {
        let text = detail.text.as_deref().unwrap_or_default().to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&[
            "invalid api key",
            "invalid jwt",
            "invalid token",
            "jwt expired",
            "token expired",
            "not logged in",
        ]) {
            Self::Unauthorized(detail)
        } else if has(&[
            "permission",
            "not permitted",
            "not allowed",
            "forbidden",
            "access denied",
            "no access",
        ]) {
            Self::Forbidden(detail)
        } else {
            Self::Api(detail)
        }
    }

    /// Returns a fixed text that [`Self::of_text`] classifies like this error text of the API.
    pub(crate) fn redacted_text(text: &str) -> &'static str {
        match Self::of_text(ErrorDetail::new(200, Some(text), "")) {
            Self::Unauthorized(_) => "Invalid API key",
            Self::Forbidden(_) => "You do not have permission",
            _ => "An error",
        }
    }
}

/// Status and error text of a response that reports a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorDetail {
    /// The HTTP status.
    pub status: u16,
    /// The `error` member, safe to log.
    pub text: Option<String>,
    /// Scheme, host and port of the `Location` header.
    pub redirect: Option<String>,
}

/// Maximum length of a logged error text, in characters.
const MAX_TEXT_LENGTH: usize = 200;

impl ErrorDetail {
    /// Makes `text` safe to log: without the credential, e-mail addresses and control characters, and shortened.
    pub(super) fn new(status: u16, text: Option<&str>, credential: &str) -> Self {
        let safe = |text: &str| {
            let text =
                if credential.is_empty() { text.to_owned() } else { text.replace(credential, "[credential]") };
            let words =
                text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
            let masked: Vec<_> = words.map(|word| if word.contains('@') { "[e-mail]" } else { word }).collect();
            masked.join(" ").chars().take(MAX_TEXT_LENGTH).collect::<String>()
        };
        Self { status, text: text.map(safe).filter(|text| !text.is_empty()), redirect: None }
    }

    fn with_redirect(&self) -> String {
        let redirect = self.redirect.as_ref().map(|host| format!(" (redirect to {host})")).unwrap_or_default();
        let text = self.text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        format!("{}{redirect}{text}", self.status)
    }
}

impl std::fmt::Display for ErrorDetail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, " (HTTP {})", self.status)?;
        self.text.as_ref().map_or(Ok(()), |text| write!(formatter, ": {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts_lose_credential_addresses_and_line_breaks() {
        let detail =
            ErrorDetail::new(200, Some("key ei_123 of\njan@example.com\u{1b}[31m is <b@c.d> bad"), "ei_123");
        assert_eq!(detail.text.as_deref(), Some("key [credential] of [e-mail] [31m is [e-mail] bad"));
    }

    #[test]
    fn success_false_is_classified_by_its_text() {
        let reason = |text| Error::of_text(ErrorDetail::new(200, Some(text), "")).reason();
        assert_eq!(reason("Invalid API key"), "unauthorized");
        assert_eq!(reason("You do not have permission to do this"), "forbidden");
        assert_eq!(reason("Something else"), "api_error");
    }

    #[test]
    fn an_unexpected_status_is_reported_with_the_host_of_a_redirect() {
        let redirect = Some("login.example.com".to_owned());
        let detail = ErrorDetail { redirect, ..ErrorDetail::new(302, None, "") };
        let error = Error::of_status(detail, None);
        assert_eq!(error.to_string(), "unexpected HTTP status 302 (redirect to login.example.com)");
        let error = Error::of_status(ErrorDetail::new(418, Some("a teapot"), ""), None);
        assert_eq!(error.to_string(), "unexpected HTTP status 418: a teapot");
    }
}
