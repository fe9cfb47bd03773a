//! Errors of calls.

use std::time::Duration;

use super::error_text::known_words;

/// Why a call to the API failed.
///
/// Texts never contain the credential. Of the response they contain only the known words of the API's error text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The API does not accept the credential: status 401, or by the error text.
    #[error("credential refused{0}")]
    Unauthorized(ErrorDetail),
    /// The credential is not permitted to make this call: the API says so, with status 403 or by the error text.
    #[error("not permitted for this credential{0}")]
    Forbidden(ErrorDetail),
    /// The organization, user or endpoint does not exist: the API says so, with status 404.
    #[error("not found{0}")]
    NotFound(ErrorDetail),
    /// Too many requests: status 429.
    #[error("rate limited{detail}")]
    RateLimited {
        /// Status and error text.
        detail: ErrorDetail,
        /// `Retry-After`, else 30 seconds.
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
    /// Any other status, and a 403 or 404 that is not the API's: of a firewall, for example. Redirects are not followed.
    #[error("unexpected HTTP status {}", .0.with_redirect())]
    HttpStatus(ErrorDetail),
    /// `success: false` for a reason that the other variants do not cover.
    #[error("the API reports an error{0}")]
    Api(ErrorDetail),
    /// The response is not the expected JSON.
    #[error("cannot decode the response: {0}")]
    Decode(String),
    /// The response is larger than allowed.
    #[error("response larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The response is compressed more than any response of the API.
    #[error("response larger than {} times its compressed size", super::body::MAX_RATIO)]
    TooCompressed,
    /// The response was not complete before the timeout.
    #[error("timed out after {}", humantime::format_duration(*.after))]
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

    /// Returns the error of a response whose status is not 200. `is_of_api` tells whether the body is the API's own, with
    /// `success: false`: only the API knows what a credential may do and what exists.
    #[must_use]
    pub fn of_status(detail: ErrorDetail, is_of_api: bool, retry_after: Option<Duration>) -> Self {
        match detail.status {
            401 => Self::Unauthorized(detail),
            400..=499 if is_of_api && detail.refuses_credential() => Self::Unauthorized(detail),
            403 if is_of_api => Self::Forbidden(detail),
            404 if is_of_api => Self::NotFound(detail),
            429 => Self::RateLimited { detail, retry_after: retry_after.or(Some(DEFAULT_PAUSE)) },
            503 => Self::ServerError { detail, retry_after },
            500..=599 => Self::ServerError { detail, retry_after: None },
            _ => Self::HttpStatus(detail),
        }
    }

    /// Returns the error of a response with status 200 and `success: false`: its text decides.
    pub(super) fn of_text(detail: ErrorDetail) -> Self {
        if detail.refuses_credential() {
            Self::Unauthorized(detail)
        } else if detail.mentions(&PERMISSION) {
            Self::Forbidden(detail)
        } else {
            Self::Api(detail)
        }
    }

    /// Returns the error of a call that the API refuses where its subject does not exist, in words that are not known.
    pub(super) fn into_refusal(self) -> Self {
        match self {
            Self::Api(detail) | Self::NotFound(detail) => Self::Forbidden(detail),
            Self::HttpStatus(detail) if (400..500).contains(&detail.status) => Self::Forbidden(detail),
            other => other,
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

/// Pause after a status 429 without a usable `Retry-After`.
const DEFAULT_PAUSE: Duration = Duration::from_secs(30);

/// How error texts name a credential.
const CREDENTIAL: [&str; 4] = ["api key", "apikey", "jwt", "token"];

/// What error texts say of a credential that is not accepted.
const REFUSED: [&str; 3] = ["invalid", "expired", "revoked"];

/// How error texts say that a credential is not permitted to make a call.
const PERMISSION: [&str; 6] =
    ["permission", "not permitted", "not allowed", "forbidden", "access denied", "no access"];

impl ErrorDetail {
    /// Makes a detail with the known words of `text`.
    pub(super) fn new(status: u16, text: Option<&str>, credential: &str) -> Self {
        let text = text.map(|text| known_words(text, credential)).filter(|text| !text.is_empty());
        Self { status, text, redirect: None }
    }

    /// Returns true if the text says that the credential is not accepted, such as "JWT token has expired".
    fn refuses_credential(&self) -> bool {
        self.mentions(&["not logged in"]) || self.mentions(&CREDENTIAL) && self.mentions(&REFUSED)
    }

    fn mentions(&self, words: &[&str]) -> bool {
        let text = self.text.as_deref().unwrap_or_default().to_ascii_lowercase();
        words.iter().any(|word| text.contains(word))
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
        assert_eq!(detail.text.as_deref(), Some("key [credential] of [e-mail] [...] is [e-mail] bad"));
    }

    #[test]
    fn success_false_is_classified_by_its_text() {
        let reason = |text| Error::of_text(ErrorDetail::new(200, Some(text), "")).reason();
        for text in ["Invalid API key", "JWT token has expired", "jwt expired", "This API key was revoked"] {
            assert_eq!(reason(text), "unauthorized", "{text}");
        }
        assert_eq!(reason("You do not have permission to do this"), "forbidden");
        assert_eq!(reason("This API key does not have permission"), "forbidden");
        assert_eq!(reason("Something else"), "api_error");
    }

    #[test]
    fn an_unexpected_status_is_reported_with_the_host_of_a_redirect() {
        let redirect = Some("login.example.com".to_owned());
        let detail = ErrorDetail { redirect, ..ErrorDetail::new(302, None, "") };
        let error = Error::of_status(detail, false, None);
        assert_eq!(error.to_string(), "unexpected HTTP status 302 (redirect to login.example.com)");
        let error = Error::of_status(ErrorDetail::new(418, Some("a teapot"), ""), true, None);
        assert_eq!(error.to_string(), "unexpected HTTP status 418: a teapot");
    }
}
