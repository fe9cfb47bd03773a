//! The demo's past, as OpenMetrics with timestamps.
//!
//! It is what the exporter says at each moment of the past, read from the demo's API whose clock is set to that
//! moment: names and labels cannot differ from the live ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::world::World;
use crate::clock::{Clock, Hand};
use crate::commands::Failure;
use crate::config::CommonOptions;
use crate::scrape::Selection;
use crate::snapshot::UnixTime;

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
) -> Result<String, Failure> {
    // The days of the past go by in no time: each moment is asked about anew.
    common.cache.ttl = Duration::ZERO;
    common.collectors.intervals.clear();
    let hand = Hand::default();
    let demo = super::start_in(world, Clock::Hand(hand.clone()));
    let exporter = demo.await.map_err(|error| Failure::Running(error.to_string()))?.exporter(common)?;

    let mut families = Families::default();
    let mut at = now - length.as_secs_f64();
    while at < now {
        hand.set(at);
        let (text, _) = exporter
            .collect(&exporter.accounts, &Selection::default(), true, BUDGET)
            .await
            .map_err(|error| Failure::Running(error.to_string()))?;
        families.add(&text, instance, at);
        at += step.as_secs_f64();
    }
    Ok(families.finish())
}

/// Samples by family, in the order in which families first came.
#[derive(Default)]
struct Families {
    order: Vec<String>,
    samples: BTreeMap<String, String>,
}

impl Families {
    /// Adds an exposition, as of `at`, with the labels that Prometheus would add to it.
    fn add(&mut self, text: &str, instance: &str, at: UnixTime) {
        let mut family = String::new();
        let mut is_new = false;
        for line in text.lines().filter(|line| *line != "# EOF") {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                rest.split(' ').next().unwrap_or_default().clone_into(&mut family);
                is_new = !self.samples.contains_key(&family);
                if is_new {
                    self.order.push(family.clone());
                }
            }
            let samples = self.samples.entry(family.clone()).or_default();
            if line.starts_with('#') {
                // Help and type stand once, before the first sample.
                if is_new {
                    let _ = writeln!(samples, "{line}");
                }
                continue;
            }
            let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap_or(line.len()));
            let (separator, rest) = match rest.strip_prefix('{') {
                Some(labels) => (",", labels.to_owned()),
                None => ("", format!("}}{rest}")),
            };
            // Writing to a `String` does not fail.
            let _ = writeln!(
                samples,
                "{name}{{job=\"edgeimpulse\",instance=\"{instance}\"{separator}{rest} {at:.3}"
            );
        }
    }

    fn finish(mut self) -> String {
        let mut text = String::new();
        for family in &self.order {
            text += &self.samples.remove(family).unwrap_or_default();
        }
        text + "# EOF\n"
    }
}
