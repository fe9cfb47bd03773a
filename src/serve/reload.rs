//! Reload of the configuration.

use std::sync::{Arc, PoisonError, RwLock};

use super::web_config::WebConfigWatcher;
use crate::collect::Exporter;
use crate::config;

/// The exporter in use; a reload replaces it.
#[derive(Debug)]
pub struct ReloadableExporter(RwLock<Arc<Exporter>>);

impl ReloadableExporter {
    /// Wraps the first exporter.
    #[must_use]
    pub fn new(exporter: Arc<Exporter>) -> Arc<Self> {
        Arc::new(Self(RwLock::new(exporter)))
    }

    /// Returns the exporter in use. A reload does not change an exporter that was returned before.
    #[must_use]
    pub fn exporter(&self) -> Arc<Exporter> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Loads the configuration file and replaces the exporter; without one, loads the files with credentials. After an
    /// error, nothing is changed.
    ///
    /// # Errors
    /// If a file cannot be read or is invalid, the one of `--web.config.file` included. Metrics and log report it.
    pub fn reload(&self) -> Result<(), String> {
        // Locked before the file is read, so that concurrent reloads cannot install an older configuration.
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let result = replacement(&current);
        let now = current.clock.now();
        match result {
            Ok(exporter) => {
                exporter.telemetry.reloaded(Some(now));
                let file =
                    exporter.configuration.file.as_ref().map(|file| tracing::field::display(file.display()));
                tracing::info!(file, accounts = exporter.accounts.len(), "configuration reloaded");
                *current = exporter;
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

fn replacement(current: &Arc<Exporter>) -> Result<Arc<Exporter>, String> {
    // The next request loads this file too, if it has changed; an error is reported here.
    if let Some(path) = current.web().web_config_file.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        WebConfigWatcher::load(path.clone()).map_err(|error| error.to_string())?;
    }
    let Some(file) = &current.configuration.file else {
        current.accounts.iter().for_each(|account| account.refresh_credential());
        let failed = current.accounts.iter().find(|account| !account.status(None).credential_loaded);
        return match failed {
            Some(account) => Err(format!("account {}: no new credential: see the log", account.name)),
            None => Ok(Arc::clone(current)),
        };
    };
    let mut configuration = config::file::read(file)?;
    let (new, old) = (&mut configuration.common, &current.configuration.common);
    if new.web != old.web || new.log != old.log {
        tracing::warn!("changes of web and log settings in the configuration file need a restart");
        new.web.clone_from(&old.web);
        new.log.clone_from(&old.log);
    }
    Exporter::build(configuration, current.clock.clone(), Some(current))
}
