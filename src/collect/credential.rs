//! The secret that an account authenticates with: where it comes from, and when it ends.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::ExposeSecret;

use crate::api::{Credential, CredentialError};
use crate::config::{CredentialKind, CredentialOrigin};
use crate::model::UnixTime;

/// Why a credential could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// What it holds cannot be a credential.
    #[error("{0}")]
    Invalid(#[from] CredentialError),
}

/// A credential with its origin, from which it is loaded again when it rotates.
#[derive(Debug)]
pub struct CredentialSource {
    kind: CredentialKind,
    origin: CredentialOrigin,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    credential: Arc<Credential>,
    loaded: bool,
    loaded_at: UnixTime,
}

impl CredentialSource {
    /// Loads the credential for the first time.
    ///
    /// # Errors
    /// If the file cannot be read, or what it holds cannot be a credential.
    pub fn load(kind: CredentialKind, origin: CredentialOrigin, now: UnixTime) -> Result<Self, LoadError> {
        let credential = Arc::new(read(kind, &origin)?);
        Ok(Self { kind, origin, state: Mutex::new(State { credential, loaded: true, loaded_at: now }) })
    }

    /// Returns the kind of the credential, which never changes.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
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
        let CredentialOrigin::File(_) = self.origin else { return Ok(false) };
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

fn read(kind: CredentialKind, origin: &CredentialOrigin) -> Result<Credential, LoadError> {
    match origin {
        CredentialOrigin::Environment(_, secret) => Ok(Credential::new(kind, secret.expose_secret())?),
        // A Kubernetes secret is a few hundred bytes in memory: reading it takes microseconds and may block.
        CredentialOrigin::File(path) => Ok(Credential::new(kind, &std::fs::read_to_string(path)?)?),
    }
}
