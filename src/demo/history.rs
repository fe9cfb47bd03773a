//! The history of the demo, as OpenMetrics with timestamps.
//!
//! For each time, the clock of the simulated API is set and the exporter collects once, so that names and labels are those
//! of a real scrape.

use std::time::Duration;

use super::world::World;
use crate::collect::Selection;
use crate::config::CommonOptions;
use crate::metrics::Format;
use crate::metrics::timestamped::Timestamped;
use crate::model::{Clock, ManualClock, UnixTime};

/// Timeout of one scrape. No Prometheus waits for it, and a late response would give samples of an earlier time.
const TIMEOUT: Duration = Duration::from_mins(10);

/// Returns the metrics of `world` at every `step` of the `length` before `now`, with the label `instance`.
///
/// # Errors
/// If the simulated API cannot be started, or the options leave nothing to collect.
pub async fn write(
    mut common: CommonOptions,
    world: World,
    instance: &str,
    now: UnixTime,
    length: Duration,
    step: Duration,
) -> Result<String, String> {
    // Every scrape makes all calls, because the cache follows real time and not the clock of the demo.
    common.cache.ttl = Duration::ZERO;
    common.collectors.intervals.clear();
    let mut at = now - length.as_secs_f64();
    // Before the exporter loads its configuration, which is a date too.
    let clock = ManualClock::default();
    clock.set(at);
    let demo = super::start_in(world, Clock::Manual(clock.clone()));
    let exporter = demo.await.map_err(|error| error.to_string())?.exporter(common)?;

    let mut history = Timestamped::with_labels([("job", "edgeimpulse"), ("instance", instance)]);
    while at < now {
        clock.set(at);
        let (text, _) = exporter
            .collect(&exporter.accounts, &Selection::default(), true, TIMEOUT, Format::OpenMetrics)
            .await;
        // The memory is that of this command, which holds the whole history, and not of the exporter of the past.
        let is_memory = |name: &str| name == "process_heap_bytes" || name.ends_with("_memory_bytes");
        history.add(&text, at, |name| !is_memory(name));
        at += step.as_secs_f64();
    }
    Ok(history.finish())
}
