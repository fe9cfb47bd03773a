//! Options of the log.

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Logging.
#[derive(Args, Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Log")]
pub struct LogOptions {
    /// Minimum log level
    #[arg(
        long = "log.level",
        env = "EDGEIMPULSE_LOG_LEVEL",
        value_name = "LEVEL",
        value_enum,
        default_value_t
    )]
    pub level: LogLevel,
    /// Log format
    #[arg(
        long = "log.format",
        env = "EDGEIMPULSE_LOG_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
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
