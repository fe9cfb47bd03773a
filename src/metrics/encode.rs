//! Encodes a snapshot and the telemetry in parts: the tables of the catalogue, each for all of its rows.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;

use super::process::Process;
use super::telemetry::Telemetry;
use super::{Format, Metric, Samples, catalogue};
use crate::model::{ApiKey, Bucket, Dataset, Organization, Pipeline, Project, Snapshot, Unique, Whitelabel};

/// Size of a part of the text, in bytes.
const PART_SIZE: usize = 64 * 1024;

/// Numbers of series in an exposition.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeriesCounts {
    /// Series written, without telemetry.
    pub(super) series: u64,
    /// Series left out because an earlier row has the same labels.
    pub(super) duplicate: u64,
    /// Series left out because of `--collector.organization.most-datasets`.
    pub(super) dataset_limit: u64,
    /// Series left out because an organization has more projects than are kept.
    pub(super) project_limit: u64,
    /// Series left out because an organization has more buckets than are kept.
    pub(super) bucket_limit: u64,
    /// Series left out because an organization has more pipelines than are kept.
    pub(super) pipeline_limit: u64,
    /// Series left out because an organization has more API keys that expire than are kept.
    pub(super) api_key_limit: u64,
}

/// The exposition of a snapshot in parts of 64 KiB. A metric is encoded when its text is asked for: the text of 10,000
/// organizations is 100 MB, and is never in memory as a whole.
pub struct Exposition {
    format: Format,
    input: Arc<Input>,
    metrics: Box<dyn Iterator<Item = (&'static str, Encode)> + Send>,
    /// The names of the metrics to encode; all if `None`.
    names: Option<BTreeSet<String>>,
    parts: Parts,
    is_over: bool,
}

impl Exposition {
    /// Returns the exposition of `snapshot`, followed by the telemetry if it is given.
    #[must_use]
    pub fn new(format: Format, snapshot: Arc<Snapshot>, telemetry: Option<Arc<Telemetry>>) -> Self {
        let input = Input { snapshot, telemetry, process: OnceLock::new(), series: AtomicU64::new(0) };
        let metrics: Box<dyn Iterator<Item = _> + Send> = match &input.telemetry {
            None => Box::new(metrics_of_the_snapshot()),
            Some(_) => Box::new(metrics_of_the_snapshot().chain(metrics_of_the_telemetry())),
        };
        let (input, names, parts) = (Arc::new(input), None, Parts::default());
        Self { format, input, metrics, names, parts, is_over: false }
    }

    /// Leaves out all metrics but those with these names, if they are given.
    #[must_use]
    pub fn only(self, names: Option<BTreeSet<String>>) -> Self {
        Self { names, ..self }
    }

    /// Encodes a metric; one without samples is left out.
    fn encode(&mut self, encode: Encode) -> fmt::Result {
        let (input, samples) = (Arc::clone(&self.input), Arc::new(AtomicU64::new(0)));
        let family = Family { encode, format: self.format, input, samples: Arc::clone(&samples) };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(family));
        let before = self.parts.position();
        text::encode_registry(&mut self.parts, &registry)?;
        if samples.load(Ordering::Relaxed) == 0 {
            self.parts.go_back(before);
        }
        Ok(())
    }

    /// Encodes the next metric, or the end.
    fn encode_next(&mut self) -> fmt::Result {
        let names = &self.names;
        let is_selected = |name: &str| names.as_ref().is_none_or(|names| names.contains(name));
        if let Some((_, metric)) = self.metrics.find(|(name, _)| is_selected(name)) {
            return self.encode(metric);
        }
        self.is_over = true;
        if self.format == Format::OpenMetrics { text::encode_eof(&mut self.parts) } else { Ok(()) }
    }
}

impl Iterator for Exposition {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        while self.parts.complete.is_empty() && !self.is_over {
            // Writing to memory does not fail.
            self.encode_next().ok()?;
        }
        let last = || Some(std::mem::take(&mut self.parts.last)).filter(|part| !part.is_empty());
        self.parts.complete.pop_front().or_else(last)
    }
}

