//! What the help says beside the options themselves.

use clap::{Command, CommandFactory};

use super::arguments::CommandLine;

/// A part of the help of which options know nothing.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// Its lines.
    pub text: &'static str,
}

const CREDENTIAL: Section = Section {
    title: "Credential",
    text: "\
Exactly one is needed, and no flag takes it itself:
  EDGEIMPULSE_API_KEY   an organization's API key; or --api.key-file FILE
  EDGEIMPULSE_JWT       a user's JSON Web Token; or --api.jwt-file FILE",
};

const EXAMPLES: Section = Section {
    title: "Examples",
    text: "\
edgeimpulse-exporter demo
EDGEIMPULSE_API_KEY=ei_... edgeimpulse-exporter
edgeimpulse-exporter --api.key-file key.txt --web.listen-address :9100
edgeimpulse-exporter scrape --api.key-file key.txt",
};

const EXIT_CODES: Section = Section {
    title: "Exit codes",
    text: "\
0  it did what it was asked to; a server: it was told to stop
1  it failed while running, or what it looked at is not well
2  the command line, the environment or the configuration cannot work",
};

/// What follows the options in the long help and in the manual.
pub const SECTIONS: [Section; 3] = [CREDENTIAL, EXAMPLES, EXIT_CODES];

const USAGE: &str = "\
edgeimpulse-exporter [OPTIONS]
       edgeimpulse-exporter COMMAND [OPTIONS]";

/// What `-h` says: all that most people need, on one screen. `{...}` is filled in by clap.
const ON_ONE_SCREEN: &str = "\
{about-with-newline}
Usage: {usage}

Commands:
{subcommands}

Credential, exactly one:
  EDGEIMPULSE_API_KEY, or --api.key-file FILE  an organization's API key
  EDGEIMPULSE_JWT, or --api.jwt-file FILE      a user's JSON Web Token

What is read:
  --organization-id ID          these organizations only; may be repeated
  --collector.projects          also a series per project
  --no-collector.NAME           without a collector, such as usage
  --cache.ttl DURATION          use answers again while younger [default: 30s]

How it runs:
  --web.listen-address ADDRESS  :PORT, HOST:PORT or unix:PATH [default: :10101]
  --web.config.file FILE        TLS, passwords and limits
  --config.file FILE            several accounts, and everything else, as YAML
  --log.level LEVEL             error, warn, info, debug or trace

Examples:
  edgeimpulse-exporter demo
  EDGEIMPULSE_API_KEY=ei_... edgeimpulse-exporter
  edgeimpulse-exporter scrape --api.key-file key.txt

All options, their environment variables and the exit codes: --help
";

/// Options of commands that their `-h` shows; the others with a full stop in their name are for `--help`.
const MOST_USED: [&str; 5] =
    ["api.key-file", "api.jwt-file", "config.file", "web.listen-address", "collector.projects"];

impl CommandLine {
    /// Returns the command line with its whole help, which does not tell what the environment holds.
    #[must_use]
    pub fn documented() -> Command {
        fn without_values(command: Command) -> Command {
            command.mut_args(|argument| argument.hide_env_values(true)).mut_subcommands(without_values)
        }
        let sections =
            SECTIONS.map(|Section { title, text }| format!("{title}:\n  {}", text.replace('\n', "\n  ")));
        without_values(Self::command()).override_usage(USAGE).after_long_help(sections.join("\n\n"))
    }
}

/// Makes `-h` fit a screen: for the program itself, and for each of its commands.
pub(super) fn in_brief(command: Command) -> Command {
    fn most_used(command: Command) -> Command {
        command.mut_args(|argument| {
            let name = argument.get_long().unwrap_or_default();
            let is_hidden = name.contains('.') && !MOST_USED.contains(&name);
            argument.hide_env(true).hide_short_help(is_hidden)
        })
    }
    command.help_template(ON_ONE_SCREEN).mut_subcommands(most_used)
}
