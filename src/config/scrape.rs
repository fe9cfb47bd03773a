//! Time limits of scrapes.

use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values;

/// Time limits of scrapes.
#[derive(Args, Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Scrape")]
pub struct ScrapeOptions {
    /// Time limit of scrapes without an X-Prometheus-Scrape-Timeout-Seconds header, which Prometheus always sends
    #[arg(long = "scrape.timeout-default", env = "EDGEIMPULSE_SCRAPE_TIMEOUT_DEFAULT", value_name = "DURATION",
        default_value = "10s", value_parser = values::positive_duration)]
    #[serde(with = "values::positive_duration")]
    #[schemars(with = "String")]
    pub timeout_default: Duration,
    /// Maximum time limit of a scrape, whatever its header says
    #[arg(long = "scrape.timeout-max", env = "EDGEIMPULSE_SCRAPE_TIMEOUT_MAX", value_name = "DURATION",
        value_parser = values::positive_duration)]
    #[serde(with = "values::positive_duration")]
    #[schemars(with = "Option<String>")]
    pub timeout_max: Option<Duration>,
    /// Time subtracted from the timeout of a scrape, so that the response arrives in time
    #[arg(long = "scrape.timeout-offset", env = "EDGEIMPULSE_SCRAPE_TIMEOUT_OFFSET", value_name = "DURATION",
        default_value = "500ms", value_parser = values::duration)]
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
