//! Encodes a snapshot and the telemetry: the tables of the catalogue, each for all of its rows.
//!
//! The text has two parts. The facts change only with the responses of the API. The rest (call results, telemetry,
//! process) changes with every scrape.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;

use super::process::Process;
use super::telemetry::Telemetry;
use super::{Format, Metric, Samples, catalogue};
use crate::model::{Facts, Snapshot};

/// Bytes reserved per sample; most samples are shorter.
const BYTES_PER_SAMPLE: usize = 144;

/// Bytes reserved for the `HELP` and `TYPE` lines of all metrics.
const BYTES_OF_DESCRIPTIONS: usize = 32 * 1024;

/// The names of the metrics to write; all if `None`.
type Names = Option<Arc<BTreeSet<String>>>;

/// Numbers of series in an exposition.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeriesCounts {
    /// Series written, without telemetry.
    pub(super) series: u64,
    /// Series left out because an earlier row has the same labels.
    pub(super) duplicate: u64,
    /// Series left out because of `--collector.organization.most-datasets`.
    pub(super) dataset_limit: u64,
}

/// Returns the exposition of a snapshot, followed by the telemetry if it is given.
///
/// # Errors
/// None: writing to a `String` does not fail. The type is the one of the encoder.
pub fn write(
    format: Format,
    snapshot: Arc<Snapshot>,
    telemetry: Option<Arc<Telemetry>>,
) -> Result<String, fmt::Error> {
    let (mut text, counts) = write_facts(format, None, Arc::clone(&snapshot))?;
    text += &write_rest(format, None, snapshot, telemetry, counts)?;
    Ok(text)
}

/// Returns the text of the facts and the number of its series.
pub(super) fn write_facts(
    format: Format,
    names: Names,
    snapshot: Arc<Snapshot>,
) -> Result<(String, SeriesCounts), fmt::Error> {
    let samples = most_samples(&snapshot.facts);
    let counts = Arc::new(OnceLock::new());
    let text = encode(FactsCollector { format, names, snapshot, counts: Arc::clone(&counts) }, samples)?;
    Ok((text, counts.get().copied().unwrap_or_default()))
}

/// Returns the text that follows the facts, to the end of the exposition.
pub(super) fn write_rest(
    format: Format,
    names: Names,
    snapshot: Arc<Snapshot>,
    telemetry: Option<Arc<Telemetry>>,
    counts: SeriesCounts,
) -> Result<String, fmt::Error> {
    let samples = snapshot.call_results.len() * catalogue::CALL_RESULT.len();
    let mut text = encode(RestCollector { format, names, snapshot, telemetry, counts }, samples)?;
    if format == Format::OpenMetrics {
        text::encode_eof(&mut text)?;
    }
    Ok(text)
}

/// Encodes a collector into a string with space for that many samples.
fn encode(collector: impl Collector, samples: usize) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(collector));
    let capacity = samples.saturating_mul(BYTES_PER_SAMPLE).saturating_add(BYTES_OF_DESCRIPTIONS);
    let mut text = String::with_capacity(capacity);
    text::encode_registry(&mut text, &registry)?;
    Ok(text)
}

/// Estimates the number of samples of the facts, as one sample per metric of each row. Metrics with several samples
/// per row are fewer than metrics that most rows lack.
fn most_samples(facts: &Facts) -> usize {
    let organizations = facts.organizations.values();
    let datasets = organizations.clone().filter_map(|organization| organization.datasets.as_deref());
    let projects = organizations.filter_map(|organization| organization.projects.as_deref());
    facts.organizations.len() * catalogue::ORGANIZATION.len()
        + facts.trials.len() * catalogue::TRIAL.len()
        + datasets.map(|datasets| datasets.rows.len()).sum::<usize>() * catalogue::DATASET.len()
        + projects.map(|projects| projects.rows.len()).sum::<usize>() * catalogue::PROJECT.len()
        + facts.users.len() * catalogue::USER.len()
        + facts.whitelabels.len() * catalogue::WHITELABEL.len()
}

#[derive(Debug)]
struct FactsCollector {
    format: Format,
    names: Names,
    snapshot: Arc<Snapshot>,
    /// Set by `encode`, which cannot return it.
    counts: Arc<OnceLock<SeriesCounts>>,
}

