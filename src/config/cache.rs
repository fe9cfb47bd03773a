//! For how long responses are used.

use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::Deserialize;

use super::values;

/// How long answers are used.
#[derive(Args, Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Cache")]
pub struct CacheOptions {
    /// Use an answer again while it is younger than this; 0s asks at every scrape
    #[arg(long = "cache.ttl", env = "EDGEIMPULSE_CACHE_TTL", value_name = "DURATION", default_value = "30s",
        value_parser = values::duration)]
    #[serde(deserialize_with = "values::from_text::duration")]
    #[schemars(with = "String")]
    pub ttl: Duration,
    /// Show the last good answer of a collector that failed until it is this old; 0s never
    #[arg(long = "cache.stale-for", env = "EDGEIMPULSE_CACHE_STALE_FOR", value_name = "DURATION",
        default_value = "0s", value_parser = values::duration)]
    #[serde(deserialize_with = "values::from_text::duration")]
    #[schemars(with = "String")]
    pub stale_for: Duration,
}