/// Returns the exposition of a snapshot as one text, followed by the telemetry if it is given.
#[must_use]
pub fn write(format: Format, snapshot: Arc<Snapshot>, telemetry: Option<Arc<Telemetry>>) -> String {
    Exposition::new(format, snapshot, telemetry).collect()
}

/// Text in parts.
#[derive(Debug, Default)]
struct Parts {
    complete: VecDeque<String>,
    last: String,
}

impl fmt::Write for Parts {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.last.len() + text.len() > PART_SIZE && !self.last.is_empty() {
            let next = String::with_capacity(PART_SIZE);
            self.complete.push_back(std::mem::replace(&mut self.last, next));
        }
        self.last.push_str(text);
        Ok(())
    }
}

impl Parts {
    /// Returns where the text ends: in which part, and where in it.
    fn position(&self) -> (usize, usize) {
        (self.complete.len(), self.last.len())
    }

    /// Removes what was written after a position.
    fn go_back(&mut self, (part, length): (usize, usize)) {
        if let Some(last) = self.complete.drain(part..).next() {
            self.last = last;
        }
        self.last.truncate(length);
    }
}

/// What is encoded.
#[derive(Debug)]
struct Input {
    snapshot: Arc<Snapshot>,
    telemetry: Option<Arc<Telemetry>>,
    /// Read when its first metric is encoded.
    process: OnceLock<Process>,
    /// Number of series so far, without telemetry.
    series: AtomicU64,
}

impl Input {
    fn organizations(&self) -> impl Iterator<Item = &Organization> {
        self.snapshot.facts.organizations.values().map(|organization| &**organization)
    }

    fn datasets(&self) -> impl Iterator<Item = &Unique<Dataset>> {
        self.organizations().filter_map(|organization| organization.datasets.as_deref())
    }

    fn projects(&self) -> impl Iterator<Item = &Unique<Project>> {
        self.organizations().filter_map(|organization| organization.projects.as_deref())
    }

    fn buckets(&self) -> impl Iterator<Item = &Unique<Bucket>> {
        self.organizations().filter_map(|organization| organization.buckets.as_deref())
    }

    fn pipelines(&self) -> impl Iterator<Item = &Unique<Pipeline>> {
        self.organizations().filter_map(|organization| organization.pipelines.as_deref())
    }

    fn api_keys(&self) -> impl Iterator<Item = &Unique<ApiKey>> {
        self.organizations().filter_map(|organization| organization.expiring_api_keys.as_deref())
    }

    fn whitelabels(&self) -> Unique<&Whitelabel> {
        self.snapshot.facts.whitelabels_by_id(|whitelabel| series(catalogue::WHITELABEL, whitelabel))
    }

    fn counts(&self) -> SeriesCounts {
        SeriesCounts {
            series: self.series.load(Ordering::Relaxed),
            duplicate: self.datasets().map(|datasets| datasets.repeated).sum::<u64>()
                + self.projects().map(|projects| projects.repeated).sum::<u64>()
                + self.buckets().map(|buckets| buckets.repeated).sum::<u64>()
                + self.pipelines().map(|pipelines| pipelines.repeated).sum::<u64>()
                + self.api_keys().map(|keys| keys.repeated).sum::<u64>()
                + self.whitelabels().repeated,
            dataset_limit: self.datasets().map(|datasets| datasets.beyond).sum(),
            project_limit: self.projects().map(|projects| projects.beyond).sum(),
            bucket_limit: self.buckets().map(|buckets| buckets.beyond).sum(),
            pipeline_limit: self.pipelines().map(|pipelines| pipelines.beyond).sum(),
            api_key_limit: self.api_keys().map(|keys| keys.beyond).sum(),
        }
    }
}

/// A function that calls another one for each row.
type EachRow<T> = fn(&Input, &mut dyn FnMut(&T));

