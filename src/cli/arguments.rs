//! The command line: what to do, and with which options.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::demo::DemoOptions;
use super::help;
use super::history::HistoryOptions;
use crate::config::Options;

/// Prometheus exporter for Edge Impulse; without a command it serves /metrics
#[derive(Debug, Parser)]
#[command(name = "edgeimpulse-exporter", version, args_conflicts_with_subcommands = true)]
pub struct CommandLine {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of serving.
    #[command(flatten)]
    pub options: Options,
}

impl CommandLine {
    /// Reads the command line and the environment, in which an empty variable is as good as none: templates of
    /// containers leave many of them empty.
    ///
    /// # Errors
    /// If they cannot be understood.
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
        // Nothing else can be called so: a value does not begin with a hyphen.
        if std::env::args_os().any(|argument| argument == "-h") {
            command = help::in_brief(command);
        }
        let matches = command.try_get_matches()?;
        let read = Self::from_arg_matches(&matches)?;
        read.says_it_once(&matches)?;
        Ok(read)
    }

    /// Refuses flags and variables that a configuration file says better: two places would contradict each other.
    fn says_it_once(&self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let (options, matches) = match (&self.command, matches.subcommand()) {
            (None, _) => (&self.options, matches),
            (
                Some(
                    Command::Scrape { options, .. }
                    | Command::Check { options, .. }
                    | Command::CheckConfig { options, .. }
                    | Command::Healthcheck(options),
                ),
                Some((_, matches)),
            ) => (&**options, matches),
            (Some(Command::History(history)), Some((_, matches))) => (&history.options, matches),
            _ => return Ok(()),
        };
        if options.config_file.is_none() {
            return Ok(());
        }
        let command = Options::augment_args(clap::Command::new(""));
        for argument in command.get_arguments().filter(|argument| argument.get_id() != "config_file") {
            let also = match matches.value_source(argument.get_id().as_str()) {
                Some(ValueSource::CommandLine) => format!("--{}", argument.get_long().unwrap_or_default()),
                Some(ValueSource::EnvVariable) => {
                    let name = argument.get_env().unwrap_or_default();
                    format!("environment variable {}", name.to_string_lossy())
                }
                _ => continue,
            };
            let message = format!("{also} beside --config.file: say it in the file, or leave the file out");
            return Err(clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, message));
        }
        Ok(())
    }
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a simulated API and the exporter on top of it: no account
    ///
    /// Everything happens on this machine: no account, no network.
    Demo(Box<DemoOptions>),
    /// Make every call once and say what came of it
    ///
    /// Tells what is permitted, what is not and which role it needs, what fails, when a credential expires. Exits with
    /// 0 if all that is permitted answers, with 1 if not.
    Check {
        /// How to write it
        #[arg(id = "check_format", long = "format", value_name = "FORMAT", value_enum, default_value_t)]
        format: CheckFormat,
        /// What is checked.
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Say what is wrong with the configuration, if anything
    ///
    /// Nothing is started and nobody is asked.
    CheckConfig {
        /// Write the JSON schema of --config.file instead
        #[arg(long)]
        schema: bool,
        /// What is checked.
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Compare what is read of the API with a document of it
    ///
    /// Says which members are gone or have another type: what the next version of the API may break. Asks nobody.
    /// Exits with 0 if all is as it is read, with 1 if not, with 2 if the document cannot be read.
    CheckApi {
        /// OpenAPI document, in JSON or YAML
        #[arg(long, value_name = "FILE")]
        openapi: PathBuf,
    },
    /// Collect once and write the metrics to standard output
    ///
    /// Exits with 1 if an account could not be read.
    Scrape {
        /// Keep the API's answers, redacted, in this new directory: for --replay
        #[arg(long, value_name = "DIR")]
        record: Option<PathBuf>,
        /// What is collected.
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Write the past that the API keeps, for promtool
    ///
    /// Daily records of the last year, of the organizations and users of a white label, as OpenMetrics for promtool tsdb
    /// create-blocks-from openmetrics.
    History(Box<HistoryOptions>),
    /// Ask the exporter on this machine whether it is healthy
    ///
    /// Given the options of an exporter that runs, asks where it listens. Exits with 1 if it is not healthy.
    Healthcheck(Box<Options>),
    /// Write the reference of all metrics
    Metrics {
        /// How to write it
        #[arg(long, value_enum, default_value_t)]
        format: ReferenceFormat,
    },
    /// Write the script that makes a shell complete options
    ///
    /// For bash: edgeimpulse-exporter completions bash > /etc/bash_completion.d/edgeimpulse-exporter
    Completions {
        /// Which shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Write the manual page
    ///
    /// To read it: edgeimpulse-exporter man | man -l -
    Man {
        /// Write a page for each command too, all of them into this directory
        #[arg(long, value_name = "DIRECTORY")]
        directory: Option<PathBuf>,
        /// Write the options as a page of Markdown instead
        #[arg(long, conflicts_with = "directory")]
        markdown: bool,
    },
}

/// How a check is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum CheckFormat {
    /// A table for people
    #[default]
    Table,
    /// An array for machines
    Json,
}

/// How the metrics reference is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum ReferenceFormat {
    /// A page for people
    #[default]
    Markdown,
    /// An array for machines
    Json,
    /// Prometheus rules that record metrics under their former names
    Rules,
}
