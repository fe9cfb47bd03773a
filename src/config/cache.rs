//! Options of the cache.

use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values;

/// How long responses are reused.
#[derive(Args, Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Cache")]
pub struct CacheOptions {
    /// Reuse responses younger than this; 0s: call the API at every scrape
    #[arg(long = "cache.ttl", env = "EDGEIMPULSE_CACHE_TTL", value_name = "DURATION", default_value = "30s",
        value_parser = values::duration)]
    #[serde(with = "values::duration")]
    #[schemars(with = "String")]
    pub ttl: Duration,
    /// Serve the last good response of a failing collector up to this age; 0s: never
    #[arg(long = "cache.stale-for", env = "EDGEIMPULSE_CACHE_STALE_FOR", value_name = "DURATION",
        default_value = "0s", value_parser = values::duration)]
    #[serde(with = "values::duration")]
    #[schemars(with = "String")]
    pub stale_for: Duration,
}
