//! Time limits of scrapes.

use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::Deserialize;

use super::values;

/// How long a scrape may take.
#[derive(Args, Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Scrape")]
pub struct ScrapeOptions {
    /// Time for a scrape that does not say its own; Prometheus always does
    #[arg(long = "scrape.timeout-default", env = "EDGEIMPULSE_SCRAPE_TIMEOUT_DEFAULT", value_name = "DURATION",
        default_value = "10s", value_parser = values::positive_duration)]
    #[serde(deserialize_with = "values::from_text::positive_duration")]
    #[schemars(with = "String")]
    pub timeout_default: Duration,
    /// Most time for a scrape, whatever it says
    #[arg(long = "scrape.timeout-max", env = "EDGEIMPULSE_SCRAPE_TIMEOUT_MAX", value_name = "DURATION",
        value_parser = values::positive_duration)]
    #[serde(deserialize_with = "values::from_text::some_positive_duration")]
    #[schemars(with = "Option<String>")]
    pub timeout_max: Option<Duration>,
    /// How much earlier than the scrape's timeout to answer
    #[arg(long = "scrape.timeout-offset", env = "EDGEIMPULSE_SCRAPE_TIMEOUT_OFFSET", value_name = "DURATION",
        default_value = "500ms", value_parser = values::duration)]
    #[serde(deserialize_with = "values::from_text::duration")]
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
