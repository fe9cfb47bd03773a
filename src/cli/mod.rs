//! The command line: arguments, help and one module per command.

pub mod arguments;
mod check;
mod check_api;
mod check_config;
mod check_table;
pub mod demo;
pub mod environment;
mod healthcheck;
mod help;
pub mod history;
mod manual;
pub mod metric_reference;
pub mod openapi;
mod option_reference;
mod output;
mod runtime;
mod scrape;
mod serve;
pub mod usage_error;

use std::process::ExitCode;
use std::sync::Arc;

use arguments::{Command, CommandLine};

use crate::collect::{Exporter, Keep};
use crate::config::{Configuration, Options};
use crate::model::Clock;
use crate::recording::Replay;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line, the environment or the configuration is invalid.
    #[error("{0}")]
    Configuration(String),
    /// A runtime failure.
    #[error("{0}")]
    Running(String),
}

impl Failure {
    /// Returns the exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) => 2,
            Self::Running(_) => 1,
        }
    }
}

/// Runs the command of `command_line`.
///
/// # Errors
/// See [`Failure`].
pub fn execute(command_line: CommandLine) -> Result<ExitCode, Failure> {
    let runtime = runtime::start().map_err(Failure::Running)?;
    // Awaits in the library crate, so that futures are not compiled again in the binary.
    let result = runtime.block_on(async {
        match command_line.command {
            None => serve::serve(command_line.options).await,
            Some(Command::Demo(options)) => demo::demo(&options).await,
            Some(Command::Scrape { record, options }) => scrape::scrape(*options, record.as_deref()).await,
            Some(Command::Check { format, options }) => check::check(*options, format).await,
            Some(Command::CheckConfig { schema: true, .. }) => check_config::schema(),
            Some(Command::CheckConfig { without_credentials, options, .. }) => {
                check_config::check_config(*options, without_credentials)
            }
            Some(Command::History(options)) => history::history(*options).await,
            Some(Command::Healthcheck(options)) => healthcheck::healthcheck(&options),
            Some(Command::CheckApi { openapi }) => check_api::check_api(&openapi),
            Some(Command::Metrics { format }) => metric_reference::metrics(format),
            Some(Command::Completions { shell }) => manual::completions(shell),
            Some(Command::Man { directory, markdown }) => manual::man(directory.as_deref(), markdown),
        }
    });
    // Does not wait for threads that a file or a DNS server blocks.
    runtime.shutdown_background();
    result
}

/// Returns the configuration of `options`, and the recording of `--replay` if there is one.
fn configuration(options: Options) -> Result<(Configuration, Option<Replay>), Failure> {
    match &options.replay {
        Some(directory) if options.config_file.is_none() => {
            let replay = Replay::open(directory).map_err(Failure::Configuration)?;
            Ok((replay.configuration(options), Some(replay)))
        }
        _ => Ok((options.configuration().map_err(Failure::Configuration)?, None)),
    }
}

/// Builds the exporter; for a replay, starts the server of the recording and reads from it.
async fn build(
    mut configuration: Configuration,
    replay: Option<Replay>,
    keep: Keep,
) -> Result<Arc<Exporter>, Failure> {
    let mut clock = Clock::System;
    if let Some(replay) = replay {
        configuration.api.url = replay.serve().await.map_err(Failure::Running)?;
        clock = Clock::Fixed(replay.at());
    }
    Exporter::build_keeping(configuration, &keep, clock).map_err(Failure::Configuration)
}
