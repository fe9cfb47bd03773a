//! `check-config`: validates the configuration.

use std::process::ExitCode;

use super::output::{init_log, print};
use super::{Failure, configuration};
use crate::collect::Exporter;
use crate::config::{self, Options};
use crate::model::Clock;
use crate::serve::WebConfigWatcher;

/// Writes the JSON schema of `--config.file`.
pub(super) fn schema() -> Result<ExitCode, Failure> {
    print(config::file::schema())
}

/// Validates the configuration, `--web.config.file` and, unless `without_credentials`, the credentials.
pub(super) fn check_config(options: Options, without_credentials: bool) -> Result<ExitCode, Failure> {
    let configuration = if without_credentials && options.replay.is_none() {
        options.configuration_without_credentials().map_err(Failure::Configuration)?
    } else {
        configuration(options)?.0
    };
    // A warning of the exporter is one of the configuration.
    init_log(&configuration.common.log, &configuration.accounts);
    let names: Vec<_> = configuration.accounts.iter().map(|account| account.name.clone()).collect();
    let sources = configuration.sources.clone();
    let web_config_file = configuration.common.web.web_config_file.clone();
    let checked = if without_credentials {
        Exporter::check_without_credentials(&configuration).map(|()| None)
    } else {
        Exporter::build(configuration, Clock::System, None).map(Some)
    };
    let exporter = checked.map_err(Failure::Configuration)?;
    if let Some(path) = web_config_file {
        WebConfigWatcher::open(&path).map_err(|error| Failure::Configuration(sources.describe(error)))?;
    }
    for account in exporter.iter().flat_map(|exporter| &exporter.accounts) {
        if let Some(text) = account.expired() {
            return Err(Failure::Running(format!("account {}: {text}", account.name)));
        }
    }
    let of_names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let unread = if without_credentials { " The credentials were not read." } else { "" };
    print(format!("The configuration is valid. Accounts: {}{of_names}.{unread}\n", names.len()))
}
