//! What to do about an error. docs/runbooks.md has the same texts.

use crate::api::Error;
use crate::config::CredentialOrigin;

/// Returns what to do about a call that failed with this error.
pub(super) const fn advice(error: &Error, origin: &CredentialOrigin) -> &'static str {
    match (error, origin) {
        (Error::Unauthorized(_), CredentialOrigin::File(_)) => {
            "Write a new credential to the file; the next scrape uses it without a restart."
        }
        (Error::Unauthorized(_), CredentialOrigin::Environment(..)) => {
            "Set a new credential in the environment variable and restart the exporter."
        }
        (Error::Forbidden(_), _) => {
            "Use a credential with the role that the collector requires, or disable the collector."
        }
        (Error::NotFound(_), _) => "Check the ids in the configuration and the URL of the API.",
        (Error::RateLimited { .. } | Error::Paused { .. }, _) => {
            "Scrape less often, raise --cache.ttl, lower --api.concurrency, or disable collectors."
        }
        (Error::ServerError { .. }, _) => "Wait until the API recovers; if it does not, contact Edge Impulse.",
        (Error::HttpStatus(_), _) => {
            "Check the URL of the API, and whether a proxy or gateway answers instead."
        }
        (Error::Api(_), _) => "Resolve what the message says, or contact Edge Impulse.",
        (Error::Decode(_), _) => {
            "Check whether a proxy or gateway answers instead; if not, the API has changed: report it."
        }
        (Error::TooLarge { .. } | Error::TooCompressed, _) => {
            "Raise --api.max-response-size; if the message is about compression, check whether a proxy answers instead."
        }
        (Error::Timeout { .. }, _) => {
            "Check the network and the proxy; if the API is slow, raise --api.timeout."
        }
        (Error::Connect(_), _) => "Check the network, the host name and the proxy.",
        (Error::Tls(_), _) => {
            "Trust the authority with --api.ca-file, or set the host name of the certificate with --api.tls-server-name."
        }
        (Error::Transport(_), _) => {
            "Wait for the next scrape; if it fails again, check the network and the proxy."
        }
        (Error::Panic(_), _) => "Report it with the messages in the log.",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::ErrorDetail;

    #[test]
    fn every_reason_has_advice_and_the_runbooks_give_the_same() {
        let said = ErrorDetail::default;
        let text = String::new;
        let errors = [
            Error::Unauthorized(said()),
            Error::Forbidden(said()),
            Error::NotFound(said()),
            Error::RateLimited { detail: said(), retry_after: None },
            Error::ServerError { detail: said(), retry_after: None },
            Error::HttpStatus(said()),
            Error::Api(said()),
            Error::Decode(text()),
            Error::TooLarge { limit: 1 },
            Error::Timeout { after: Duration::ZERO },
            Error::Connect(text()),
            Error::Tls(text()),
            Error::Transport(text()),
            Error::Panic(text()),
        ];
        assert_eq!(errors.each_ref().map(Error::reason), Error::REASONS);
        let runbooks = include_str!("../../docs/runbooks.md");
        let origins =
            [CredentialOrigin::File("key".into()), CredentialOrigin::Environment("KEY".to_owned(), "".into())];
        for (error, origin) in errors.iter().flat_map(|error| origins.iter().map(move |origin| (error, origin)))
        {
            let row = runbooks.lines().find(|line| line.starts_with(&format!("| `{}` |", error.reason())));
            let row = row.unwrap_or_default().replace('`', "");
            assert!(row.contains(advice(error, origin)), "{}: {row}", error.reason());
        }
    }
}
