//! `healthcheck`: whether the exporter on this machine is healthy.

use std::process::ExitCode;

use super::output::print;
use super::{Failure, health_request};
use crate::config::{self, Options};

/// Asks the exporter that runs with these options whether it is healthy.
///
/// # Errors
/// If it does not say so.
pub(super) fn healthcheck(options: &Options) -> Result<ExitCode, Failure> {
    let configuration = options.config_file.as_deref().map(config::file::read).transpose();
    let configuration = configuration.map_err(Failure::Configuration)?;
    let web = configuration.as_ref().map_or(&options.common.web, |configuration| &configuration.common.web);
    health_request::check(web).map_err(Failure::Running)?;
    print("healthy\n")?;
    Ok(ExitCode::SUCCESS)
}
