//! A switch per collector.

use std::collections::BTreeSet;

use clap::{ArgAction, Args, FromArgMatches};

use crate::collector::Collector;

/// Which collectors are on.
#[derive(Clone, Debug, Default)]
pub struct CollectorOptions {
    /// Those that make calls.
    pub enabled: BTreeSet<Collector>,
    /// Whether projects are shown one by one.
    pub projects: bool,
    /// Most datasets of an organization that are shown.
    pub most_datasets: usize,
}

const HEADING: &str = "Collectors (each with --no-collector.NAME)";
const MOST_DATASETS: &str = "collector.organization.most-datasets";

/// The name, the default and the help of each switch: one per collector, and one for the projects.
fn switches() -> impl Iterator<Item = (&'static str, bool, &'static str)> {
    let collectors = Collector::ALL.into_iter().map(|collector| (collector.name(), true, collector.about()));
    collectors.chain([("projects", false, "a series per project, from the organization collector")])
}

impl Args for CollectorOptions {
    fn augment_args(mut command: clap::Command) -> clap::Command {
        for (name, default, about) in switches() {
            let (on, off) = (format!("collector.{name}"), format!("no-collector.{name}"));
            let environment = format!("EDGEIMPULSE_COLLECTOR_{}", name.to_uppercase());
            command = command
                .arg(
                    clap::Arg::new(on.clone())
                        .long(on.clone())
                        .env(environment)
                        .help(about)
                        .help_heading(HEADING)
                        .value_name("BOOL")
                        .value_parser(clap::value_parser!(bool))
                        .num_args(0..=1)
                        .require_equals(true)
                        .default_value(if default { "true" } else { "false" })
                        .default_missing_value("true")
                        .overrides_with(off.clone()),
                )
                .arg(
                    clap::Arg::new(off.clone())
                        .long(off)
                        .hide(true)
                        .action(ArgAction::SetTrue)
                        .overrides_with(on),
                );
        }
        command.arg(
            clap::Arg::new(MOST_DATASETS)
                .long(MOST_DATASETS)
                .env("EDGEIMPULSE_COLLECTOR_ORGANIZATION_MOST_DATASETS")
                .help("Most datasets of one organization that are shown; the rest is counted as dropped")
                .help_heading(HEADING)
                .value_name("N")
                .value_parser(clap::value_parser!(usize))
                .default_value("1000"),
        )
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for CollectorOptions {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        let is_on = |name: &str| {
            matches.get_one::<bool>(&format!("collector.{name}")) == Some(&true)
                && !matches.get_flag(&format!("no-collector.{name}"))
        };
        let enabled = Collector::ALL.into_iter().filter(|collector| is_on(collector.name())).collect();
        let most_datasets = matches.get_one(MOST_DATASETS).copied().unwrap_or_default();
        Ok(Self { enabled, projects: is_on("projects"), most_datasets })
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
