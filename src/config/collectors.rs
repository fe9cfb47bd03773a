//! Switches: one per collector, and others of their kind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use schemars::JsonSchema;
use serde::Deserialize;

use super::values;
use crate::model::Collector;

/// Which projects the usage call counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProjectVisibility {
    /// Those that the entitlement limits
    #[default]
    Private,
    /// Public ones
    Public,
    /// All
    Any,
}

/// Which collectors are on, how often they ask, and what they count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorOptions {
    /// Those that make calls.
    pub enabled: BTreeSet<Collector>,
    /// Whether projects are shown one by one.
    pub projects: bool,
    /// Most datasets of an organization that are shown.
    pub most_datasets: usize,
    /// Whether Edge Impulse staff is left out of the users in use.
    pub exclude_edge_impulse_users: bool,
    /// Which projects count as in use.
    pub project_visibility: ProjectVisibility,
    /// How long an answer is used; `--cache.ttl` says it of the others.
    pub intervals: BTreeMap<Collector, Duration>,
}

impl CollectorOptions {
    /// Returns the query of the usage call.
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

    /// Returns the intervals that collectors have unless they are told another.
    fn default_intervals() -> BTreeMap<Collector, Duration> {
        let interval = |collector: Collector| Some((collector, collector.default_interval()?));
        Collector::ALL.into_iter().filter_map(interval).collect()
    }
}

/// Checks an interval that was asked for.
pub(super) fn allowed_interval(collector: Collector, interval: Duration) -> Result<(), String> {
    match collector.least_interval() {
        Some(least) if interval < least => Err(format!(
            "{}: expected {} at least, because its answers carry a year of records",
            collector.name(),
            humantime::format_duration(least)
        )),
        _ => Ok(()),
    }
}

/// Reads `NAME=DURATION`.
fn interval(text: &str) -> Result<(Collector, Duration), String> {
    let (name, interval) = text.split_once('=').ok_or("expected NAME=DURATION, such as usage=5m")?;
    let collector = Collector::named(name).ok_or_else(|| {
        let names = Collector::ALL.map(Collector::name).join(", ");
        format!("there is no collector {name}: expected one of {names}")
    })?;
    let interval = values::positive_duration(interval)?;
    allowed_interval(collector, interval).map(|()| (collector, interval))
}

const HEADING: &str = "Collectors (each switch also as --no-...)";
const PROJECTS: &str = "collector.projects";
const MOST_DATASETS: &str = "collector.organization.most-datasets";
const EXCLUDE_STAFF: &str = "usage.exclude-edge-impulse-users";
const VISIBILITY: &str = "usage.project-visibility";
const INTERVAL: &str = "collector.interval";

fn flag(collector: Collector) -> String {
    format!("collector.{}", collector.name())
}

/// Returns the environment variable of a flag.
fn environment(flag: &str) -> String {
    format!("EDGEIMPULSE_{}", flag.to_uppercase().replace(['.', '-'], "_"))
}

/// Adds `--[no-]flag`, which is on by default or off.
fn switch(command: Command, flag: &str, default: bool, help: &'static str) -> Command {
    let off = format!("no-{flag}");
    let on = Arg::new(flag.to_owned())
        .long(flag.to_owned())
        .env(environment(flag))
        .help(help)
        .help_heading(HEADING)
        .value_name("BOOL")
        .value_parser(clap::value_parser!(bool))
        .num_args(0..=1)
        .require_equals(true)
        .default_value(if default { "true" } else { "false" })
        .default_missing_value("true")
        .overrides_with(off.clone());
    let off =
        Arg::new(off.clone()).long(off).hide(true).action(ArgAction::SetTrue).overrides_with(flag.to_owned());
    command.arg(on).arg(off)
}

fn is_on(matches: &ArgMatches, flag: &str) -> bool {
    matches.get_one(flag) == Some(&true) && !matches.get_flag(&format!("no-{flag}"))
}

impl Args for CollectorOptions {
    fn augment_args(mut command: Command) -> Command {
        for collector in Collector::ALL {
            command = switch(command, &flag(collector), true, collector.about());
        }
        command = switch(command, PROJECTS, false, "a series per project, from the organization collector");
        command = switch(command, EXCLUDE_STAFF, true, "leave Edge Impulse staff out of the users in use");
        let visibility = Arg::new(VISIBILITY)
            .long(VISIBILITY)
            .env(environment(VISIBILITY))
            .help("which projects count as in use")
            .help_heading(HEADING)
            .value_name("VISIBILITY")
            .value_parser(clap::value_parser!(ProjectVisibility))
            .default_value("private");
        let interval = Arg::new(INTERVAL)
            .long(INTERVAL)
            .env(environment(INTERVAL))
            .help("use this collector's answers for so long, may be repeated; without it, --cache.ttl")
            .help_heading(HEADING)
            .value_name("NAME=DURATION")
            .value_parser(interval)
            .value_delimiter(',')
            .action(ArgAction::Append);
        command.arg(visibility).arg(interval).arg(
            Arg::new(MOST_DATASETS)
                .long(MOST_DATASETS)
                .env(environment(MOST_DATASETS))
                .help("most datasets of one organization that are shown; the rest is counted as dropped")
                .help_heading(HEADING)
                .value_name("N")
                .value_parser(clap::value_parser!(usize))
                .default_value("1000"),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for CollectorOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut intervals = Self::default_intervals();
        intervals.extend(matches.get_many::<(Collector, Duration)>(INTERVAL).into_iter().flatten().copied());
        Ok(Self {
            enabled: Collector::ALL.into_iter().filter(|collector| is_on(matches, &flag(*collector))).collect(),
            projects: is_on(matches, PROJECTS),
            most_datasets: matches.get_one(MOST_DATASETS).copied().unwrap_or_default(),
            exclude_edge_impulse_users: is_on(matches, EXCLUDE_STAFF),
            project_visibility: matches.get_one(VISIBILITY).copied().unwrap_or_default(),
            intervals,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