/// Encodes a metric for all of its rows, and returns the number of samples.
type Encode = Box<dyn Fn(&Input, Format, DescriptorEncoder<'_>) -> Result<u64, fmt::Error> + Send + Sync>;

/// Returns the metrics of a table, with their names.
fn of<T: 'static>(
    table: &'static [Metric<T>],
    each_row: EachRow<T>,
) -> impl Iterator<Item = (&'static str, Encode)> {
    table.iter().map(move |Metric { description, samples }| {
        let encode: Encode = Box::new(move |input, format, mut encoder| {
            let mut writing = Samples::writing(description, format, &mut encoder)?;
            each_row(input, &mut |row| samples(row, &mut writing));
            writing.finish()
        });
        (description.name, encode)
    })
}

/// Returns the metrics without telemetry, in the order of the exposition. Their series are counted.
fn metrics_of_the_snapshot() -> impl Iterator<Item = (&'static str, Encode)> {
    let metrics = of(catalogue::ORGANIZATION, |input, each| input.organizations().for_each(each))
        .chain(of(catalogue::TRIAL, |input, each| input.snapshot.facts.trials.values().for_each(each)))
        .chain(of(catalogue::DATASET, |input, each| {
            input.datasets().flat_map(|found| &found.rows).for_each(each);
        }))
        .chain(of(catalogue::BUCKET, |input, each| {
            input.buckets().flat_map(|found| &found.rows).for_each(each);
        }))
        .chain(of(catalogue::PIPELINE, |input, each| {
            input.pipelines().flat_map(|found| &found.rows).for_each(each);
        }))
        .chain(of(catalogue::PROJECT, |input, each| {
            input.projects().flat_map(|found| &found.rows).for_each(each);
        }))
        .chain(of(catalogue::API_KEY, |input, each| {
            input.api_keys().flat_map(|found| &found.rows).for_each(each);
        }))
        .chain(of(catalogue::USER, |input, each| input.snapshot.facts.users.values().for_each(each)))
        .chain(of(catalogue::WHITELABEL, |input, each| {
            input.whitelabels().rows.into_iter().for_each(each);
        }))
        .chain(of(catalogue::ACCOUNT, |input, each| input.snapshot.accounts.iter().for_each(each)))
        .chain(of(catalogue::CALL_RESULT, |input, each| input.snapshot.call_results.iter().for_each(each)));
    metrics.map(|(name, encode)| {
        let counting: Encode = Box::new(move |input, format, encoder| {
            let samples = encode(input, format, encoder)?;
            input.series.fetch_add(samples, Ordering::Relaxed);
            Ok(samples)
        });
        (name, counting)
    })
}

/// Returns the metrics of the telemetry, in the order of the exposition.
fn metrics_of_the_telemetry() -> impl Iterator<Item = (&'static str, Encode)> {
    of(catalogue::ACCOUNT_TELEMETRY, |input, each| input.snapshot.accounts.iter().for_each(each))
        .chain(of(catalogue::TELEMETRY, |input, each| input.telemetry.iter().for_each(|found| each(found))))
        .chain(of(catalogue::SERIES, |input, each| each(&input.counts())))
        .chain(of(catalogue::PROCESS, |input, each| each(input.process.get_or_init(Process::read))))
}

/// One metric.
struct Family {
    encode: Encode,
    format: Format,
    input: Arc<Input>,
    /// Set to the number of samples.
    samples: Arc<AtomicU64>,
}

impl fmt::Debug for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Family")
    }
}

impl Collector for Family {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let samples = (self.encode)(&self.input, self.format, encoder)?;
        self.samples.store(samples, Ordering::Relaxed);
        Ok(())
    }
}

