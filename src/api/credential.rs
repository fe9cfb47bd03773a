//! The credential that requests carry.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::config::CredentialKind;
use crate::model::UnixTime;

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
    /// If the text is empty or not valid in a header.
    pub fn new(kind: CredentialKind, text: &str) -> Result<Self, CredentialError> {
        let secret = text.trim();
        if secret.is_empty() {
            return Err(CredentialError::Empty);
        }
        let mut header = HeaderValue::from_str(secret).map_err(|_| CredentialError::NotAHeader)?;
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
    /// It has characters that are not valid in an HTTP header.
    #[error("has characters that are not valid in an HTTP header: is it the right file?")]
    NotAHeader,
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
        assert_eq!(Credential::new(CredentialKind::ApiKey, jwt).unwrap().expiry, None);
    }

    #[test]
    fn invalid_header_values_are_refused() {
        assert!(matches!(Credential::new(CredentialKind::ApiKey, " \n"), Err(CredentialError::Empty)));
        assert!(matches!(
            Credential::new(CredentialKind::ApiKey, "a\u{7f}b"),
            Err(CredentialError::NotAHeader)
        ));
        assert!(matches!(Credential::new(CredentialKind::ApiKey, "a\nb"), Err(CredentialError::NotAHeader)));
    }
}
