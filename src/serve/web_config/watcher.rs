//! A web configuration that follows its files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::config::WebConfig;
use super::file::Error;
use super::watched_files::Sources;

/// How long after a look at the files the next one is due: a look costs microseconds, but need not come with each of a
/// thousand requests.
const PAUSE: Duration = Duration::from_secs(1);

/// The web configuration of a file, as it is now. A change that cannot be used leaves the one before in force.
#[derive(Debug)]
pub struct WebConfigWatcher {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    config: Arc<WebConfig>,
    /// What was read last, whether or not it could be used.
    sources: Sources,
    looked_at: Instant,
}

impl WebConfigWatcher {
    /// Loads the file for the first time.
    ///
    /// # Errors
    /// See [`WebConfig::load`].
    pub fn load(path: PathBuf) -> Result<Self, Error> {
        let mut sources = Sources::default();
        let config = Arc::new(WebConfig::read(&path, &mut sources)?);
        Ok(Self { path, state: Mutex::new(State { config, sources, looked_at: Instant::now() }) })
    }

    /// Returns whether connections are encrypted. That lasts: a change cannot turn it off.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.state().config.tls.is_some()
    }

    /// Returns the configuration in force, after a look at the files if one is due.
    pub(super) fn current(&self) -> Arc<WebConfig> {
        let mut state = self.state();
        if state.looked_at.elapsed() >= PAUSE {
            if state.sources.have_changed() {
                self.follow(&mut state);
            }
            state.looked_at = Instant::now();
        }
        Arc::clone(&state.config)
    }

    /// Returns how a new connection is encrypted, if it is.
    pub(crate) fn tls(&self) -> Option<Arc<rustls::ServerConfig>> {
        self.current().tls.as_ref().map(|tls| Arc::clone(&tls.config))
    }

    fn follow(&self, state: &mut State) {
        let mut sources = Sources::default();
        let read = WebConfig::read(&self.path, &mut sources);
        state.sources = sources;
        match read {
            Err(error) => {
                tracing::warn!(%error, "the changed web configuration cannot be used: the one before stays in force");
            }
            // A file that is being written is empty for a moment, and must not open the door for as long.
            Ok(config) if let Some(lost) = state.config.lost_in(&config) => {
                let file = self.path.display();
                tracing::warn!(%file, lost, "the changed web configuration asks for less: that takes a restart");
            }
            Ok(mut config) => {
                if let (Some(before), Some(after)) = (&state.config.rate, &mut config.rate)
                    && before.is_like(after)
                {
                    *after = Arc::clone(before);
                }
                state.config = Arc::new(config);
                tracing::info!(file = %self.path.display(), "the changed web configuration is in force");
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
