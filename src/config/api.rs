//! How the API is asked.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::values;

/// Where the API is unless `--api.url` says otherwise.
pub const STUDIO_URL: &str = "https://studio.edgeimpulse.com/v1";

/// How the API is asked.
#[derive(Args, Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "API")]
pub struct ApiOptions {
    /// Base URL of the API
    #[arg(long = "api.url", env = "EDGEIMPULSE_API_URL", value_name = "URL", default_value = STUDIO_URL,
        value_parser = values::base_url)]
    #[serde(deserialize_with = "values::from_text::base_url")]
    #[schemars(with = "String")]
    pub url: Url,
    /// Longest time of one call, up to the last byte of its answer
    #[arg(long = "api.timeout", env = "EDGEIMPULSE_API_TIMEOUT", value_name = "DURATION", default_value = "30s",
        value_parser = values::positive_duration)]
    #[serde(deserialize_with = "values::from_text::positive_duration")]
    #[schemars(with = "String")]
    pub timeout: Duration,
    /// Most calls at one time, shared out among the accounts [default: 8, or one per account if these are more]
    #[arg(long = "api.concurrency", env = "EDGEIMPULSE_API_CONCURRENCY", value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    #[serde(deserialize_with = "values::between::some_concurrency")]
    #[schemars(range(min = 1, max = 1000))]
    pub concurrency: Option<u16>,
    /// Most calls in any minute of collectors that have an interval, shared out among the accounts
    #[arg(long = "api.calls-per-minute", env = "EDGEIMPULSE_API_CALLS_PER_MINUTE", value_name = "N",
        default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(deserialize_with = "values::between::calls_per_minute")]
    #[schemars(range(min = 1))]
    pub calls_per_minute: u32,
    /// Longest answer that is read, after decompression
    #[arg(long = "api.max-response-size", env = "EDGEIMPULSE_API_MAX_RESPONSE_SIZE", value_name = "SIZE",
        default_value = "256MiB", value_parser = values::size)]
    #[serde(deserialize_with = "values::from_text::size")]
    #[schemars(with = "String")]
    pub max_response_size: u64,
    /// Certificates of authorities to trust beside the system's, in PEM; read again with the configuration
    #[arg(long = "api.ca-file", env = "EDGEIMPULSE_API_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Proxy for all calls; without it HTTPS_PROXY, HTTP_PROXY and NO_PROXY say
    #[arg(long = "api.proxy-url", env = "EDGEIMPULSE_API_PROXY_URL", value_name = "URL",
        value_parser = values::proxy_url)]
    #[serde(deserialize_with = "values::from_text::some_proxy_url")]
    #[schemars(with = "Option<String>")]
    pub proxy_url: Option<Url>,
    /// Name that the API's certificate is for, where it is not the host of --api.url
    #[arg(long = "api.tls-server-name", env = "EDGEIMPULSE_API_TLS_SERVER_NAME", value_name = "NAME",
        value_parser = values::server_name)]
    #[serde(deserialize_with = "values::from_text::some_server_name")]
    pub tls_server_name: Option<String>,
    /// Unit of the compute times in usage answers, which the API does not state
    #[arg(
        long = "api.compute-time-unit",
        env = "EDGEIMPULSE_API_COMPUTE_TIME_UNIT",
        value_name = "UNIT",
        value_enum,
        default_value_t
    )]
    pub compute_time_unit: ComputeTimeUnit,
    /// Unit of the memory in default compute limits, which the API does not state
    #[arg(
        long = "api.memory-unit",
        env = "EDGEIMPULSE_API_MEMORY_UNIT",
        value_name = "UNIT",
        value_enum,
        default_value_t
    )]
    pub memory_unit: MemoryUnit,
}

/// Unit of compute times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ComputeTimeUnit {
    /// As the same fields elsewhere in the API
    #[default]
    Seconds,
    /// As a description in the API's document has it
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
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
