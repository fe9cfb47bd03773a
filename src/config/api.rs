//! Options of the connection to the API.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::values::{self, STUDIO_URL};

/// Connection to the API.
#[derive(Args, Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "API")]
pub struct ApiOptions {
    /// Base URL of the API
    #[arg(long = "api.url", value_name = "URL", default_value = STUDIO_URL,
        value_parser = values::UrlParser(values::base_url))]
    #[serde(with = "values::base_url")]
    #[schemars(with = "String")]
    pub url: Url,
    /// Timeout of a call, including the response body
    #[arg(long = "api.timeout", value_name = "DURATION", default_value = "30s",
        value_parser = values::positive_duration)]
    #[serde(with = "values::positive_duration")]
    #[schemars(with = "String")]
    pub timeout: Duration,
    /// Maximum concurrent calls, shared among the accounts [default: 8, or the number of accounts if greater]
    #[arg(long = "api.concurrency", value_name = "N", value_parser = values::concurrency)]
    #[serde(with = "values::concurrency")]
    #[schemars(with = "Option<u16>", range(min = 1, max = values::MAX_CONCURRENCY))]
    pub concurrency: Option<u16>,
    /// Maximum calls per minute of collectors that have an interval, shared among the accounts
    #[arg(long = "api.calls-per-minute", value_name = "N",
        default_value_t = 600, value_parser = values::calls_per_minute)]
    #[serde(with = "values::calls_per_minute")]
    #[schemars(with = "u32", range(min = 1))]
    pub calls_per_minute: u32,
    /// Maximum response size, after decompression
    #[arg(long = "api.max-response-size", value_name = "SIZE",
        default_value = "64MiB", value_parser = values::size)]
    #[serde(with = "values::size")]
    #[schemars(with = "String")]
    pub max_response_size: u64,
    /// File with PEM certificates of additional trusted authorities; read again when the configuration is reloaded
    #[arg(long = "api.ca-file", value_name = "FILE")]
    #[serde(serialize_with = "values::path_as_text")]
    pub ca_file: Option<PathBuf>,
    /// HTTP proxy for all calls; default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY
    #[arg(long = "api.proxy-url", value_name = "URL", value_parser = values::UrlParser(values::proxy_url))]
    #[serde(with = "values::proxy_url")]
    #[schemars(with = "Option<String>")]
    pub proxy_url: Option<Url>,
    /// Host name in the API's certificate, if it differs from the host of --api.url
    #[arg(long = "api.tls-server-name", value_name = "NAME", value_parser = values::server_name)]
    #[serde(with = "values::server_name")]
    #[schemars(with = "Option<String>")]
    pub tls_server_name: Option<String>,
    /// Unit of the compute times in usage responses, which the API does not document
    #[arg(long = "api.compute-time-unit", value_name = "UNIT", value_enum, default_value_t)]
    pub compute_time_unit: ComputeTimeUnit,
    /// Unit of the total compute times in usage responses, if it differs from --api.compute-time-unit
    #[arg(long = "api.compute-time-total-unit", value_name = "UNIT", value_enum)]
    pub compute_time_total_unit: Option<ComputeTimeUnit>,
    /// Unit of the memory in default compute limits, which the API does not document
    #[arg(long = "api.memory-unit", value_name = "UNIT", value_enum, default_value_t)]
    pub memory_unit: MemoryUnit,
}

/// Unit of compute times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ComputeTimeUnit {
    /// As in the other responses of the API
    #[default]
    Seconds,
    /// As a description in the API's specification says
    Minutes,
}

impl ComputeTimeUnit {
    /// Returns the unit in seconds.
    #[must_use]
    pub const fn seconds(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
        }
    }
}

/// Unit of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MemoryUnit {
    /// Bytes
    #[default]
    Bytes,
    /// 1,048,576 bytes
    Mebibytes,
}

impl MemoryUnit {
    /// Returns the unit in bytes.
    #[must_use]
    pub const fn bytes(self) -> f64 {
        match self {
            Self::Bytes => 1.0,
            Self::Mebibytes => 1_048_576.0,
        }
    }
}
