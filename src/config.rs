//! What the command line and the environment say.

mod api;
mod collectors;
pub mod file;
mod help;
mod history;
mod value;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use schemars::JsonSchema;
use serde::Deserialize;

pub use api::{ApiOptions, ComputeTimeUnit, CredentialOptions, MemoryUnit, STUDIO_URL};
pub use collectors::{CollectorOptions, ProjectVisibility};
pub use help::{SECTIONS, Section};
pub use history::HistoryOptions;
pub use value::ListenAddress;

use crate::credential::{Kind, Origin};
use crate::recording::{Recorder, Replay};

/// Name of the account that flags and environment describe.
pub(crate) const ONLY_ACCOUNT: &str = "default";

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

/// Everything that can be set about an exporter.
#[derive(Args, Debug)]
pub struct Options {
    /// YAML file that says everything, instead of flags and environment: for several accounts
    #[arg(long = "config.file", env = "EDGEIMPULSE_CONFIG_FILE", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Ask a recording instead of the API, as of its time: needs no credential and no network; see scrape --record
    #[arg(long, value_name = "DIR")]
    pub replay: Option<PathBuf>,
    /// How the API is asked.
    #[command(flatten)]
    pub api: ApiOptions,
    /// Who asks.
    #[command(flatten)]
    pub credential: CredentialOptions,
    /// What is read.
    #[command(flatten)]
    pub scope: ScopeOptions,
    /// What the demo can be told too.
    #[command(flatten)]
    pub common: CommonOptions,
}

/// What can be set about the demo, whose API and credential are its own.
#[derive(Args, Debug)]
pub struct DemoOptions {
    /// Organizations in all; those without a story of their own are seen by their white label only
    #[arg(long, value_name = "N", default_value_t = crate::demo::world::ORGANIZATIONS, value_parser = clap::value_parser!(u64).range(..=100_000))]
    pub organizations: u64,
    /// Write the demo's past of this length as OpenMetrics with timestamps, and end
    #[arg(long, value_name = "DURATION", value_parser = value::positive_duration)]
    pub history: Option<Duration>,
    /// Time between two moments of the past
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = value::positive_duration)]
    pub history_step: Duration,
    /// What serving can be told too.
    #[command(flatten)]
    pub common: CommonOptions,
}

/// Options that do not say which API is asked about what.
#[derive(Args, Clone, Debug)]
pub struct CommonOptions {
    /// How the exporter is reached.
    #[command(flatten)]
    pub web: WebOptions,
    /// How long a scrape may take.
    #[command(flatten)]
    pub scrape: ScrapeOptions,
    /// How long answers are used.
    #[command(flatten)]
    pub cache: CacheOptions,
    /// Which collectors are on.
    #[command(flatten)]
    pub collectors: CollectorOptions,
    /// What is logged.
    #[command(flatten)]
    pub log: LogOptions,
}

/// How the exporter is reached.
#[derive(Args, Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Web")]
pub struct WebOptions {
    /// Address to listen on, may be repeated; without a host on all of IPv4 and IPv6; or unix: and a path
    #[arg(
        long = "web.listen-address",
        env = "EDGEIMPULSE_WEB_LISTEN_ADDRESS",
        value_name = "ADDRESS",
        value_delimiter = ',',
        default_value = ":10101"
    )]
    #[schemars(with = "Vec<String>")]
    pub listen_addresses: Vec<ListenAddress>,
    /// File with TLS, passwords and limits, in the format of Prometheus' exporter-toolkit
    #[arg(long = "web.config.file", env = "EDGEIMPULSE_WEB_CONFIG_FILE", value_name = "FILE")]
    #[serde(rename = "config_file")]
    pub web_config_file: Option<PathBuf>,
    /// Take the sockets of systemd's socket activation instead of --web.listen-address
    #[arg(long = "web.systemd-socket", env = "EDGEIMPULSE_WEB_SYSTEMD_SOCKET")]
    pub systemd_socket: bool,
    /// Answer /-/healthy and /-/ready here too, and nothing else, without TLS: for probes that have no certificate
    #[arg(
        long = "web.probe-listen-address",
        env = "EDGEIMPULSE_WEB_PROBE_LISTEN_ADDRESS",
        value_name = "ADDRESS"
    )]
    #[schemars(with = "Option<String>")]
    pub probe_listen_address: Option<ListenAddress>,
    /// Path of the metrics
    #[arg(long = "web.telemetry-path", env = "EDGEIMPULSE_WEB_TELEMETRY_PATH", value_name = "PATH",
        default_value = "/metrics", value_parser = value::telemetry_path)]
    #[serde(deserialize_with = "value::from_text::telemetry_path")]
    pub telemetry_path: String,
    /// Leave out the exporter's own metrics (edgeimpulse_exporter_*, process_*)
    #[arg(long = "web.disable-exporter-metrics", env = "EDGEIMPULSE_WEB_DISABLE_EXPORTER_METRICS")]
    pub disable_exporter_metrics: bool,
    /// Read the configuration file again when POST /-/reload asks for it; SIGHUP always does
    #[arg(long = "web.enable-lifecycle", env = "EDGEIMPULSE_WEB_ENABLE_LIFECYCLE")]
    pub enable_lifecycle: bool,
    /// When to answer a scrape with status 503 instead of metrics, for those who alert on up
    #[arg(
        long = "web.fail-scrape",
        env = "EDGEIMPULSE_WEB_FAIL_SCRAPE",
        value_name = "WHEN",
        value_enum,
        default_value_t
    )]
    pub fail_scrape: FailScrape,
}

