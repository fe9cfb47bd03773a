//! What to do about an error, in the words of docs/runbooks.md.

use crate::api::Error;
use crate::config::CredentialOrigin;

/// Returns what to do about a call that fails in this way.
pub(super) const fn advice(error: &Error, origin: &CredentialOrigin) -> &'static str {
    match (error, origin) {
        (Error::Unauthorized(_), CredentialOrigin::File(_)) => {
            "Write a new credential to its file; it is used at the next scrape without a restart."
        }
        (Error::Unauthorized(_), CredentialOrigin::Environment(..)) => {
            "Set a new credential in its environment variable and restart the exporter."
        }
        (Error::Forbidden(_), _) => {
            "Use a credential with the role that the collector needs, or switch the collector off."
        }
        (Error::NotFound(_), _) => {
            "See whether the ids in the configuration exist, and whether the URL of the API is right."
        }
        (Error::RateLimited { .. } | Error::Paused { .. }, _) => {
            "Scrape less often, raise --cache.ttl, lower --api.concurrency, or switch off collectors."
        }
        (Error::ServerError { .. }, _) => "Wait for the API.",
        (Error::HttpStatus(_), _) => {
            "See whether the URL of the API is right, and whether a proxy or gateway answers in its place."
        }
        (Error::Api(_), _) => "Do what the API says, or ask Edge Impulse what it means.",
        (Error::Decode(_), _) => {
            "See whether a proxy or gateway answers in place of the API; if not, the API has changed: report it."
        }
        (Error::TooLarge { .. }, _) => "Raise --api.max-response-size.",
        (Error::Timeout { .. }, _) => "Mend the network or proxy; if the API is slow, raise --api.timeout.",
        (Error::Connect(_), _) => "Mend the network, the name of the host, or the proxy.",
        (Error::Tls(_), _) => {
            "Trust the authority with --api.ca-file, or name the host of the certificate with --api.tls-server-name."
        }
        (Error::Transport(_), _) => "Wait for the next scrape; if it happens again, mend the network or proxy.",
        (Error::Panic(_), _) => "Report it, with what the log says of it.",
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
            Error::RateLimited { said: said(), retry_after: None },
            Error::ServerError { said: said(), retry_after: None },
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
        assert_eq!(errors.each_ref().map(Error::reason), crate::model::ERROR_REASONS);
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
