//! Errors of the command line and the environment, each on one line.

use clap::{Arg, Command, Error};

use super::arguments::CommandLine;

/// Returns clap's message and tips without the usage that follows them. A value that came from an environment variable
/// is reported with the name of that variable.
#[must_use]
pub fn on_one_line(error: &Error) -> String {
    let text = error.to_string();
    let is_usage = |paragraph: &&str| paragraph.starts_with("Usage:") || paragraph.starts_with("For more");
    let mut line = String::new();
    for part in text.split("\n\n").filter(|paragraph| !is_usage(paragraph)).flat_map(str::lines).map(str::trim)
    {
        let separator = if part.starts_with("tip:") { "; " } else { " " };
        line.extend([if line.is_empty() { "" } else { separator }, part]);
    }
    let is_order = error.kind() == clap::error::ErrorKind::ArgumentConflict && line.contains("the subcommand");
    if is_order {
        return line + ": options come after the command";
    }
    let mut command = CommandLine::documented();
    // Completes the options, whose names cannot be written before.
    command.build();
    with_variable(line, &command)
}

/// Replaces the name of an option whose value came from its environment variable.
fn with_variable(line: String, command: &Command) -> String {
    let commands = std::iter::once(command).chain(command.get_subcommands());
    let named = commands.flat_map(Command::get_arguments).find(|option| line.contains(&format!("'{option}'")));
    match named.and_then(|option| Some((option, option.get_env()?))) {
        Some((option, variable)) if std::env::var_os(variable).is_some() && !is_on_command_line(option) => {
            line.replace(&option.to_string(), &variable.to_string_lossy())
        }
        _ => line,
    }
}

/// Returns true if an argument of this process is the flag of an option.
pub(super) fn is_on_command_line(option: &Arg) -> bool {
    let flag = format!("--{}", option.get_long().unwrap_or_default());
    let is_flag = |argument: &str| {
        argument.strip_prefix(&flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    std::env::args_os().any(|argument| is_flag(&argument.to_string_lossy()))
}
