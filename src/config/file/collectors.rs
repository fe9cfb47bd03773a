//! Options of collectors, for all accounts or for one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::config::collectors::{CollectorOptions, ProjectVisibility, check_interval};
use crate::config::values;
use crate::config::yaml::LineError;
use crate::model::Collector;

/// Collectors and their options.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Collectors {
    /// Collectors that make no calls.
    disabled: Option<BTreeSet<Collector>>,
    /// How long a collector's responses are reused; default: `cache.ttl`.
    #[schemars(with = "BTreeMap<Collector, Interval>")]
    intervals: BTreeMap<Collector, Spanned<Interval>>,
    /// Export series per project.
    projects: Option<bool>,
    /// Maximum datasets exported per organization.
    most_datasets: Option<usize>,
    /// Do not count Edge Impulse staff as users.
    exclude_edge_impulse_users: Option<bool>,
    /// Projects that count as in use.
    project_visibility: Option<ProjectVisibility>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Interval(
    #[serde(with = "values::positive_duration")]
    #[schemars(with = "String")]
    Duration,
);

impl Collectors {
    /// Returns `options` with the options that are set here replaced.
    pub(super) fn apply_to(self, mut options: CollectorOptions) -> Result<CollectorOptions, LineError> {
        if let Some(disabled) = self.disabled {
            options.enabled = Collector::ALL.into_iter().filter(|it| !disabled.contains(it)).collect();
        }
        for (collector, interval) in self.intervals {
            let Interval(duration) = interval.value;
            check_interval(collector, duration)
                .map_err(|what| LineError::at(&interval, format!("collectors.intervals: {what}")))?;
            options.intervals.insert(collector, duration);
        }
        options.projects = self.projects.unwrap_or(options.projects);
        options.most_datasets = self.most_datasets.unwrap_or(options.most_datasets);
        options.exclude_edge_impulse_users =
            self.exclude_edge_impulse_users.unwrap_or(options.exclude_edge_impulse_users);
        options.project_visibility = self.project_visibility.unwrap_or(options.project_visibility);
        Ok(options)
    }
}
