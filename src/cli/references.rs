//! `metrics`, `completions` and `man`: references that are generated from the code.

use std::path::Path;
use std::process::ExitCode;

use clap_complete::Shell;

use super::arguments::ReferenceFormat;
use super::output::{print, write};
use super::{Failure, manual, metric_reference, option_reference};
use crate::metrics::catalogue::RENAMED;

/// Writes the metrics reference to standard output.
///
/// # Errors
/// If it cannot be written.
pub(super) fn metrics(format: ReferenceFormat) -> Result<ExitCode, Failure> {
    print(&match format {
        ReferenceFormat::Markdown => metric_reference::markdown(),
        ReferenceFormat::Json => metric_reference::json(),
        ReferenceFormat::Rules => metric_reference::rules(RENAMED),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the completion script for a shell to standard output.
///
/// # Errors
/// If it cannot be written.
pub(super) fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    write(&manual::completions(shell))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the manual page or, with `markdown`, the options reference to standard output; with `directory`, writes the
/// manual pages of the program and all commands into it.
///
/// # Errors
/// If they cannot be written.
pub(super) fn man(directory: Option<&Path>, markdown: bool) -> Result<ExitCode, Failure> {
    match directory {
        _ if markdown => print(&option_reference::markdown())?,
        None => write(&manual::page().map_err(|error| Failure::Running(error.to_string()))?)?,
        Some(directory) => manual::write_pages(directory).map_err(|error| {
            Failure::Running(format!("cannot write manual pages into {}: {error}", directory.display()))
        })?,
    }
    Ok(ExitCode::SUCCESS)
}