impl Collector for FactsCollector {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut tables = Tables { format: self.format, names: self.names.clone(), encoder };
        let facts = &self.snapshot.facts;
        let organizations = facts.organizations.values().map(|organization| &**organization);
        let datasets = organizations.clone().filter_map(|organization| organization.datasets.as_deref());
        let projects = organizations.clone().filter_map(|organization| organization.projects.as_deref());
        let whitelabels = facts.whitelabels_by_id();
        let series = tables.write(catalogue::ORGANIZATION, &organizations)?
            + tables.write(catalogue::TRIAL, &facts.trials.values())?
            + tables.write(catalogue::DATASET, &datasets.clone().flat_map(|datasets| &datasets.rows))?
            + tables.write(catalogue::PROJECT, &projects.clone().flat_map(|projects| &projects.rows))?
            + tables.write(catalogue::USER, &facts.users.values())?
            + tables.write(catalogue::WHITELABEL, &whitelabels.rows.iter().copied())?;
        let duplicate = count(catalogue::DATASET, datasets.clone().flat_map(|datasets| &datasets.repeated))
            + count(catalogue::PROJECT, projects.flat_map(|projects| &projects.repeated))
            + count(catalogue::WHITELABEL, whitelabels.repeated.iter().copied());
        let dataset_limit = count(catalogue::DATASET, datasets.flat_map(|datasets| &datasets.beyond));
        // A registry encodes a collector once.
        let _ = self.counts.set(SeriesCounts { series, duplicate, dataset_limit });
        Ok(())
    }
}

#[derive(Debug)]
struct RestCollector {
    format: Format,
    names: Names,
    snapshot: Arc<Snapshot>,
    telemetry: Option<Arc<Telemetry>>,
    counts: SeriesCounts,
}

impl Collector for RestCollector {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut tables = Tables { format: self.format, names: self.names.clone(), encoder };
        let Snapshot { accounts, call_results, .. } = &*self.snapshot;
        let mut counts = self.counts;
        counts.series += tables.write(catalogue::ACCOUNT, &accounts.iter())?
            + tables.write(catalogue::CALL_RESULT, &call_results.iter())?;
        let Some(telemetry) = self.telemetry.as_deref() else { return Ok(()) };
        tables.write(catalogue::ACCOUNT_TELEMETRY, &accounts.iter())?;
        tables.write(catalogue::TELEMETRY, &std::iter::once(telemetry))?;
        tables.write(catalogue::SERIES, &std::iter::once(&counts))?;
        tables.write(catalogue::PROCESS, &std::iter::once(&Process::read()))?;
        Ok(())
    }
}

struct Tables<'a> {
    format: Format,
    names: Names,
    encoder: DescriptorEncoder<'a>,
}

impl Tables<'_> {
    /// Writes a table for all of `rows`; returns the number of samples. A metric without samples is left out.
    fn write<'a, T>(
        &mut self,
        table: &'static [Metric<T>],
        rows: &(impl Iterator<Item = &'a T> + Clone),
    ) -> Result<u64, fmt::Error> {
        let mut series = 0;
        for Metric { description, samples } in table {
            if self.names.as_ref().is_some_and(|names| !names.contains(description.name)) {
                continue;
            }
            let mut counting = Samples::counting(description);
            let has_samples = rows.clone().any(|row| {
                samples(row, &mut counting);
                counting.len() > 0
            });
            if !has_samples {
                continue;
            }
            let mut writing = Samples::writing(description, self.format, &mut self.encoder)?;
            rows.clone().for_each(|row| samples(row, &mut writing));
            series += writing.finish()?;
        }
        Ok(series)
    }
}

/// Returns the number of samples that a table has for `rows`.
fn count<'a, T: 'a>(table: &'static [Metric<T>], rows: impl Iterator<Item = &'a T>) -> u64 {
    rows.flat_map(|row| table.iter().map(move |metric| (row, metric)))
        .map(|(row, Metric { description, samples })| {
            let mut counting = Samples::counting(description);
            samples(row, &mut counting);
            counting.len()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Organization;

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
            let counted =
                allocation_counter::measure(|| drop(write(Format::OpenMetrics, snapshot, None).unwrap()));
            // Forgetting the organizations frees memory and takes none.
            counted.count_total
        };
        assert_eq!(allocations(2), allocations(5000));
    }
}
