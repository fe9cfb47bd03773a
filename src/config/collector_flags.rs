//! Flags of the collectors, which are derived from their names.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::collectors::check_interval;
use super::{CollectorOptions, ProjectVisibility, values};
use crate::model::Collector;

/// Parses `NAME=DURATION`.
fn interval(text: &str) -> Result<(Collector, Duration), String> {
    let (name, interval) = text.split_once('=').ok_or("expected NAME=DURATION, e.g. usage=5m")?;
    let collector = Collector::named(name).ok_or_else(|| {
        let names = Collector::ALL.map(Collector::name).join(", ");
        format!("unknown collector {name:?}: expected one of {names}")
    })?;
    let interval = values::positive_duration(interval)?;
    check_interval(collector, interval).map(|()| (collector, interval))
}

const HEADING: &str = "Collectors (--no-... disables)";
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

/// Adds a flag and its negation `--no-FLAG`.
fn switch(command: Command, flag: &str, default: bool, help: String) -> Command {
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
            command = switch(
                command,
                &flag(collector),
                true,
                format!("Enable the {} collector: {}", collector.name(), collector.about()),
            );
        }
        command = switch(
            command,
            PROJECTS,
            false,
            "Export series per project, from the organization collector".to_owned(),
        );
        command = switch(command, EXCLUDE_STAFF, true, "Do not count Edge Impulse staff as users".to_owned());
        let visibility = Arg::new(VISIBILITY)
            .long(VISIBILITY)
            .env(environment(VISIBILITY))
            .help("Projects that count as in use")
            .help_heading(HEADING)
            .value_name("VISIBILITY")
            .value_parser(clap::value_parser!(ProjectVisibility))
            .default_value("private");
        let interval = Arg::new(INTERVAL)
            .long(INTERVAL)
            .env(environment(INTERVAL))
            .help(
                "Reuse the responses of a collector for this duration, instead of --cache.ttl; may be repeated",
            )
            .help_heading(HEADING)
            .value_name("NAME=DURATION")
            .value_parser(interval)
            .value_delimiter(',')
            .action(ArgAction::Append);
        command.arg(visibility).arg(interval).arg(
            Arg::new(MOST_DATASETS)
                .long(MOST_DATASETS)
                .env(environment(MOST_DATASETS))
                .help("Maximum datasets exported per organization; others count as dropped series")
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
