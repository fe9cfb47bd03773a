//! Options of the exporter and their environment variables.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, Args, FromArgMatches, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ApiOptions, CollectorOptions, CredentialOptions, OptionSources, WebOptions, values};

/// All options of an exporter.
#[derive(Args, Debug)]
pub struct Options {
    /// Where the others were set. Comes first, because reading an option removes it from the matches.
    #[command(flatten)]
    pub sources: OptionSources,
    /// YAML file with all options, instead of flags and environment variables; can configure several accounts
    #[arg(long = "config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Directory of a recording to read instead of the API, without credential and network; see scrape --record
    #[arg(long, value_name = "DIR")]
    pub replay: Option<PathBuf>,
    /// Connection to the API.
    #[command(flatten)]
    pub api: ApiOptions,
    /// The credential.
    #[command(flatten)]
    pub credential: CredentialOptions,
    /// Organizations and users to read.
    #[command(flatten)]
    pub scope: ScopeOptions,
    /// Options that the demo has too.
    #[command(flatten)]
    pub common: CommonOptions,
}

/// Options that depend neither on the API nor on the account.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub struct CommonOptions {
    /// HTTP server.
    #[command(flatten)]
    pub web: WebOptions,
    /// Time limits of scrapes.
    #[command(flatten)]
    pub scrape: ScrapeOptions,
    /// How long responses are reused.
    #[command(flatten)]
    pub cache: CacheOptions,
    /// Collectors and their options.
    #[command(flatten)]
    pub collectors: CollectorOptions,
    /// Logging.
    #[command(flatten)]
    pub log: LogOptions,
}

/// Organizations and users to read. Serialized, it has the fields of an account in the configuration file.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[command(next_help_heading = "Scope")]
pub struct ScopeOptions {
    /// Read only these organizations; default: all that the credential can see; may be repeated
    #[arg(long = "organization-id", value_name = "ID", value_delimiter = ',', value_parser = values::id)]
    pub organization_ids: Vec<u64>,
    /// Read also these users; requires a JWT; may be repeated
    #[arg(long = "user-id", value_name = "ID", value_delimiter = ',', value_parser = values::id)]
    pub user_ids: Vec<u64>,
    /// Organizations that own the white label; default: those that the JWT's user administers; may be repeated
    #[arg(long = "whitelabel.organization-id", value_name = "ID", value_delimiter = ',', value_parser = values::id)]
    #[serde(rename = "whitelabel.organization_ids")]
    pub whitelabel_organization_ids: Vec<u64>,
    /// Read these users of the white label; may be repeated
    #[arg(long = "whitelabel.user-id", value_name = "ID", value_delimiter = ',', value_parser = values::id)]
    #[serde(rename = "whitelabel.user_ids")]
    pub whitelabel_user_ids: Vec<u64>,
}

/// Time limits of scrapes.
#[derive(Args, Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Scrape")]
pub struct ScrapeOptions {
    /// Time limit of scrapes without an X-Prometheus-Scrape-Timeout-Seconds header, which Prometheus always sends
    #[arg(long = "scrape.timeout-default", value_name = "DURATION", default_value = "10s",
        value_parser = values::positive_duration)]
    #[serde(with = "values::positive_duration")]
    #[schemars(with = "String")]
    pub timeout_default: Duration,
    /// Maximum time limit of a scrape, whatever its header says
    #[arg(long = "scrape.timeout-max", value_name = "DURATION", value_parser = values::positive_duration)]
    #[serde(with = "values::positive_duration")]
    #[schemars(with = "Option<String>")]
    pub timeout_max: Option<Duration>,
    /// Time subtracted from the timeout of a scrape, so that the response arrives in time
    #[arg(long = "scrape.timeout-offset", value_name = "DURATION", default_value = "500ms",
        value_parser = values::duration)]
    #[serde(with = "values::duration")]
    #[schemars(with = "String")]
    pub timeout_offset: Duration,
}

impl ScrapeOptions {
    /// Returns how long a scrape may take, given the timeout that its header announces.
    #[must_use]
    pub fn budget(&self, timeout: Option<Duration>) -> Duration {
        let budget = match timeout {
            // At least half of a short timeout remains.
            Some(timeout) => timeout.saturating_sub(self.timeout_offset).max(timeout / 2),
            None => self.timeout_default,
        };
        self.timeout_max.map_or(budget, |max| budget.min(max))
    }
}

/// How long responses are reused.
#[derive(Args, Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Cache")]
pub struct CacheOptions {
    /// Reuse responses and failures younger than this; 0s: call the API at every scrape, after a failure once a second
    #[arg(long = "cache.ttl", value_name = "DURATION", default_value = "30s", value_parser = values::duration)]
    #[serde(with = "values::duration")]
    #[schemars(with = "String")]
    pub ttl: Duration,
    /// Serve the last good response of a failing collector up to this age; 0s: never
    #[arg(long = "cache.stale-for", value_name = "DURATION", default_value = "0s", value_parser = values::duration)]
    #[serde(with = "values::duration")]
    #[schemars(with = "String")]
    pub stale_for: Duration,
}

/// Logging.
#[derive(Args, Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Log")]
pub struct LogOptions {
    /// Minimum log level
    #[arg(long = "log.level", value_name = "LEVEL", value_enum, default_value_t)]
    pub level: LogLevel,
    /// Log format
    #[arg(long = "log.format", value_name = "FORMAT", value_enum, default_value_t)]
    pub format: LogFormat,
}

/// Minimum log level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Errors that stop the exporter
    Error,
    /// Also problems that affect metrics
    Warn,
    /// Also rare events
    #[default]
    Info,
    /// Also events of each scrape
    Debug,
    /// Everything
    Trace,
}

/// Log format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Human-readable lines
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

/// Adds the environment variable to an option: flags with a dot have one, named like the flag with few exceptions.
pub(crate) fn with_variable(option: Arg) -> Arg {
    let flag = option.get_long().unwrap_or_default();
    let name = match flag {
        "api.jwt-file" => "JWT_FILE".to_owned(),
        "organization-id" | "user-id" | "whitelabel.organization-id" | "whitelabel.user-id" => {
            format!("{flag}s")
        }
        _ if flag.contains('.') && !option.is_hide_set() => flag.to_owned(),
        _ => return option,
    };
    option.env(format!("EDGEIMPULSE_{}", name.to_uppercase().replace(['.', '-'], "_")))
}

/// Implements `Default` with the defaults of the flags, so that each default is written once.
macro_rules! default_from_flags {
    ($($options:ty),*) => {$(
        impl Default for $options {
            fn default() -> Self {
                let matches = Self::augment_args(clap::Command::new("")).get_matches_from([""]);
                Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
            }
        }
    )*};
}
default_from_flags!(ApiOptions, WebOptions, ScrapeOptions, CacheOptions, LogOptions, CollectorOptions);
