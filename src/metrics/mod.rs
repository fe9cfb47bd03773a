//! From a snapshot to the text that Prometheus reads.
//!
//! The catalogue is a table with a row per metric. A scrape runs it over its snapshot and forgets both, so that a
//! vanished organization leaves nothing behind, and the order of the output is the order of the table and of the ids.

pub mod catalogue;
pub mod exposition;
mod format;
pub mod process;
mod samples;
pub mod telemetry;
pub mod timestamped;

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

pub use format::Format;
pub use samples::{Label, Samples};

use crate::metrics::process::Process;
use crate::metrics::telemetry::Telemetry;
use crate::model::{Facts, Snapshot};

/// The type of a metric, as `TYPE` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A value that only goes up.
    Counter,
    /// A distribution.
    Histogram,
}

impl Kind {
    /// Returns the word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// Whether a metric may change its name or meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    /// Only with a new major version.
    Stable,
    /// With any version that says so in its changelog.
    Experimental,
}

impl Stability {
    /// Returns the word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Experimental => "experimental",
        }
    }
}

/// What is known of a metric without a value of it.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its full name, with `_total` if it is a counter.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its `HELP`.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// The collectors that its values come from.
    pub collectors: &'static [&'static str],
    /// Whether it may change.
    pub stability: Stability,
    /// Whether the API keeps its past, in daily records.
    pub has_past: bool,
}

/// A row of the catalogue: a metric, and how its samples are taken from a `T`.
pub struct Metric<T: 'static> {
    /// What it is.
    pub description: Description,
    samples: fn(&T, &mut Samples<'_>),
}

/// What the exposition says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exposed {
    /// Series that stand before the exporter's own.
    series: u64,
    /// Series left out because an earlier row has the same labels.
    duplicate: u64,
    /// Series left out because there are more datasets than are to be shown.
    dataset_limit: u64,
}

impl Exposed {
    /// Counts what there is to be written of `facts`, so that there is room for it before it is.
    fn of(facts: &Facts) -> Self {
        let organizations = facts.organizations.values().map(|organization| &**organization);
        let datasets = organizations.clone().filter_map(|organization| organization.datasets.as_deref());
        let projects = organizations.clone().filter_map(|organization| organization.projects.as_deref());
        let whitelabels = facts.whitelabels_by_id();
        Self {
            series: count(catalogue::ORGANIZATION, &organizations)
                + count(catalogue::TRIAL, &facts.trials.values())
                + count(catalogue::DATASET, &datasets.clone().flat_map(|datasets| &datasets.rows))
                + count(catalogue::PROJECT, &projects.clone().flat_map(|projects| &projects.rows))
                + count(catalogue::USER, &facts.users.values())
                + count(catalogue::WHITELABEL, &whitelabels.rows.iter().copied()),
            duplicate: count(catalogue::DATASET, &datasets.clone().flat_map(|datasets| &datasets.repeated))
                + count(catalogue::PROJECT, &projects.flat_map(|projects| &projects.repeated))
                + count(catalogue::WHITELABEL, &whitelabels.repeated.iter().copied()),
            dataset_limit: count(catalogue::DATASET, &datasets.flat_map(|datasets| &datasets.beyond)),
        }
    }
}

/// A part of an exposition.
#[derive(Debug)]
enum Part {
    /// What the API said.
    Facts,
    /// How the scrape went, and the exporter's own metrics if they are given.
    Rest(Exposed, Option<Arc<Telemetry>>),
}

/// A snapshot, of which one part is to be written.
#[derive(Debug)]
struct Page {
    snapshot: Arc<Snapshot>,
    part: Part,
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        match &self.part {
            Part::Facts => encode_facts(&mut encoder, &self.snapshot.facts),
            Part::Rest(exposed, own) => encode_rest(&mut encoder, &self.snapshot, *exposed, own.as_deref()),
        }
    }
}

fn encode_facts(encoder: &mut DescriptorEncoder<'_>, facts: &Facts) -> fmt::Result {
    let organizations = facts.organizations.values().map(|organization| &**organization);
    let datasets = organizations.clone().filter_map(|organization| organization.datasets.as_deref());
    let projects = organizations.clone().filter_map(|organization| organization.projects.as_deref());
    let whitelabels = facts.whitelabels_by_id();
    encode_table(encoder, catalogue::ORGANIZATION, &organizations)?;
    encode_table(encoder, catalogue::TRIAL, &facts.trials.values())?;
    encode_table(encoder, catalogue::DATASET, &datasets.flat_map(|datasets| &datasets.rows))?;
    encode_table(encoder, catalogue::PROJECT, &projects.flat_map(|projects| &projects.rows))?;
    encode_table(encoder, catalogue::USER, &facts.users.values())?;
    encode_table(encoder, catalogue::WHITELABEL, &whitelabels.rows.iter().copied())?;
    Ok(())
}

fn encode_rest(
    encoder: &mut DescriptorEncoder<'_>,
    Snapshot { accounts, call_results, .. }: &Snapshot,
    mut exposed: Exposed,
    own: Option<&Telemetry>,
) -> fmt::Result {
    exposed.series += encode_table(encoder, catalogue::ACCOUNT, &accounts.iter())?
        + encode_table(encoder, catalogue::COLLECTION, &call_results.iter())?;
    let Some(own) = own else { return Ok(()) };
    encode_table(encoder, catalogue::OWN_ACCOUNT, &accounts.iter())?;
    encode_table(encoder, catalogue::OWN, &std::iter::once(own))?;
    encode_table(encoder, catalogue::EXPOSED, &std::iter::once(&exposed))?;
    encode_table(encoder, catalogue::PROCESS, &std::iter::once(&Process::read()))?;
    Ok(())
}

