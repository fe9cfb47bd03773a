//! Flags and environment variables of the exporter.

use std::path::PathBuf;

use clap::{Args, FromArgMatches};
use serde::Serialize;

use super::{
    ApiOptions, CacheOptions, CollectorOptions, CredentialOptions, LogOptions, ScopeOptions, ScrapeOptions,
    WebOptions,
};

/// All options of an exporter.
#[derive(Args, Debug)]
pub struct Options {
    /// YAML file with all options, instead of flags and environment variables; can configure several accounts
    #[arg(long = "config.file", env = "EDGEIMPULSE_CONFIG_FILE", value_name = "FILE")]
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

/// Implements `Default` with the defaults of the flags, so that each default is written once.
macro_rules! default_from_flags {
    ($($options:ty),*) => {$(
        impl Default for $options {
            fn default() -> Self {
                let command = Self::augment_args(clap::Command::new("")).mut_args(|argument| argument.env(None::<&str>));
                Self::from_arg_matches(&command.get_matches_from([""])).unwrap_or_else(|error| error.exit())
            }
        }
    )*};
}
default_from_flags!(ApiOptions, WebOptions, ScrapeOptions, CacheOptions, LogOptions, CollectorOptions);