/// What is read.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Scope")]
pub struct ScopeOptions {
    /// Read these organizations only, may be repeated; without it all that the credential sees
    #[arg(
        long = "organization-id",
        env = "EDGEIMPULSE_ORGANIZATION_IDS",
        value_name = "ID",
        value_delimiter = ','
    )]
    pub organization_ids: Vec<u64>,
    /// Read these users too (with a JWT), may be repeated
    #[arg(long = "user-id", env = "EDGEIMPULSE_USER_IDS", value_name = "ID", value_delimiter = ',')]
    pub user_ids: Vec<u64>,
    /// Organization that owns the white label, may be repeated; without it those that the credential administers
    #[arg(
        long = "whitelabel.organization-id",
        env = "EDGEIMPULSE_WHITELABEL_ORGANIZATION_IDS",
        value_name = "ID",
        value_delimiter = ','
    )]
    pub whitelabel_organization_ids: Vec<u64>,
    /// Read these users of the white label, may be repeated
    #[arg(
        long = "whitelabel.user-id",
        env = "EDGEIMPULSE_WHITELABEL_USER_IDS",
        value_name = "ID",
        value_delimiter = ','
    )]
    pub whitelabel_user_ids: Vec<u64>,
}

impl AccountOptions {
    /// Tells whether `other` is the same account and reads the same in the same way, wherever that is said.
    #[must_use]
    pub fn is_read_as(&self, other: &Self) -> bool {
        let Self { name, kind, origin, scope, collectors, place: _ } = self;
        *name == other.name
            && *kind == other.kind
            && *origin == other.origin
            && *scope == other.scope
            && *collectors == other.collectors
    }
}

impl Options {
    /// Returns what the flags and the environment describe, or the file that they name.
    ///
    /// # Errors
    /// If it cannot work; the message says what to do.
    pub fn configuration(self) -> Result<Configuration, String> {
        let Self { config_file, replay, api, credential, scope, common } = self;
        if let Some(path) = config_file {
            return file::read(&path);
        }
        if let Some(directory) = replay {
            let replay = Replay::open(&directory)?;
            let accounts = replay.accounts(&scope, &common.collectors);
            // Nothing stands between the exporter and itself.
            let api = ApiOptions { ca_file: None, proxy_url: None, tls_server_name: None, ..api };
            return Ok(Configuration { accounts, replay: Some(replay), ..Configuration::new(api, common) });
        }
        let (kind, origin) = credential.only()?;
        let collectors = common.collectors.clone();
        let account =
            AccountOptions { name: ONLY_ACCOUNT.to_owned(), kind, origin, scope, collectors, place: None };
        Ok(Configuration { accounts: vec![account], ..Configuration::new(api, common) })
    }
}

impl Configuration {
    /// Returns one without accounts.
    #[must_use]
    pub fn new(api: ApiOptions, common: CommonOptions) -> Self {
        Self { api, accounts: Vec::new(), common, file: None, keep: Keep::default(), replay: None }
    }
}

/// What an exporter is built from, whichever way it was said.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// How the API is asked.
    pub api: ApiOptions,
    /// Who asks, in order of precedence.
    pub accounts: Vec<AccountOptions>,
    /// The rest.
    pub common: CommonOptions,
    /// The file that says so.
    pub file: Option<PathBuf>,
    /// What is kept beside that which a scrape shows.
    pub keep: Keep,
    /// What is asked instead of the API.
    pub replay: Option<Replay>,
}

/// What is kept of answers beside that which a scrape shows; none of it by default.
#[derive(Clone, Debug, Default)]
pub struct Keep {
    /// Daily records one by one, as `history` needs them.
    pub days: bool,
    /// The answers themselves, redacted.
    pub answers: Option<Arc<Recorder>>,
}

