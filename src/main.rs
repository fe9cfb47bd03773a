//! The command: parse, then do what was asked, and say in one line why not.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use edgeimpulse_exporter::commands;
use edgeimpulse_exporter::config::{Command, CommandLine};

#[tokio::main]
async fn main() -> ExitCode {
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) if !error.use_stderr() => {
            // Help that was asked for.
            return if error.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Err(error) => return fail(&first_paragraph(&error.to_string()), 2),
    };
    let result = match command_line.command {
        None => commands::serve(&command_line.options).await,
        Some(Command::Demo(options)) => commands::demo(&options).await,
        Some(Command::Scrape(options)) => commands::scrape(&options).await,
        Some(Command::Metrics { format }) => commands::metrics(format),
    };
    result.unwrap_or_else(|failure| fail(&format!("error: {failure}"), failure.exit_code()))
}

fn fail(text: &str, exit_code: u8) -> ExitCode {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(exit_code)
}

/// Returns what is wrong, in one line, without the usage that follows it.
fn first_paragraph(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}
