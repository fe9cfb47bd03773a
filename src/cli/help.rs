//! The help: its sections besides the options, and the short help.

use clap::{Command, CommandFactory};

use super::arguments::CommandLine;
use crate::config::with_variable;

/// Titles and lines of the sections after the options, in the long help and in the manual page.
pub(super) const SECTIONS: [(&str, &str); 3] = [
    (
        "Credential",
        "\
Exactly one is required:
  EDGEIMPULSE_API_KEY   API key of an organization; or --api.key-file FILE
  EDGEIMPULSE_JWT       JSON Web Token of a user; or --api.jwt-file FILE",
    ),
    (
        "Examples",
        "\
edgeimpulse-exporter demo
EDGEIMPULSE_API_KEY=ei_... edgeimpulse-exporter
edgeimpulse-exporter --api.key-file key.txt --web.listen-address :9100
edgeimpulse-exporter scrape --api.key-file key.txt",
    ),
    (
        "Exit codes",
        "\
0  success; the server: stopped by a signal
1  runtime failure, or a check failed
2  invalid command line, environment or configuration",
    ),
];

const USAGE: &str = "\
edgeimpulse-exporter [OPTIONS]
       edgeimpulse-exporter COMMAND [OPTIONS]";

/// The help of `-h`: the most used options, on one screen. clap replaces `{...}`.
const SHORT_HELP: &str = "\
{about-with-newline}
Usage: {usage}

Commands:
{subcommands}

Collection:
  --organization-id ID          only this organization; may be repeated
  --collector.projects          also expose one series per project
  --no-collector.NAME           disable a collector, such as usage
  --cache.ttl DURATION          reuse responses younger than this [default: 30s]

Server:
  --web.listen-address ADDRESS  :PORT, HOST:PORT or unix:PATH [default: :10101]
  --web.config.file FILE        TLS, passwords and rate limits
  --config.file FILE            all options as YAML, for several accounts
  --log.level LEVEL             error, warn, info, debug or trace

All options and their environment variables: --help{after-help}";

/// Options that `COMMAND -h` shows; other options with a dot in their name are shown by `COMMAND --help` only.
const MOST_USED: [&str; 5] =
    ["api.key-file", "api.jwt-file", "config.file", "web.listen-address", "collector.projects"];

impl CommandLine {
    /// Returns the command line with its full help and the environment variables. Their values are hidden, because they
    /// can be secret.
    #[must_use]
    pub fn documented() -> Command {
        fn with_variables(command: Command) -> Command {
            command
                .mut_args(|option| with_variable(option).hide_env_values(true))
                .mut_subcommands(with_variables)
        }
        let sections = SECTIONS.map(|(title, lines)| format!("{title}:\n  {}", lines.replace('\n', "\n  ")));
        with_variables(Self::command()).override_usage(USAGE).after_help(sections.join("\n\n"))
    }
}

/// Shortens the help of the program and of its commands to one screen.
pub(super) fn with_short_help(command: Command) -> Command {
    fn most_used(command: Command) -> Command {
        command.mut_args(|argument| {
            let name = argument.get_long().unwrap_or_default();
            let is_hidden = name.contains('.') && !MOST_USED.contains(&name);
            argument.hide_env(true).hide_short_help(is_hidden)
        })
    }
    command.help_template(SHORT_HELP).mut_subcommands(most_used)
}
