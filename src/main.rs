//! The command: parse, then do what was asked, and say in one line why not.

use std::io::Write as _;
use std::process::ExitCode;

use edgeimpulse_exporter::commands;
use edgeimpulse_exporter::config::{Command, CommandLine};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
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
    let result = match command_line.command {
        None => commands::serve(command_line.options).await,
        Some(Command::Demo(options)) => commands::demo(&options).await,
        Some(Command::Scrape { record, options }) => commands::scrape(*options, record.as_deref()).await,
        Some(Command::Check { format, options }) => commands::check(*options, format).await,
        Some(Command::CheckConfig { schema, options }) => commands::check_config(*options, schema),
        Some(Command::History(options)) => commands::history(*options).await,
        Some(Command::Healthcheck(options)) => commands::healthcheck(&options),
        Some(Command::CheckApi { openapi }) => commands::check_api(&openapi),
        Some(Command::Metrics { format }) => commands::metrics(format),
        Some(Command::Completions { shell }) => commands::completions(shell),
        Some(Command::Man { directory, markdown }) => commands::man(directory.as_deref(), markdown),
    };
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
