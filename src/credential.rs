//! The secret that an account authenticates with: where it comes from, and when it ends.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::snapshot::UnixTime;

/// The two ways that the API knows to authenticate a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An organization's API key, sent as `x-api-key`: sees that organization.
    ApiKey,
    /// A user's JSON Web Token, sent as `x-jwt-token`: sees what the user sees.
    Jwt,
}

impl Kind {
    /// Returns the header that carries the secret.
    #[must_use]
    pub const fn header(self) -> HeaderName {
        match self {
            Self::ApiKey => HeaderName::from_static("x-api-key"),
            Self::Jwt => HeaderName::from_static("x-jwt-token"),
        }
    }

    /// Returns what people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::Jwt => "JWT",
        }
    }
}

/// A secret that is ready to be sent. Its `Debug` shows nothing of it.
#[derive(Clone, Debug)]
pub struct Credential {
    /// What it is.
    pub kind: Kind,
    /// The `exp` of a JWT, which is read and not verified.
    pub expiry: Option<UnixTime>,
    secret: SecretString,
    header: HeaderValue,
}

impl Credential {
    fn new(kind: Kind, text: &str) -> Result<Self, LoadError> {
        let secret = text.trim();
        if secret.is_empty() {
            return Err(LoadError::Empty);
        }
        let mut header = HeaderValue::from_str(secret).map_err(|_| LoadError::NotAHeader)?;
        header.set_sensitive(true);
        let expiry = match kind {
            Kind::ApiKey => None,
            Kind::Jwt => expiry(secret),
        };
        Ok(Self { kind, expiry, secret: secret.into(), header })
    }

    /// Returns the value of the header, marked as sensitive.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// Returns the secret, for the one purpose of removing it from a text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// Reads the `exp` claim of a JWT.
fn expiry(jwt: &str) -> Option<UnixTime> {
    #[derive(serde::Deserialize)]
    struct Claims {
        exp: UnixTime,
    }
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Claims>(&payload).ok().map(|claims| claims.exp)
}

/// Where a secret comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The configuration holds it; it was in the named environment variable.
    Environment(String, SecretString),
    /// A file, which may change while the exporter runs.
    File(PathBuf),
}

/// Why a secret could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// There is nothing in it but white space.
    #[error("is empty")]
    Empty,
    /// It has characters that no HTTP header may have.
    #[error("holds characters that cannot be sent: is it the right file?")]
    NotAHeader,
}

/// A credential with its origin, from which it is loaded again when it rotates.
#[derive(Debug)]
pub struct Held {
    kind: Kind,
    origin: Origin,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    credential: Arc<Credential>,
    loaded: bool,
    loaded_at: UnixTime,
}

impl Held {
    /// Loads the credential for the first time.
    ///
    /// # Errors
    /// If the file cannot be read, or what it holds cannot be a credential.
    pub fn load(kind: Kind, origin: Origin, now: UnixTime) -> Result<Self, LoadError> {
        let credential = Arc::new(read(kind, &origin)?);
        Ok(Self { kind, origin, state: Mutex::new(State { credential, loaded: true, loaded_at: now }) })
    }

    /// Returns the kind of the credential, which never changes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the last good credential.
    #[must_use]
    pub fn current(&self) -> Arc<Credential> {
        Arc::clone(&self.state().credential)
    }

    /// Loads the credential again; a failure keeps the last good one. Returns whether it changed.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn reload(&self, now: UnixTime) -> Result<bool, LoadError> {
        let Origin::File(_) = self.origin else { return Ok(false) };
        // Read under the lock: what was read before another reload must not be stored after it.
        let mut state = self.state();
        let read = read(self.kind, &self.origin);
        state.loaded = read.is_ok();
        let credential = read?;
        let changed = credential.expose() != state.credential.expose();
        if changed {
            state.credential = Arc::new(credential);
        }
        state.loaded_at = now;
        Ok(changed)
    }

    /// Returns whether the last load succeeded, and when one last did.
    #[must_use]
    pub fn last_load(&self) -> (bool, UnixTime) {
        let state = self.state();
        (state.loaded, state.loaded_at)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Environment(name, secret), Self::Environment(other_name, other_secret)) => {
                name == other_name && secret.expose_secret() == other_secret.expose_secret()
            }
            (Self::File(path), Self::File(other_path)) => path == other_path,
            _ => false,
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment(name, _) => write!(formatter, "environment variable {name}"),
            Self::File(path) => write!(formatter, "file {}", path.display()),
        }
    }
}

fn read(kind: Kind, origin: &Origin) -> Result<Credential, LoadError> {
    match origin {
        Origin::Environment(_, secret) => Credential::new(kind, secret.expose_secret()),
        // A Kubernetes secret is a few hundred bytes in memory: reading it takes microseconds and may block.
        Origin::File(path) => Credential::new(kind, &std::fs::read_to_string(path)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_secret() {
        let credential = Credential::new(Kind::ApiKey, "ei_canary\n").unwrap();
        assert!(!format!("{credential:?}").contains("canary"));
        assert_eq!(credential.header().to_str().unwrap(), "ei_canary");
        let origin = Origin::Environment("EDGEIMPULSE_API_KEY".to_owned(), "ei_canary".into());
        assert!(!format!("{origin:?}").contains("canary"));
    }

    #[test]
    fn the_expiry_of_a_jwt_is_read() {
        // {"alg":"none"} . {"sub":"1","exp":1800000000}
        let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwiZXhwIjoxODAwMDAwMDAwfQ.c2ln";
        assert_eq!(Credential::new(Kind::Jwt, jwt).unwrap().expiry, Some(1_800_000_000.0));
        assert_eq!(Credential::new(Kind::Jwt, "no.jwt").unwrap().expiry, None);
        assert_eq!(Credential::new(Kind::ApiKey, jwt).unwrap().expiry, None);
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert!(matches!(Credential::new(Kind::ApiKey, " \n"), Err(LoadError::Empty)));
        assert!(matches!(Credential::new(Kind::ApiKey, "a\u{7f}b"), Err(LoadError::NotAHeader)));
        assert!(matches!(Credential::new(Kind::ApiKey, "a\nb"), Err(LoadError::NotAHeader)));
    }
}
