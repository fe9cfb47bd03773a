//! Reload of the configuration file.

use std::sync::{Arc, PoisonError, RwLock};

use crate::collect::Exporter;
use crate::config;

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
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Loads the configuration file and replaces the exporter. After an error, nothing is changed.
    ///
    /// # Errors
    /// If there is no configuration file, or if it is invalid. Metrics and log report it.
    pub async fn reload(&self) -> Result<(), String> {
        let _reloading = self.reloading.lock().await;
        let current = self.exporter();
        let previous = Arc::clone(&current);
        // Reading files blocks.
        let replacement = tokio::task::spawn_blocking(move || replacement(&previous)).await;
        let replacement = replacement.unwrap_or_else(|error| Err(error.to_string()));
        match replacement.map_err(|error| config::redact(&error)) {
            Ok(exporter) => {
                exporter.telemetry.reloaded(Some(current.clock.now()));
                tracing::info!(accounts = exporter.accounts.len(), "configuration reloaded");
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = exporter;
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

fn replacement(current: &Exporter) -> Result<Arc<Exporter>, String> {
    let file = current.configuration.file.as_ref();
    let file = file.ok_or(
        "nothing to reload: --config.file is not set (files with credentials are read at each scrape)",
    )?;
    let mut configuration = config::file::read(file)?;
    let (new, old) = (&mut configuration.common, &current.configuration.common);
    if new.web != old.web || new.log != old.log {
        tracing::warn!("changes of web and log settings in the configuration file need a restart");
        new.web.clone_from(&old.web);
        new.log.clone_from(&old.log);
    }
    Exporter::build(configuration, current.clock.clone(), Some(current))
}
