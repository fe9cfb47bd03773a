//! Reloads the web configuration when its files change.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::config::WebConfig;
use super::file::Error;
use super::watched_files::WatchedFiles;

/// Minimum time between two checks of the files. A check takes microseconds, but is not needed for every request.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The web configuration of a file. If the changed file is invalid, the previous configuration stays in use.
#[derive(Debug)]
pub struct WebConfigWatcher {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    config: Arc<WebConfig>,
    /// The files as last read, whether or not they were valid, so that an invalid change is logged once.
    files: WatchedFiles,
    checked_at: Instant,
}

impl WebConfigWatcher {
    /// Loads the file.
    ///
    /// # Errors
    /// See [`WebConfig::load`].
    pub fn load(path: PathBuf) -> Result<Self, Error> {
        let mut files = WatchedFiles::default();
        let config = Arc::new(WebConfig::read(&path, &mut files)?);
        Ok(Self { path, state: Mutex::new(State { config, files, checked_at: Instant::now() }) })
    }

    /// Returns whether connections are encrypted. A reload cannot disable encryption.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.state().config.tls.is_some()
    }

    /// Returns the configuration in use, after checking the files if that is due.
    pub(super) fn current(&self) -> Arc<WebConfig> {
        let mut state = self.state();
        if state.checked_at.elapsed() >= CHECK_INTERVAL {
            if state.files.have_changed() {
                self.reload(&mut state);
            }
            state.checked_at = Instant::now();
        }
        Arc::clone(&state.config)
    }

    /// Returns the TLS settings of a new connection, or `None` if it is not encrypted.
    pub(crate) fn tls(&self) -> Option<Arc<rustls::ServerConfig>> {
        self.current().tls.as_ref().map(|tls| Arc::clone(&tls.config))
    }

    fn reload(&self, state: &mut State) {
        let file = self.path.display();
        let mut files = WatchedFiles::default();
        let read = WebConfig::read(&self.path, &mut files);
        state.files = files;
        match read {
            Err(error) => {
                tracing::warn!(%error, "web configuration not reloaded: the previous one stays in use");
            }
            // A file that is being written is empty for a moment, which must not disable protection.
            Ok(config) if let Some(removed) = state.config.protection_removed_by(&config) => {
                tracing::warn!(%file, removed, "web configuration not reloaded: removing protection requires a restart");
            }
            Ok(mut config) => {
                if let (Some(before), Some(after)) = (&state.config.rate_limit, &mut config.rate_limit)
                    && before.has_same_settings(after)
                {
                    *after = Arc::clone(before);
                }
                state.config = Arc::new(config);
                tracing::info!(%file, "web configuration reloaded");
            }
        }
    }

    /// Critical sections cannot leave partial state, so poisoning is ignored.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
