//! Reload of the configuration.

use std::sync::Arc;

use parking_lot::RwLock;

use super::web_config::WebConfigWatcher;
use crate::collect::Exporter;
use crate::config;
use crate::model::Facts;

/// The exporter in use; a reload replaces it.
#[derive(Debug)]
pub struct ReloadableExporter {
    current: RwLock<Arc<Exporter>>,
    /// Locked from before the file is read, so that concurrent reloads cannot install an older configuration.
    reloading: tokio::sync::Mutex<()>,
}

impl ReloadableExporter {
    /// Wraps the first exporter.
    #[must_use]
    pub fn new(exporter: Arc<Exporter>) -> Arc<Self> {
        Arc::new(Self { current: RwLock::new(exporter), reloading: tokio::sync::Mutex::default() })
    }

    /// Returns the exporter in use. A reload does not change an exporter that was returned before.
    #[must_use]
    pub fn exporter(&self) -> Arc<Exporter> {
        Arc::clone(&self.current.read())
    }

    /// Loads the configuration file and replaces the exporter; without one, loads the files with credentials and
    /// certificates. After an error, nothing is changed.
    ///
    /// # Errors
    /// If a file cannot be read or is invalid, the one of `--web.config.file` included. Metrics and log report it.
    pub async fn reload(&self) -> Result<(), String> {
        let _reloading = self.reloading.lock().await;
        let current = self.exporter();
        match replacement(&current).await.map_err(|error| config::redact(&error)) {
            Ok(exporter) => {
                exporter.telemetry.reloaded(Some(current.clock.now()));
                let file =
                    exporter.configuration.file.as_ref().map(|file| tracing::field::display(file.display()));
                tracing::info!(file, accounts = exporter.accounts.len(), "configuration reloaded");
                *self.current.write() = exporter;
                Ok(())
            }
            Err(error) => {
                current.telemetry.reloaded(None);
                tracing::error!("reload failed, the previous configuration stays in use: {error}");
                Err(error)
            }
        }
    }
}

async fn replacement(current: &Arc<Exporter>) -> Result<Arc<Exporter>, String> {
    let previous = Arc::clone(current);
    // Reading files blocks.
    let built = tokio::task::spawn_blocking(move || build(&previous)).await;
    let exporter = built.unwrap_or_else(|error| Err(error.to_string()))?;
    if exporter.configuration.file.is_some() {
        return Ok(exporter);
    }
    for account in &exporter.accounts {
        account.refresh_credential().await;
    }
    let failed =
        exporter.accounts.iter().find(|account| !account.status(None, &Facts::default()).credential_loaded);
    match failed {
        Some(account) => Err(format!("account {}: no new credential: see the log", account.name)),
        None => Ok(exporter),
    }
}

/// Builds the exporter of the configuration file; without one, that of the same configuration with the certificates of
/// `--api.ca-file`, if there are any.
fn build(current: &Arc<Exporter>) -> Result<Arc<Exporter>, String> {
    let sources = &current.configuration.sources;
    // The next request loads this file too, if it has changed; an error is reported here.
    if let Some(path) = current.web().web_config_file.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        WebConfigWatcher::open(path).map_err(|error| sources.describe(error))?;
    }
    let mut configuration = match &current.configuration.file {
        Some(file) => config::file::read(file, sources)?,
        None if current.configuration.api.ca_file.is_none() => return Ok(Arc::clone(current)),
        None => current.configuration.clone(),
    };
    let (new, old) = (&mut configuration.common, &current.configuration.common);
    if new.web != old.web || new.log != old.log {
        tracing::warn!("changes of web and log settings in the configuration file need a restart");
        new.web.clone_from(&old.web);
        new.log.clone_from(&old.log);
    }
    Exporter::build(configuration, current.clock.clone(), Some(current))
}
