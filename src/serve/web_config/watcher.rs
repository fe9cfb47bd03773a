//! Reloads the web configuration when its files change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ring::digest::{SHA256, digest};

use super::config::WebConfig;
use crate::config::yaml::Error;
use crate::config::{OptionError, file_reader};

/// Minimum time between two checks of the files. A check takes microseconds, but is not needed for every request.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How long the request that causes a check waits for it. A slower check takes effect for later requests.
const CHECK_WAIT: Duration = Duration::from_millis(50);

/// The web configuration of a file. If the changed file is invalid, the previous configuration stays in use.
#[derive(Debug)]
pub struct WebConfigWatcher {
    in_use: Arc<InUse>,
    checked_at: Mutex<Instant>,
}

#[derive(Debug)]
struct InUse {
    path: PathBuf,
    config: Mutex<Arc<WebConfig>>,
    /// The files as last read, whether or not they were valid, so that an invalid change is logged once. Locked during a
    /// check.
    files: Mutex<WatchedFiles>,
}

impl WebConfigWatcher {
    /// Loads the file.
    ///
    /// # Errors
    /// If it, or a file that it refers to, cannot be read or is invalid.
    pub fn load(path: PathBuf) -> Result<Self, Error> {
        let mut files = WatchedFiles::default();
        let config = WebConfig::read(&path, &mut files).map_err(|error| error.in_file(&path))?;
        let in_use = InUse { path, config: Mutex::new(Arc::new(config)), files: Mutex::new(files) };
        Ok(Self { in_use: Arc::new(in_use), checked_at: Mutex::new(Instant::now()) })
    }

    /// Loads the file that `--web.config.file` names.
    ///
    /// # Errors
    /// See [`Self::load`].
    pub(crate) fn open(path: &Path) -> Result<Self, OptionError> {
        Self::load(path.to_owned()).map_err(|error| match error.has_line() {
            true => error.to_string().into(),
            false => OptionError::about("web.config.file", error.to_string()),
        })
    }

    /// Returns the configuration in use, after checking the files if that is due.
    pub(super) async fn current(&self) -> Arc<WebConfig> {
        if self.is_check_due() {
            let in_use = Arc::clone(&self.in_use);
            let check = tokio::task::spawn_blocking(move || in_use.check());
            let _ = tokio::time::timeout(CHECK_WAIT, check).await;
        }
        Arc::clone(&self.in_use.config.lock())
    }

    /// Returns true once per interval.
    fn is_check_due(&self) -> bool {
        let mut checked_at = self.checked_at.lock();
        let is_due = checked_at.elapsed() >= CHECK_INTERVAL;
        if is_due {
            *checked_at = Instant::now();
        }
        is_due
    }

    /// Returns the TLS settings of a new connection, or `None` if it is not encrypted. A reload cannot disable TLS.
    pub(in crate::serve) async fn tls(&self) -> Option<Arc<rustls::ServerConfig>> {
        self.current().await.tls.as_ref().map(|tls| Arc::clone(&tls.config))
    }

    /// Returns whether connections are encrypted.
    pub(in crate::serve) fn has_tls(&self) -> bool {
        self.in_use.config.lock().tls.is_some()
    }
}

impl InUse {
    /// Reloads the configuration if its files have changed, unless another check is running.
    fn check(&self) {
        let Some(mut files) = self.files.try_lock() else { return };
        if !files.have_changed() {
            return;
        }
        let (file, before) = (self.path.display(), Arc::clone(&self.config.lock()));
        *files = WatchedFiles::default();
        match WebConfig::read(&self.path, &mut files) {
            Err(error) => {
                let error = error.in_file(&self.path);
                tracing::warn!(%error, "web configuration not reloaded: the previous one stays in use");
            }
            // A file that is being written is empty for a moment, which must not disable protection.
            Ok(config) if let Some(removed) = before.protection_removed_by(&config) => {
                tracing::warn!(%file, removed, "web configuration not reloaded: removing protection requires a restart");
            }
            Ok(mut config) => {
                if let (Some(before), Some(after)) = (&before.rate_limit, &mut config.rate_limit)
                    && before.has_same_settings(after)
                {
                    *after = Arc::clone(before);
                }
                *self.config.lock() = Arc::new(config);
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
        let content = file_reader::read(path);
        self.0.push((path.to_owned(), content.as_deref().ok().map(sha256)));
        content
    }

    /// Returns whether the content or the readability of any file has changed. Contents are compared instead of times,
    /// because Kubernetes swaps symbolic links and two writes can have the same time.
    fn have_changed(&self) -> bool {
        self.0.iter().any(|(path, before)| file_reader::read(path).ok().as_deref().map(sha256) != *before)
    }
}

fn sha256(content: &[u8]) -> Vec<u8> {
    digest(&SHA256, content).as_ref().to_vec()
}
