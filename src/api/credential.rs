//! The credential that requests carry.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::config::CredentialKind;
use crate::model::UnixTime;

/// Maximum length of a credential, in bytes. Servers accept headers of 8 to 16 KiB.
const MAX_LENGTH: usize = 16 * 1024;

/// An API key or JWT, ready to be sent. Its `Debug` output does not contain it.
#[derive(Clone, Debug)]
pub struct Credential {
    /// API key or JWT.
    pub kind: CredentialKind,
    /// The `exp` of a JWT, which is not verified.
    pub expiry: Option<UnixTime>,
    secret: SecretString,
    header: HeaderValue,
}

impl Credential {
    /// Makes a credential from a text without its surrounding white space.
    ///
    /// # Errors
    /// If the text is not a credential of this kind alone.
    pub fn new(kind: CredentialKind, text: &str) -> Result<Self, CredentialError> {
        let secret = text.trim();
        check(kind, secret)?;
        let mut header = HeaderValue::from_str(secret).map_err(|_| CredentialError::SeveralWords)?;
        header.set_sensitive(true);
        let expiry = match kind {
            CredentialKind::ApiKey => None,
            CredentialKind::Jwt => expiry(secret),
        };
        Ok(Self { kind, expiry, secret: secret.into(), header })
    }

    /// Returns the value of its header, marked as sensitive.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// Returns the secret, to remove it from texts and to compare it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// Characters of JSON, quoted text, templates and examples, which no credential has.
const FOREIGN: [char; 9] = ['"', '\'', '`', '{', '}', '<', '>', '$', '\\'];

/// Finds what is often saved instead of the credential alone.
fn check(kind: CredentialKind, secret: &str) -> Result<(), CredentialError> {
    let is_in_quotes = |quote: char| secret.starts_with(quote) || secret.ends_with(quote);
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    // A text in Base64 may end with `=`.
    let is_value = |value: &str| !value.trim_start_matches('=').is_empty();
    let assignment = secret.trim_start_matches("export ").split_once('=');
    let odd = secret.chars().zip(1..).find(|(c, _)| !c.is_ascii_graphic() && !c.is_ascii_whitespace());
    let is_jwt = secret.starts_with("eyJ") && secret.matches('.').count() == 2;
    Err(match kind {
        _ if secret.is_empty() => CredentialError::Empty,
        _ if secret.len() > MAX_LENGTH => CredentialError::TooLong,
        _ if secret.starts_with('\u{feff}') => CredentialError::ByteOrderMark,
        _ if is_in_quotes('"') || is_in_quotes('\'') => CredentialError::Quotes,
        _ if let Some((odd, position)) = odd => CredentialError::Character(odd.into(), position),
        _ if assignment.is_some_and(|(name, value)| is_name(name) && is_value(value)) => {
            CredentialError::Assignment
        }
        _ if let Some(foreign) = secret.chars().find(|c| FOREIGN.contains(c)) => {
            CredentialError::Foreign(foreign)
        }
        _ if secret.contains(|c: char| c.is_ascii_whitespace()) => CredentialError::SeveralWords,
        CredentialKind::ApiKey if is_jwt => CredentialError::IsJwt,
        CredentialKind::Jwt if secret.starts_with("ei_") => CredentialError::IsApiKey,
        _ => return Ok(()),
    })
}

/// Returns the `exp` claim of a JWT.
fn expiry(jwt: &str) -> Option<UnixTime> {
    #[derive(serde::Deserialize)]
    struct Claims {
        exp: UnixTime,
    }
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Claims>(&payload).ok().map(|claims| claims.exp)
}

/// Why a text is not a credential.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// It is empty or white space.
    #[error("is empty")]
    Empty,
    /// It is not text.
    #[error("is not UTF-8: save it as UTF-8 text with the credential alone")]
    NotUtf8,
    /// It is longer than any credential.
    #[error("is longer than {MAX_LENGTH} bytes: is it the right file?")]
    TooLong,
    /// It begins with a byte order mark.
    #[error("begins with a byte order mark: save it as UTF-8 without one")]
    ByteOrderMark,
    /// It begins or ends with a quote.
    #[error("is in quotes: remove them")]
    Quotes,
    /// It has a character that no credential has, at this position.
    #[error("has the character U+{0:04X} at position {1}, which no credential has: copy it again")]
    Character(u32, usize),
    /// It is `NAME=VALUE`.
    #[error("is written as NAME=VALUE: leave only the value")]
    Assignment,
    /// It has this character, as other formats and templates have.
    #[error("has the character `{0}` in it, which no credential has: leave only the credential")]
    Foreign(char),
    /// It has white space in it.
    #[error("has white space in it: leave only the credential, on one line")]
    SeveralWords,
    /// It is a JWT, and an API key is expected.
    #[error(
        "is a JWT: configure it with --api.jwt-file or EDGEIMPULSE_JWT, in a file with jwt_file or jwt_env"
    )]
    IsJwt,
    /// It is an API key, and a JWT is expected.
    #[error(
        "is an API key: configure it with --api.key-file or EDGEIMPULSE_API_KEY, in a file with key_file or key_env"
    )]
    IsApiKey,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CredentialOrigin;

    #[test]
    fn debug_output_does_not_contain_the_secret() {
        let credential = Credential::new(CredentialKind::ApiKey, "ei_canary\n").unwrap();
        assert!(!format!("{credential:?}").contains("canary"));
        assert_eq!(credential.header().to_str().unwrap(), "ei_canary");
        let origin = CredentialOrigin::Environment("EDGEIMPULSE_API_KEY".to_owned(), "ei_canary".into());
        assert!(!format!("{origin:?}").contains("canary"));
    }

    #[test]
    fn the_expiry_of_a_jwt_is_read() {
        // {"alg":"none"} . {"sub":"1","exp":1800000000}
        let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwiZXhwIjoxODAwMDAwMDAwfQ.c2ln";
        assert_eq!(Credential::new(CredentialKind::Jwt, jwt).unwrap().expiry, Some(1_800_000_000.0));
        assert_eq!(Credential::new(CredentialKind::Jwt, "no.jwt").unwrap().expiry, None);
    }

    #[test]
    fn what_is_not_a_credential_alone_is_refused_with_what_to_change() {
        use CredentialKind::{ApiKey, Jwt};
        let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.canary";
        let long = format!("ei_canary{}", "0".repeat(10 << 20));
        for (kind, text, expected) in [
            (ApiKey, " \n", "is empty"),
            (ApiKey, "\u{feff}ei_canary", "begins with a byte order mark: save it as UTF-8 without one"),
            (ApiKey, "'ei_canary'", "is in quotes: remove them"),
            (ApiKey, "\"ei_canary\"\n", "is in quotes: remove them"),
            (ApiKey, "EDGEIMPULSE_API_KEY=ei_canary", "is written as NAME=VALUE: leave only the value"),
            (ApiKey, "export KEY=ei_canary", "is written as NAME=VALUE: leave only the value"),
            (
                ApiKey,
                "ei_can\u{200b}ary",
                "has the character U+200B at position 7, which no credential has: copy it again",
            ),
            (ApiKey, "ei_canary\u{a0}\u{2060}", "has the character U+00A0 at position 10"),
            (ApiKey, "ei_canar\u{fffd}", "has the character U+FFFD at position 9"),
            (ApiKey, "ei_canary\u{7f}", "has the character U+007F at position 10"),
            (ApiKey, r#"{"apiKey":"ei_canary"}"#, "has the character `{` in it, which no credential has"),
            (ApiKey, "${CANARY_KEY}", "has the character `$` in it"),
            (ApiKey, "<your canary>", "has the character `<` in it"),
            (ApiKey, r"ei_canary\n", r"has the character `\` in it"),
            (Jwt, "jwt:'canary',", "has the character `'` in it"),
            (ApiKey, "ei_canary\nei_canary2", "has white space in it"),
            (ApiKey, "x-api-key: ei_canary", "has white space in it"),
            (ApiKey, &long, "is longer than 16384 bytes: is it the right file?"),
            (ApiKey, jwt, "is a JWT: configure it with --api.jwt-file or EDGEIMPULSE_JWT"),
            (Jwt, "ei_canary", "is an API key: configure it with --api.key-file or EDGEIMPULSE_API_KEY"),
            (Jwt, "Bearer ei_canary", "has white space in it"),
        ] {
            let error = Credential::new(kind, text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text:.20}: {error}");
            assert!(!error.to_lowercase().contains("canary"), "{error}");
        }
        for (kind, text) in [(ApiKey, " ei_0\r\n"), (ApiKey, "0aF+/=="), (Jwt, jwt), (Jwt, "a.b.c")] {
            assert!(Credential::new(kind, text).is_ok(), "{text}");
        }
    }
}
