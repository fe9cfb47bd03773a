//! The credential of an account, loaded again when its file changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// The environment variable is empty or not set.
    #[error("is missing: the variable is not set")]
    NotSet,
    /// The content cannot be a credential.
    #[error("{0}")]
    Invalid(#[from] CredentialError),
}

/// A credential and where it comes from.
#[derive(Debug)]
pub struct CredentialSource {
    kind: CredentialKind,
    origin: CredentialOrigin,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    credential: Arc<Credential>,
    /// Counts the credentials.
    generation: u64,
    is_loaded: bool,
    loaded_at: UnixTime,
}

impl CredentialSource {
    /// Loads the credential for the first time.
    ///
    /// # Errors
    /// If the file cannot be read, or its content cannot be a credential.
    pub fn load(kind: CredentialKind, origin: CredentialOrigin, now: UnixTime) -> Result<Self, LoadError> {
        let credential = Arc::new(read(kind, &origin)?);
        let state = State { credential, generation: 0, is_loaded: true, loaded_at: now };
        Ok(Self { kind, origin, state: Mutex::new(state) })
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

    /// Returns the last good credential with its generation: the number of changes before it.
    #[must_use]
    pub fn current_generation(&self) -> (Arc<Credential>, u64) {
        let state = self.state();
        (Arc::clone(&state.credential), state.generation)
    }

    /// Loads the credential again, if it comes from a file; a failure keeps the last good one. Returns the generation of
    /// a changed credential.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn reload(&self, now: UnixTime) -> Result<Option<u64>, LoadError> {
        let CredentialOrigin::File(_) = self.origin else { return Ok(None) };
        // Read under the lock, so that an older content never replaces a newer one.
        let mut state = self.state();
        let read = read(self.kind, &self.origin);
        state.is_loaded = read.is_ok();
        let credential = read?;
        state.loaded_at = now;
        if credential.expose() == state.credential.expose() {
            return Ok(None);
        }
        state.credential = Arc::new(credential);
        state.generation += 1;
        Ok(Some(state.generation))
    }

    /// Returns whether the last load succeeded, and the time of the last successful one.
    #[must_use]
    pub fn last_load(&self) -> (bool, UnixTime) {
        let state = self.state();
        (state.is_loaded, state.loaded_at)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Critical sections cannot leave partial state, so poisoning is ignored.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(kind: CredentialKind, origin: &CredentialOrigin) -> Result<Credential, LoadError> {
    match origin {
        CredentialOrigin::Environment(..) if !origin.is_set() => Err(LoadError::NotSet),
        CredentialOrigin::Environment(_, secret) => Ok(Credential::new(kind, secret.expose_secret())?),
        // A Kubernetes secret has a few hundred bytes in memory: reading it takes microseconds.
        CredentialOrigin::File(path) => Ok(Credential::new(kind, &std::fs::read_to_string(path)?)?),
    }
}
