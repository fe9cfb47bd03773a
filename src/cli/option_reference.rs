//! The reference of options, written from the command line.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

use super::arguments::CommandLine;
use super::help::SECTIONS;

/// Writes the reference as a page for people: what `docs/options.md` holds.
#[must_use]
pub fn markdown() -> String {
    let mut page = "\
# Options

<!-- Written by `edgeimpulse-exporter man --markdown`; a test holds it against the program. -->

Each can be said by a flag, or else by its environment variable. An empty variable is as good as none; of what may be
repeated, a variable takes a list with commas. Or the file that `--config.file` names says all of it: there is
[an example](config.example.yaml) with every default, and [a schema](config.schema.json).

The credential has no flag of its own: [accounts](accounts.md) tells which variables and files it comes from.
"
    .to_owned();
    let program = CommandLine::documented();
    let options: Vec<_> = program.get_arguments().filter(|option| is_shown(option)).collect();
    let mut headings: Vec<Option<&str>> = Vec::new();
    for option in &options {
        // Some headings come back: who asks stands with how it is asked.
        if !headings.contains(&option.get_help_heading()) {
            headings.push(option.get_help_heading());
        }
    }
    for heading in headings {
        let has_heading = |option: &&&Arg| option.get_help_heading() == heading;
        // Writing to a `String` does not fail.
        let _ = writeln!(page, "\n## {}\n", heading.unwrap_or("Instead of all others"));
        page.push_str(
            "| flag | variable | in the file | default | meaning |\n| --- | --- | --- | --- | --- |\n",
        );
        for option in options.iter().filter(has_heading) {
            let variable = option.get_env().map(|name| code(&name.to_string_lossy())).unwrap_or_default();
            let place = option.get_long().and_then(place_in_file).map(|place| code(&place)).unwrap_or_default();
            let (name, default, help) = (name(option), default(option), help(option));
            let _ = writeln!(page, "| {name} | {variable} | {place} | {default} | {help} |");
        }
    }
    page.push_str("\n## Commands\n\nWithout a command the exporter serves. Options come after the command.\n");
    for command in program.get_subcommands() {
        describe(&mut page, command, &options);
    }
    for section in SECTIONS.iter().filter(|section| section.title == "Exit codes") {
        let _ = writeln!(page, "\n## {}\n\n| code | meaning |\n| --- | --- |", section.title);
        for (code, meaning) in section.text.lines().filter_map(|line| line.split_once("  ")) {
            let _ = writeln!(page, "| {code} | {meaning} |");
        }
    }
    page
}

/// Returns where the configuration file says what a flag says, if it can.
#[must_use]
pub fn place_in_file(flag: &str) -> Option<String> {
    Some(match flag {
        "config.file" | "replay" => return None,
        "api.key-file" => "accounts.key_file".to_owned(),
        "api.jwt-file" => "accounts.jwt_file".to_owned(),
        "organization-id" => "accounts.organization_ids".to_owned(),
        "user-id" => "accounts.user_ids".to_owned(),
        "whitelabel.organization-id" => "accounts.whitelabel.organization_ids".to_owned(),
        "whitelabel.user-id" => "accounts.whitelabel.user_ids".to_owned(),
        "web.listen-address" => "web.listen_addresses".to_owned(),
        "web.config.file" => "web.config_file".to_owned(),
        "collector.projects" => "collectors.projects".to_owned(),
        "collector.interval" => "collectors.intervals".to_owned(),
        "collector.organization.most-datasets" => "collectors.most_datasets".to_owned(),
        "usage.exclude-edge-impulse-users" => "collectors.exclude_edge_impulse_users".to_owned(),
        "usage.project-visibility" => "collectors.project_visibility".to_owned(),
        switch if switch.starts_with("collector.") => "collectors.disabled".to_owned(),
        other => other.replace('-', "_"),
    })
}

fn is_shown(option: &Arg) -> bool {
    !option.is_hide_set() && !matches!(option.get_action(), ArgAction::Help | ArgAction::Version)
}

fn describe(page: &mut String, command: &Command, of_program: &[&Arg]) {
    let about = command.get_long_about().or_else(|| command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default().replace("\n\n", ".\n\n");
    let _ = write!(page, "\n### {}\n\n{}.", command.get_name(), about.trim_end_matches('.'));
    let is_own = |option: &&Arg| of_program.iter().all(|other| other.get_long() != option.get_long());
    let (own, shared): (Vec<_>, Vec<_>) =
        command.get_arguments().filter(|option| is_shown(option)).partition(is_own);
    page.push_str(match shared.len() {
        0 => "\n",
        all if all == of_program.len() => " It takes all options of above.\n",
        _ => " Of those above it takes what is about the web, scrapes, the cache, collectors and the log.\n",
    });
    if !own.is_empty() {
        page.push_str("\n| option | default | meaning |\n| --- | --- | --- |\n");
        for option in own {
            let _ = writeln!(page, "| {} | {} | {} |", name(option), default(option), help(option));
        }
    }
}

/// Returns how an option is written, with its value.
fn name(option: &Arg) -> String {
    let values = option.get_value_names().unwrap_or_default().join(" ");
    code(&match option.get_long() {
        Some(long) if !option.get_action().takes_values() => format!("--{long}"),
        Some(long) if option.is_require_equals_set() => format!("--{long}[={values}]"),
        Some(long) => format!("--{long} {values}"),
        None => values,
    })
}

fn default(option: &Arg) -> String {
    let values: Vec<_> = option.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    // That a switch is off goes without saying.
    if values.is_empty() || !option.get_action().takes_values() {
        String::new()
    } else {
        code(&values.join(","))
    }
}

/// Returns what an option means, and what can be said.
fn help(option: &Arg) -> String {
    let help = option.get_help().map(|help| help.to_string().replace('*', "\\*")).unwrap_or_default();
    let is_switch = !option.get_action().takes_values() || option.is_require_equals_set();
    let values: Vec<_> = option.get_possible_values().iter().map(|value| code(value.get_name())).collect();
    if is_switch || values.is_empty() { help } else { format!("{help}: {}", values.join(", ")) }
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}