/// A credential, and what to read with it.
#[derive(Clone, Debug)]
pub struct AccountOptions {
    /// Its name, the value of the `account` label.
    pub name: String,
    /// What the credential is.
    pub kind: Kind,
    /// Where it comes from.
    pub origin: Origin,
    /// What is read.
    pub scope: ScopeOptions,
    /// How.
    pub collectors: CollectorOptions,
    /// Where the configuration says so, for error messages.
    pub place: Option<String>,
}

/// When a scrape is answered with a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailScrape {
    /// Prometheus' up tells of the exporter alone
    #[default]
    Never,
    /// If no account could be read
    All,
    /// If any supported collector failed
    Any,
}

/// How long a scrape may take.
#[derive(Args, Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Scrape")]
pub struct ScrapeOptions {
    /// Time for a scrape that does not say its own; Prometheus always does
    #[arg(long = "scrape.timeout-default", env = "EDGEIMPULSE_SCRAPE_TIMEOUT_DEFAULT", value_name = "DURATION",
        default_value = "10s", value_parser = value::positive_duration)]
    #[serde(deserialize_with = "value::from_text::positive_duration")]
    #[schemars(with = "String")]
    pub timeout_default: Duration,
    /// Most time for a scrape, whatever it says
    #[arg(long = "scrape.timeout-max", env = "EDGEIMPULSE_SCRAPE_TIMEOUT_MAX", value_name = "DURATION",
        value_parser = value::positive_duration)]
    #[serde(deserialize_with = "value::from_text::some_positive_duration")]
    #[schemars(with = "Option<String>")]
    pub timeout_max: Option<Duration>,
    /// How much earlier than the scrape's timeout to answer
    #[arg(long = "scrape.timeout-offset", env = "EDGEIMPULSE_SCRAPE_TIMEOUT_OFFSET", value_name = "DURATION",
        default_value = "500ms", value_parser = value::duration)]
    #[serde(deserialize_with = "value::from_text::duration")]
    #[schemars(with = "String")]
    pub timeout_offset: Duration,
}

impl ScrapeOptions {
    /// Returns how long a scrape may take that has said `timeout` of itself.
    #[must_use]
    pub fn budget(&self, timeout: Option<Duration>) -> Duration {
        let budget = match timeout {
            // The offset must not eat most of a short timeout.
            Some(timeout) => timeout.saturating_sub(self.timeout_offset).max(timeout / 2),
            None => self.timeout_default,
        };
        self.timeout_max.map_or(budget, |max| budget.min(max))
    }
}

/// How long answers are used.
#[derive(Args, Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Cache")]
pub struct CacheOptions {
    /// Use an answer again while it is younger than this; 0s asks at every scrape
    #[arg(long = "cache.ttl", env = "EDGEIMPULSE_CACHE_TTL", value_name = "DURATION", default_value = "30s",
        value_parser = value::duration)]
    #[serde(deserialize_with = "value::from_text::duration")]
    #[schemars(with = "String")]
    pub ttl: Duration,
    /// Show the last good answer of a collector that failed until it is this old; 0s never
    #[arg(long = "cache.stale-for", env = "EDGEIMPULSE_CACHE_STALE_FOR", value_name = "DURATION",
        default_value = "0s", value_parser = value::duration)]
    #[serde(deserialize_with = "value::from_text::duration")]
    #[schemars(with = "String")]
    pub stale_for: Duration,
}

/// What is logged.
#[derive(Args, Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Log")]
pub struct LogOptions {
    /// Least severe events to log
    #[arg(
        long = "log.level",
        env = "EDGEIMPULSE_LOG_LEVEL",
        value_name = "LEVEL",
        value_enum,
        default_value_t
    )]
    pub level: LogLevel,
    /// How to write them
    #[arg(
        long = "log.format",
        env = "EDGEIMPULSE_LOG_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    pub format: LogFormat,
}

/// Least severe events to log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What stops the exporter
    Error,
    /// What costs metrics
    Warn,
    /// What happens rarely
    #[default]
    Info,
    /// What happens at each scrape
    Debug,
    /// Everything
    Trace,
}

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For machines, one object per line
    Json,
}

/// Makes the flags' defaults those of the file too.
macro_rules! default_as_without_flags {
    ($($options:ty),*) => {$(
        impl Default for $options {
            fn default() -> Self {
                let command = Self::augment_args(clap::Command::new("")).mut_args(|argument| argument.env(None::<&str>));
                let matches = command.get_matches_from([""]);
                Self::from_arg_matches(&matches).expect("defaults are valid")
            }
        }
    )*};
}
default_as_without_flags!(ApiOptions, WebOptions, ScrapeOptions, CacheOptions, LogOptions, CollectorOptions);
