//! Flags and environment variables of an exporter.

use std::path::PathBuf;

use clap::{Args, FromArgMatches};

use super::{
    ApiOptions, CacheOptions, CollectorOptions, CredentialOptions, LogOptions, ScopeOptions, ScrapeOptions,
    WebOptions,
};

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
