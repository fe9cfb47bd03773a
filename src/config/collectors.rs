//! Options of the collectors. Their flags are derived from the collectors' names.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum, value_parser};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::values;
use super::yaml::expected_one_of;
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
    #[serde(flatten, serialize_with = "serialize_enabled")]
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

/// Writes the differences from the default: two lists of names.
fn serialize_enabled<S: Serializer>(enabled: &BTreeSet<Collector>, serializer: S) -> Result<S::Ok, S::Error> {
    let changed = Collector::ALL.into_iter().filter(|it| enabled.contains(it) != it.is_on_by_default());
    let (disabled, enabled): (Vec<_>, Vec<_>) = changed.partition(|collector| collector.is_on_by_default());
    let names = |collectors: Vec<Collector>| collectors.into_iter().map(Collector::name).collect::<Vec<_>>();
    serializer.collect_map([("disabled", names(disabled)), ("enabled", names(enabled))])
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
        let visibility = match self.project_visibility {
            ProjectVisibility::Private => Some("private"),
            ProjectVisibility::Public => Some("public"),
            ProjectVisibility::Any => None,
        };
        let exclude = self.exclude_edge_impulse_users.then_some(("excludeEdgeImpulseUsers", "true"));
        exclude.into_iter().chain(visibility.map(|visibility| ("projectVisibility", visibility))).collect()
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

/// Parses `NAME=DURATION`.
fn interval(text: &str) -> Result<(Collector, Duration), String> {
    let (name, interval) = text.split_once('=').ok_or("expected NAME=DURATION, e.g. usage=5m")?;
    let collector = Collector::named(name).ok_or_else(|| {
        let names = Collector::ALL.map(Collector::name);
        format!("unknown collector {name:?}: {}", expected_one_of(name, &names))
    })?;
    let interval = values::positive_duration(interval)?;
    check_interval(collector, interval).map(|()| (collector, interval))
}

const PROJECTS: &str = "collector.projects";
const MOST_DATASETS: &str = "collector.organization.most-datasets";
const EXCLUDE_STAFF: &str = "usage.exclude-edge-impulse-users";
const VISIBILITY: &str = "usage.project-visibility";
const INTERVAL: &str = "collector.interval";

fn flag(collector: Collector) -> String {
    format!("collector.{}", collector.name())
}

fn option(flag: &str, value_name: &'static str, help: impl Into<String>) -> Arg {
    Arg::new(flag.to_owned()).long(flag.to_owned()).value_name(value_name).help(help.into())
}

/// Returns a flag that can be negated as `--no-FLAG`, and the negation.
fn switch(flag: &str, default: &'static str, help: impl Into<String>) -> [Arg; 2] {
    let off = format!("no-{flag}");
    let on = option(flag, "BOOL", help)
        .value_parser(value_parser!(bool))
        .num_args(0..=1)
        .require_equals(true)
        .default_value(default)
        .default_missing_value("true")
        .overrides_with(off.clone());
    let off = Arg::new(off.clone()).long(off).hide(true).action(ArgAction::SetTrue);
    [on, off.overrides_with(flag.to_owned())]
}

fn is_on(matches: &ArgMatches, flag: &str) -> bool {
    matches.get_one(flag) == Some(&true) && !matches.get_flag(&format!("no-{flag}"))
}

impl Args for CollectorOptions {
    fn augment_args(command: Command) -> Command {
        let enable = |collector: Collector| {
            let help = format!("Enable the {} collector: {}", collector.name(), collector.about());
            switch(&flag(collector), if collector.is_on_by_default() { "true" } else { "false" }, help)
        };
        command
            .next_help_heading("Collectors (--no-... disables)")
            .args(Collector::ALL.into_iter().flat_map(enable))
            .args(switch(PROJECTS, "false", "Export series per project, from the organization collector"))
            .args(switch(EXCLUDE_STAFF, "true", "Do not count Edge Impulse staff as users"))
            .arg(
                option(VISIBILITY, "VISIBILITY", "Projects that count as in use")
                    .value_parser(value_parser!(ProjectVisibility))
                    .default_value("private"),
            )
            .arg(
                option(
                    INTERVAL,
                    "NAME=DURATION",
                    "Reuse the responses of a collector for this duration, instead of --cache.ttl; may be repeated",
                )
                .value_parser(interval)
                .value_delimiter(',')
                .action(ArgAction::Append),
            )
            .arg(
                option(
                    MOST_DATASETS,
                    "N",
                    "Maximum datasets exported per organization; others count as dropped series",
                )
                .value_parser(|text: &str| values::number(text, 0..=usize::MAX))
                .default_value("1000"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for CollectorOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let default = |collector: Collector| Some((collector, collector.default_interval()?));
        let configured = matches.get_many::<(Collector, Duration)>(INTERVAL).into_iter().flatten().copied();
        Ok(Self {
            enabled: Collector::ALL.into_iter().filter(|collector| is_on(matches, &flag(*collector))).collect(),
            projects: is_on(matches, PROJECTS),
            most_datasets: matches.get_one(MOST_DATASETS).copied().unwrap_or_default(),
            exclude_edge_impulse_users: is_on(matches, EXCLUDE_STAFF),
            project_visibility: matches.get_one(VISIBILITY).copied().unwrap_or_default(),
            intervals: Collector::ALL.into_iter().filter_map(default).chain(configured).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
