//! Options of the collectors.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::model::Collector;

/// Projects that the usage call counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProjectVisibility {
    /// Private projects, which the entitlement limits
    #[default]
    Private,
    /// Public projects
    Public,
    /// All projects
    Any,
}

/// Enabled collectors and their options. Serialized, it has the fields of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectorOptions {
    /// Collectors that make calls.
    #[serde(rename = "disabled", serialize_with = "serialize_disabled")]
    pub enabled: BTreeSet<Collector>,
    /// Whether series are exported per project.
    pub projects: bool,
    /// Maximum datasets exported per organization.
    pub most_datasets: usize,
    /// Whether Edge Impulse staff is not counted as users.
    pub exclude_edge_impulse_users: bool,
    /// Projects that count as in use.
    pub project_visibility: ProjectVisibility,
    /// How long responses are reused, for collectors that do not use `--cache.ttl`.
    #[serde(serialize_with = "serialize_intervals")]
    pub intervals: BTreeMap<Collector, Duration>,
}

fn serialize_disabled<S: Serializer>(enabled: &BTreeSet<Collector>, serializer: S) -> Result<S::Ok, S::Error> {
    let disabled = Collector::ALL.into_iter().filter(|collector| !enabled.contains(collector));
    serializer.collect_seq(disabled.map(Collector::name))
}

fn serialize_intervals<S: Serializer>(
    intervals: &BTreeMap<Collector, Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = |interval: &Duration| humantime::format_duration(*interval).to_string();
    serializer.collect_map(intervals.iter().map(|(collector, interval)| (collector.name(), text(interval))))
}

impl CollectorOptions {
    /// Returns the query parameters of the usage call.
    #[must_use]
    pub fn usage_query(&self) -> Vec<(&'static str, &'static str)> {
        let mut query = Vec::new();
        if self.exclude_edge_impulse_users {
            query.push(("excludeEdgeImpulseUsers", "true"));
        }
        match self.project_visibility {
            ProjectVisibility::Private => query.push(("projectVisibility", "private")),
            ProjectVisibility::Public => query.push(("projectVisibility", "public")),
            ProjectVisibility::Any => {}
        }
        query
    }

    /// Returns the intervals that collectors have by default.
    pub(super) fn default_intervals() -> BTreeMap<Collector, Duration> {
        let interval = |collector: Collector| Some((collector, collector.default_interval()?));
        Collector::ALL.into_iter().filter_map(interval).collect()
    }
}

/// Checks a configured interval.
pub(super) fn check_interval(collector: Collector, interval: Duration) -> Result<(), String> {
    match collector.least_interval() {
        Some(least) if interval < least => Err(format!(
            "{}: expected {} or more, because its responses contain a year of records",
            collector.name(),
            humantime::format_duration(least)
        )),
        _ => Ok(()),
    }
}
