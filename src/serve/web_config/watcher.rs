//! Reloads the web configuration when its files change.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};

use super::config::WebConfig;
use crate::config::yaml::Error;

/// Minimum time between two checks of the files. A check takes microseconds, but is not needed for every request.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Maximum size of a file, in bytes. A bundle of all public certificate authorities is a quarter of it.
const MAX_SIZE: u64 = 1 << 20;

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
    /// If it, or a file that it refers to, cannot be read or is invalid.
    pub fn load(path: PathBuf) -> Result<Self, Error> {
        let mut files = WatchedFiles::default();
        let config = WebConfig::read(&path, &mut files).map_err(|error| error.in_file(&path))?;
        let state = State { config: Arc::new(config), files, checked_at: Instant::now() };
        Ok(Self { path, state: Mutex::new(state) })
    }

    /// Returns the configuration in use, after checking the files if that is due.
    pub(super) fn current(&self) -> Arc<WebConfig> {
        // Critical sections cannot leave partial state, so poisoning is ignored.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.checked_at.elapsed() >= CHECK_INTERVAL {
            if state.files.have_changed() {
                self.reload(&mut state);
            }
            state.checked_at = Instant::now();
        }
        Arc::clone(&state.config)
    }

    /// Returns the TLS settings of a new connection, or `None` if it is not encrypted. A reload cannot disable TLS.
    pub(in crate::serve) fn tls(&self) -> Option<Arc<rustls::ServerConfig>> {
        self.current().tls.as_ref().map(|tls| Arc::clone(&tls.config))
    }

    fn reload(&self, state: &mut State) {
        let file = self.path.display();
        state.files = WatchedFiles::default();
        match WebConfig::read(&self.path, &mut state.files) {
            Err(error) => {
                let error = error.in_file(&self.path);
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
}

/// Path and digest of each file that was read, without a digest if the file could not be read.
#[derive(Debug, Default)]
pub(super) struct WatchedFiles(Vec<(PathBuf, Option<Vec<u8>>)>);

impl WatchedFiles {
    /// Reads a file and records its digest.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let content = read(path);
        self.0.push((path.to_owned(), content.as_deref().ok().map(sha256)));
        content
    }

    /// Returns whether the content or the readability of any file has changed. Contents are compared instead of times,
    /// because Kubernetes swaps symbolic links and two writes can have the same time.
    fn have_changed(&self) -> bool {
        self.0.iter().any(|(path, before)| read(path).ok().as_deref().map(sha256) != *before)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_SIZE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 1 MiB"));
    }
    Ok(content)
}

fn sha256(content: &[u8]) -> Vec<u8> {
    digest(&SHA256, content).as_ref().to_vec()
}
