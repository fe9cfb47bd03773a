//! The arguments of the command line.

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::demo::DemoOptions;
use super::help;
use super::history::HistoryOptions;
use crate::config::{Options, field};

/// What `--version` prints.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (revision ",
    env!("BUILD_REVISION"),
    ", rustc ",
    env!("BUILD_RUSTC_VERSION"),
    ")"
);

/// Prometheus exporter for Edge Impulse; serves /metrics unless a command is given
#[derive(Debug, Parser)]
#[command(name = "edgeimpulse-exporter", version, long_version = VERSION, args_conflicts_with_subcommands = true)]
pub struct CommandLine {
    /// The command; without one the exporter serves.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options without a command.
    #[command(flatten)]
    pub options: Options,
}

impl CommandLine {
    /// Parses the command line and the environment. Empty variables are ignored, because container templates set options
    /// that are not used to an empty value.
    ///
    /// # Errors
    /// If an argument or a variable is invalid, or help was requested.
    pub fn read() -> Result<Self, clap::Error> {
        fn without_empty_variables(command: clap::Command) -> clap::Command {
            let is_empty = |argument: &clap::Arg| {
                argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty())
            };
            command
                .mut_args(|argument| if is_empty(&argument) { argument.env(None::<&str>) } else { argument })
                .mut_subcommands(without_empty_variables)
        }
        let mut command = without_empty_variables(Self::documented());
        // No value of an option begins with a hyphen, so this is always the flag.
        if std::env::args_os().any(|argument| argument == "-h") {
            command = help::with_short_help(command);
        }
        let matches = command.try_get_matches_from_mut(std::env::args_os()).map_err(without_values)?;
        check_conflicts(&command, &matches)?;
        Self::from_arg_matches(&matches)
    }
}

/// Removes the values from an error: any of them may be a secret.
fn without_values(error: clap::Error) -> clap::Error {
    if !error.use_stderr() {
        return error;
    }
    let text = error.to_string();
    let is_value = |(kind, given): &(ContextKind, &String)| match kind {
        ContextKind::InvalidValue | ContextKind::InvalidSubcommand => true,
        // The name of an option has no value in it.
        ContextKind::InvalidArg => error.kind() == ErrorKind::UnknownArgument && !given.starts_with('-'),
        _ => false,
    };
    let given = error.context().filter_map(|(kind, given)| match given {
        ContextValue::String(given) => Some((kind, given)).filter(is_value),
        _ => None,
    });
    let text = given.fold(text, |text, (_, given)| text.replace(&format!(" '{given}'"), ""));
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    clap::Error::raw(error.kind(), text)
}

/// Refuses flags and variables besides `--config.file`: there is one place for each value.
fn check_conflicts(command: &clap::Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let matches = matches.subcommand().map_or(matches, |(_, matches)| matches);
    if !matches!(matches.try_get_one::<PathBuf>("config_file"), Ok(Some(_))) {
        return Ok(());
    }
    let source = |id: &str| {
        let option = command.get_arguments().find(|option| option.get_id() == id)?;
        let flag = option.get_long().unwrap_or_default();
        match matches.value_source(id)? {
            ValueSource::CommandLine => Some((flag, format!("--{flag}"))),
            ValueSource::EnvVariable => {
                let variable = option.get_env().unwrap_or_default().to_string_lossy();
                Some((flag, format!("environment variable {variable}")))
            }
            _ => None,
        }
    };
    let (_, file) = source("config_file").unwrap_or_default();
    for id in matches.ids().filter(|id| *id != "config_file") {
        let Some((flag, option)) = source(id.as_str()) else { continue };
        let hint = if id == "replay" { String::new() } else { format!(": set {} in the file", field(flag)) };
        let message = format!("{option} cannot be combined with {file}{hint}");
        return Err(clap::Error::raw(ErrorKind::ArgumentConflict, message));
    }
    Ok(())
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a simulated API and the metrics of it; needs no account
    ///
    /// Nothing outside this machine is contacted.
    Demo(Box<DemoOptions>),
    /// Test every API call and report the results
    ///
    /// Shows which calls are permitted and which role the others need, which calls fail and why, and when the credential
    /// expires. Exits with 0 if every permitted call succeeds, else with 1.
    Check {
        /// Output format
        #[arg(id = "check_format", long = "format", value_name = "FORMAT", value_enum, default_value_t)]
        format: CheckFormat,
        /// Options of the exporter.
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Validate the configuration
    ///
    /// Reads the configuration and its credentials; starts no server and makes no API call. To validate a file where its
    /// credentials are missing: --without-credentials.
    CheckConfig {
        /// Write the JSON schema of --config.file instead
        #[arg(long)]
        schema: bool,
        /// Do not read the credentials, which may be missing on this machine, as in CI
        #[arg(long, conflicts_with = "schema")]
        without_credentials: bool,
        /// Options of the exporter.
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Compare the fields that are read with an OpenAPI document
    ///
    /// Lists fields that are missing in the document or have another type there, to find out what a new version of the API
    /// breaks. Makes no API call. Exits with 0 if there is no difference, with 1 if there is one, with 2 if the document
    /// cannot be read.
    CheckApi {
        /// OpenAPI document, in JSON or YAML
        #[arg(long, value_name = "FILE")]
        openapi: PathBuf,
    },
    /// Collect once and write the metrics to standard output
    ///
    /// Exits with 1 if no call of an account succeeded.
    Scrape {
        /// Write the API's responses, redacted, to this new directory, for --replay
        #[arg(long, value_name = "DIR")]
        record: Option<PathBuf>,
        /// Options of the exporter.
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Write a year of daily records for promtool
    ///
    /// Writes the daily records of a white label's organizations and users as OpenMetrics files, for promtool tsdb
    /// create-blocks-from openmetrics.
    History(Box<HistoryOptions>),
    /// Check the health of the exporter on this machine
    ///
    /// Takes the options of the running exporter and requests /-/healthy where it listens. Exits with 1 if it is not
    /// healthy.
    Healthcheck(Box<Options>),
    /// Write the metrics reference
    Metrics {
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: ReferenceFormat,
    },
    /// Write a completion script for a shell
    ///
    /// For bash: edgeimpulse-exporter completions bash > /etc/bash_completion.d/edgeimpulse-exporter
    Completions {
        /// Shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Write the manual page
    ///
    /// To read it: edgeimpulse-exporter man | man -l -
    Man {
        /// Write the pages of the program and of every command into this directory
        #[arg(long, value_name = "DIRECTORY")]
        directory: Option<PathBuf>,
        /// Write the options reference as Markdown instead
        #[arg(long, conflicts_with = "directory")]
        markdown: bool,
    },
}

/// Output format of `check`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum CheckFormat {
    /// A table
    #[default]
    Table,
    /// A JSON array
    Json,
}

/// Output format of `metrics`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum ReferenceFormat {
    /// A Markdown page
    #[default]
    Markdown,
    /// A JSON array
    Json,
    /// Prometheus recording rules for the former names of renamed metrics
    Rules,
}