/// Writes the rows of a table for every entity; returns the number of samples. A metric without samples is left out.
fn encode_table<'a, T>(
    encoder: &mut DescriptorEncoder<'_>,
    table: &'static [Metric<T>],
    entities: &(impl Iterator<Item = &'a T> + Clone),
) -> Result<u64, fmt::Error> {
    let mut series = 0;
    for Metric { description, samples } in table {
        let mut probe = Samples::new(description, None);
        let has_samples = entities.clone().any(|entity| {
            samples(entity, &mut probe);
            probe.count > 0
        });
        if !has_samples {
            continue;
        }
        let Description { name, kind, help, .. } = description;
        let (name, kind) = match kind {
            Kind::Gauge => (*name, MetricType::Gauge),
            // The encoder adds the suffix.
            Kind::Counter => (name.trim_end_matches("_total"), MetricType::Counter),
            Kind::Histogram => (*name, MetricType::Histogram),
        };
        let mut sink = Samples::new(description, Some(encoder.encode_descriptor(name, help, None, kind)?));
        for entity in entities.clone() {
            samples(entity, &mut sink);
        }
        sink.result?;
        series += sink.count;
    }
    Ok(series)
}

/// Counts the samples that the rows of a table would have for these entities.
fn count<'a, T: 'a>(table: &'static [Metric<T>], entities: &(impl Iterator<Item = &'a T> + Clone)) -> u64 {
    let count = |Metric { description, samples }: &'static Metric<T>| {
        let mut probe = Samples::new(description, None);
        entities.clone().for_each(|entity| samples(entity, &mut probe));
        probe.count
    };
    table.iter().map(count).sum()
}

/// Writes a snapshot, and the exporter's own metrics if they are given, as OpenMetrics 1.0 text.
///
/// # Errors
/// None: writing to a `String` does not fail. The type is that of the encoder.
pub fn open_metrics(snapshot: Arc<Snapshot>, own: Option<Arc<Telemetry>>) -> Result<String, fmt::Error> {
    let (mut text, exposed) = facts(Arc::clone(&snapshot))?;
    text += &rest(snapshot, own, exposed)?;
    Ok(text)
}

/// Writes the part of [`open_metrics`] that says what the API said, and how much that is.
pub(crate) fn facts(snapshot: Arc<Snapshot>) -> Result<(String, Exposed), fmt::Error> {
    let exposed = Exposed::of(&snapshot.facts);
    let mut text = encode(Page { snapshot, part: Part::Facts }, exposed.series)?;
    text.truncate(text.len() - END.len());
    Ok((text, exposed))
}

/// Writes the part of [`open_metrics`] that comes after [`facts`].
pub(crate) fn rest(
    snapshot: Arc<Snapshot>,
    own: Option<Arc<Telemetry>>,
    exposed: Exposed,
) -> Result<String, fmt::Error> {
    /// Metrics that tell how a call went.
    const PER_COLLECTION: u64 = 5;
    let series = snapshot.call_results.len() as u64 * PER_COLLECTION;
    encode(Page { snapshot, part: Part::Rest(exposed, own) }, series)
}

/// What OpenMetrics text ends with.
const END: &str = "# EOF\n";

/// Writes a page that is expected to have that many series.
fn encode(page: Page, series: u64) -> Result<String, fmt::Error> {
    /// Most are shorter. Text that needs more room than is made for it is moved as it grows.
    const BYTES_PER_SERIES: usize = 144;
    /// For `HELP` and `TYPE` of all metrics, and what there is of the exporter's own.
    const MORE: usize = 32 * 1024;
    let mut registry = Registry::default();
    registry.register_collector(Box::new(page));
    let series = usize::try_from(series).unwrap_or_default();
    let mut text = String::with_capacity(series.saturating_mul(BYTES_PER_SERIES).saturating_add(MORE));
    text::encode(&mut text, &registry)?;
    Ok(text)
}

/// Rewrites OpenMetrics text, as [`open_metrics`] makes it, in the Prometheus text format 0.0.4.
///
/// There, `HELP` and `TYPE` name a counter as its samples do, and no end is marked.
#[must_use]
pub fn to_prometheus_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + open_metrics.len() / 64);
    let mut help = None;
    for line in open_metrics.split_terminator('\n') {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), words) => help = Some((name, words.unwrap_or_default())),
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let suffix = if kind == "counter" { "_total" } else { "" };
                if let Some((_, help)) = help.take().filter(|(of, _)| *of == name) {
                    text.extend(["# HELP ", name, suffix, " ", help, "\n"]);
                }
                text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
            }
            (Some("#"), Some("EOF" | "UNIT"), ..) => {}
            _ => text.extend([line, "\n"]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Facts, Organization};

    #[test]
    fn allocations_do_not_follow_the_number_of_series() {
        let allocations = |organizations: u64| {
            let of = |id| {
                let values =
                    Organization { storage_used: Some(1e12), created: Some(1e9), ..Organization::new(id) };
                (id, Arc::new(values))
            };
            let facts = Facts { organizations: (1..=organizations).map(of).collect(), ..Facts::default() };
            let snapshot = Arc::new(Snapshot { facts, ..Snapshot::default() });
            let counted = allocation_counter::measure(|| drop(open_metrics(snapshot, None).unwrap()));
            // Forgetting the organizations frees memory and takes none.
            counted.count_total
        };
        assert_eq!(allocations(2), allocations(5000));
    }
}
