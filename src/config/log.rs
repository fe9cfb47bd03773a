//! Options of the log.

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Deserialize;

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
