//! `check-config`: validates the configuration.

use std::process::ExitCode;

use super::output::{init_log, print};
use super::{Failure, configuration};
use crate::collect::Exporter;
use crate::config::{self, Options};
use crate::model::Clock;
use crate::serve::WebConfigWatcher;

/// Validates the configuration, its credentials and `--web.config.file`; or writes the JSON schema of `--config.file`.
pub(super) fn check_config(options: Options, schema: bool) -> Result<ExitCode, Failure> {
    if schema {
        return print(config::file::schema());
    }
    let (configuration, _) = configuration(options)?;
    // A warning of the exporter is one of the configuration.
    init_log(&configuration.common.log);
    let exporter = Exporter::build(configuration, Clock::System, None).map_err(Failure::Configuration)?;
    if let Some(path) = &exporter.web().web_config_file {
        WebConfigWatcher::load(path.clone()).map_err(|error| Failure::Configuration(error.to_string()))?;
    }
    for account in &exporter.accounts {
        if let Some(text) = account.expired() {
            return Err(Failure::Running(format!("account {}: {text}", account.name)));
        }
    }
    let count = exporter.accounts.len();
    let names: Vec<_> = exporter.accounts.iter().map(|account| &*account.name).collect();
    print(format!("The configuration is valid. Accounts: {count} ({}).\n", names.join(", ")))
}
