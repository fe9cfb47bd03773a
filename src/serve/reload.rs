//! The exporter in use, which another one replaces when its configuration file is read again.

use std::sync::{Arc, PoisonError, RwLock};

use crate::collect::Exporter;
use crate::config;

/// The exporter in use.
#[derive(Debug)]
pub struct ReloadableExporter(RwLock<Arc<Exporter>>);

impl ReloadableExporter {
    /// Puts `exporter` in use.
    #[must_use]
    pub fn new(exporter: Arc<Exporter>) -> Arc<Self> {
        Arc::new(Self(RwLock::new(exporter)))
    }

    /// Returns the exporter in use. Whoever began with it ends with it, whatever is loaded meanwhile.
    #[must_use]
    pub fn exporter(&self) -> Arc<Exporter> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the configuration file again and uses what it says: all of it, or nothing if it cannot work.
    ///
    /// # Errors
    /// If there is no file, or it cannot work. The exporter in use stays, and its metrics tell.
    pub fn reload(&self) -> Result<(), String> {
        // CredentialSource from the beginning: of two reloads at a time, the one that reads later is to win.
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let result = replacement(&current);
        let now = current.clock.now();
        match result {
            Ok(exporter) => {
                exporter.telemetry.reloaded(Some(now));
                tracing::info!(accounts = exporter.accounts.len(), "the configuration was read again");
                *current = exporter;
                Ok(())
            }
            Err(error) => {
                current.telemetry.reloaded(None);
                tracing::error!("the configuration stays as it was: {error}");
                Err(error)
            }
        }
    }
}

fn replacement(current: &Exporter) -> Result<Arc<Exporter>, String> {
    let file = current.configuration.file.as_ref();
    let file =
        file.ok_or("there is no --config.file to read again; credentials in files are read at each scrape")?;
    let mut configuration = config::file::read(file)?;
    let (new, old) = (&mut configuration.common, &current.configuration.common);
    if new.web != old.web || new.log != old.log {
        tracing::warn!("what the configuration file says of web and log is used after a restart");
        new.web.clone_from(&old.web);
        new.log.clone_from(&old.log);
    }
    Exporter::build(configuration, current.clock.clone(), Some(current))
}
