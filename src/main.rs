//! The command: parse, then do what was asked, and say in one line why not.

use std::io::Write as _;
use std::process::ExitCode;

use edgeimpulse_exporter::cli;
use edgeimpulse_exporter::cli::arguments::CommandLine;

// For 1,000 organizations glibc's takes a quarter more CPU time, and musl's two thirds: docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command_line = match CommandLine::read() {
        Ok(command_line) => command_line,
        Err(error) if !error.use_stderr() => {
            // Help that was asked for.
            return if error.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Err(error) => {
            let line = in_one_line(&error.to_string());
            let is_order = line.contains("the subcommand");
            let hint = if is_order { ": options come after the command" } else { "" };
            return fail(&format!("{line}{hint}"), 2);
        }
    };
    let result = cli::execute(command_line);
    result.unwrap_or_else(|failure| fail(&format!("error: {failure}"), failure.exit_code()))
}

fn fail(text: &str, exit_code: u8) -> ExitCode {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(exit_code)
}

/// Returns what is wrong, and what may have been meant, in one line without the usage that follows it.
fn in_one_line(text: &str) -> String {
    let is_usage = |paragraph: &&str| paragraph.starts_with("Usage:") || paragraph.starts_with("For more");
    let paragraphs = text.split("\n\n").filter(|paragraph| !is_usage(paragraph));
    paragraphs.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}
