//! Switches: one per collector, and others of their kind.

use std::collections::BTreeSet;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::collector::Collector;

/// Which collectors are on, and what they count.
#[derive(Clone, Debug, Default)]
pub struct CollectorOptions {
    /// Those that make calls.
    pub enabled: BTreeSet<Collector>,
    /// Whether projects are shown one by one.
    pub projects: bool,
    /// Most datasets of an organization that are shown.
    pub most_datasets: usize,
    /// Whether Edge Impulse staff is left out of the users in use.
    pub exclude_edge_impulse_users: bool,
}

const HEADING: &str = "Collectors (each switch also as --no-...)";
const PROJECTS: &str = "collector.projects";
const MOST_DATASETS: &str = "collector.organization.most-datasets";
const EXCLUDE_STAFF: &str = "usage.exclude-edge-impulse-users";

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
        command.arg(
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
        Ok(Self {
            enabled: Collector::ALL.into_iter().filter(|collector| is_on(matches, &flag(*collector))).collect(),
            projects: is_on(matches, PROJECTS),
            most_datasets: matches.get_one(MOST_DATASETS).copied().unwrap_or_default(),
            exclude_edge_impulse_users: is_on(matches, EXCLUDE_STAFF),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
