//! The credential of an account, loaded again when its file changes.

use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use secrecy::ExposeSecret;

use crate::api::{Credential, CredentialError};
use crate::config::{CredentialKind, CredentialOrigin, file_reader};
use crate::model::UnixTime;

/// Why a credential could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
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
    /// Locked while the file is read, so that an older content never replaces a newer one.
    reading: tokio::sync::Mutex<()>,
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
        let credential = Arc::new(match &origin {
            CredentialOrigin::Environment(..) if !origin.is_set() => return Err(LoadError::NotSet),
            CredentialOrigin::Environment(_, secret) => Credential::new(kind, secret.expose_secret())?,
            CredentialOrigin::File(path) => {
                let credential = of_file(kind, file_reader::read(path))?;
                if file_reader::is_writable_by_everybody(path) {
                    let file = path.display();
                    tracing::warn!(
                        "every user of this machine can replace the {} in {origin}: run chmod 600 {file}",
                        kind.name()
                    );
                }
                credential
            }
        });
        let state = State { credential, generation: 0, is_loaded: true, loaded_at: now };
        Ok(Self { kind, origin, state: Mutex::new(state), reading: tokio::sync::Mutex::default() })
    }

    /// Returns where the credential comes from.
    #[must_use]
    pub const fn origin(&self) -> &CredentialOrigin {
        &self.origin
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
    pub async fn reload(&self, now: UnixTime) -> Result<Option<u64>, LoadError> {
        let CredentialOrigin::File(path) = &self.origin else { return Ok(None) };
        let _reading = self.reading.lock().await;
        let read = of_file(self.kind, file_reader::read_in_scrape(path).await);
        let mut state = self.state();
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
        self.state.lock()
    }
}

fn of_file(kind: CredentialKind, content: io::Result<Vec<u8>>) -> Result<Credential, LoadError> {
    let text = String::from_utf8(content?).map_err(|_| CredentialError::NotUtf8)?;
    Ok(Credential::new(kind, &text)?)
}
