//! Everything that can be set about an exporter, wherever it is said.

mod api;
mod collectors;
mod command_line;
pub mod file;
mod help;
mod history;
mod value;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, FromArgMatches, ValueEnum};
use schemars::JsonSchema;
use serde::Deserialize;

pub use api::{ApiOptions, ComputeTimeUnit, CredentialOptions, MemoryUnit, STUDIO_URL};
pub use collectors::{CollectorOptions, ProjectVisibility};
pub use command_line::{CheckFormat, Command, CommandLine, ReferenceFormat};
pub use help::{SECTIONS, Section};
pub use history::HistoryOptions;
pub use value::ListenAddress;

use crate::credential::{Kind, Origin};
use crate::recording::{Recorder, Replay};

/// Name of the account that flags and environment describe.
pub(crate) const ONLY_ACCOUNT: &str = "default";

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
