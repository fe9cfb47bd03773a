//! The demo's past, as OpenMetrics with timestamps.
//!
//! It is what the exporter says at each moment of the past, read from the demo's API whose clock is set to that
//! moment: names and labels cannot differ from the live ones.

use std::time::Duration;

use super::world::World;
use crate::collect::scrape::Selection;
use crate::config::CommonOptions;
use crate::metrics::Format;
use crate::metrics::timestamped::Timestamped;
use crate::model::UnixTime;
use crate::model::{Clock, Hand};

/// Longest time for the scrape of one moment, from an API on this machine.
const BUDGET: Duration = Duration::from_secs(30);

/// Writes what was in `world`, every `step` of the `length` before `now`; `instance` is what the live exporter is
/// scraped as.
///
/// # Errors
/// If the demo cannot be started.
pub async fn write(
    mut common: CommonOptions,
    world: World,
    instance: &str,
    now: UnixTime,
    length: Duration,
    step: Duration,
) -> Result<String, String> {
    // The days of the past go by in no time: each moment is asked about anew.
    common.cache.ttl = Duration::ZERO;
    common.collectors.intervals.clear();
    let hand = Hand::default();
    let demo = super::start_in(world, Clock::Hand(hand.clone()));
    let exporter = demo.await.map_err(|error| error.to_string())?.exporter(common)?;

    let mut past = Timestamped::with_labels([("job", "edgeimpulse"), ("instance", instance)]);
    let mut at = now - length.as_secs_f64();
    while at < now {
        hand.set(at);
        let (text, _) = exporter
            .collect(&exporter.accounts, &Selection::default(), true, BUDGET, Format::OpenMetrics)
            .await
            .map_err(|error| error.to_string())?;
        past.add(&text, at, |_| true);
        at += step.as_secs_f64();
    }
    Ok(past.finish())
}