/// Returns the number of series that a table has for a row.
pub fn series<T>(table: &'static [Metric<T>], row: &T) -> u64 {
    let series = table.iter().map(|Metric { description, samples }| {
        let mut counting = Samples::counting(description);
        samples(row, &mut counting);
        counting.len()
    });
    series.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Facts, FinishedJobs, OrganizationInfo, Trial};

    #[test]
    fn memory_follows_the_largest_metric_and_allocations_the_number_of_parts() {
        let of = |id| {
            let values = Organization {
                storage_used: Some(1e12),
                created: Some(1e9),
                projects_used: Some(1.0),
                users_used: Some(1.0),
                ..Organization::new(id)
            };
            (id, Arc::new(values))
        };
        let facts = Facts { organizations: (1..=20_000).map(of).collect(), ..Facts::default() };
        let snapshot = Arc::new(Snapshot { facts, ..Snapshot::default() });
        let mut sizes = Vec::with_capacity(1000);
        let counted = allocation_counter::measure(|| {
            let parts = Exposition::new(Format::OpenMetrics, Arc::clone(&snapshot), None);
            sizes.extend(parts.map(|part| part.len()));
        });
        let size: usize = sizes.iter().sum();
        assert!(sizes.len() > 50 && sizes.iter().all(|size| *size <= PART_SIZE), "{sizes:?}");
        assert!(counted.count_total < 3000, "{counted:?}");
        assert!(counted.bytes_max < size as u64 / 2, "{counted:?} of {size} bytes");
    }

    #[test]
    fn the_size_of_a_snapshot_is_at_least_that_of_the_text_of_any_metric() {
        fn fifty<T>(row: impl Fn(u64) -> T) -> Arc<Unique<T>> {
            Arc::new(Unique { rows: (0..50).map(row).collect(), ..Unique::default() })
        }
        let long = || "\"".repeat(1024);
        let of = |organization: Organization| Facts {
            organizations: (1..=100)
                .map(|id| (id, Arc::new(Organization { id, ..organization.clone() })))
                .collect(),
            ..Facts::default()
        };
        let empty = Organization::default;
        let dataset = |n: u64| Dataset {
            name: n.to_string().into(),
            dataset_type: Some(long().into()),
            category: Some(long().into()),
            bucket: Some(long().into()),
            ..Dataset::default()
        };
        let clinical = |n: u64| Dataset {
            name: format!("{n}{}", &long()[..1000]).into(),
            items: Some(9.0),
            checklist_ok: Some(2.0),
            checklist_failed: Some(3.0),
            ..Dataset::default()
        };
        let jobs = FinishedJobs { by_result: Some([1, 1]), compute_time: Some(1.5) };
        let info = OrganizationInfo { name: Some(long()), ..OrganizationInfo::default() };
        let experiments = Some(Arc::new((0..200).map(|n| (format!("{n}{}", &long()[..60]), true)).collect()));
        let categories = Some(Arc::new((0..100).map(|n| (format!("{n}{}", &long()[..60]), jobs)).collect()));
        let project = |id| Project { id, name: Some(long()), ..Project::default() };
        let pipeline = |id| Pipeline { id, name: Some(long().into()), ..Pipeline::default() };
        let bucket = |id| Bucket { id, name: Some(long().into()), connected: Some(true), organization_id: id };
        let trial = |id| ((id, id), Trial { id, organization_id: id, created: Some(1e9), ..Trial::default() });
        for (name, facts) in [
            ("names", of(Organization { info, ..empty() })),
            ("datasets", of(Organization { datasets: Some(fifty(dataset)), ..empty() })),
            ("checklists", of(Organization { datasets: Some(fifty(clinical)), ..empty() })),
            ("projects", of(Organization { projects: Some(fifty(project)), ..empty() })),
            ("pipelines", of(Organization { pipelines: Some(fifty(pipeline)), ..empty() })),
            ("buckets", of(Organization { buckets: Some(fifty(bucket)), ..empty() })),
            ("experiments", of(Organization { experiments, ..empty() })),
            ("categories", of(Organization { finished_jobs: categories, ..empty() })),
            ("trials", Facts { trials: (0..20_000).map(trial).collect(), ..Facts::default() }),
        ] {
            let snapshot = Arc::new(Snapshot { facts, ..Snapshot::default() });
            let text = Exposition::new(Format::PrometheusText, Arc::clone(&snapshot), None);
            let counted = allocation_counter::measure(|| text.for_each(drop));
            // Parts are not quite full.
            let size = snapshot.size() as u64 * 11 / 10 + (1 << 18);
            assert!(counted.bytes_max < size, "{name}: {} of {size} bytes", counted.bytes_max);
        }
    }
}
