//! `metrics`, `completions` and `man`: references that are generated from the code.

use std::path::Path;
use std::process::ExitCode;

use clap_complete::Shell;

use super::arguments::ReferenceFormat;
use super::output::{print, write};
use super::{Failure, manual, metric_reference, option_reference};
use crate::metrics::catalogue::RENAMED;

/// Writes the reference of all metrics to standard output.
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

/// Writes what makes a shell complete the command line to standard output.
///
/// # Errors
/// If it cannot be written.
pub(super) fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    write(&manual::completions(shell))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the manual page to standard output, or those of all commands into a directory, or the reference of options.
///
/// # Errors
/// If they cannot be written.
pub(super) fn man(directory: Option<&Path>, markdown: bool) -> Result<ExitCode, Failure> {
    if markdown {
        print(&option_reference::markdown())?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(directory) = directory else {
        write(&manual::page().map_err(|error| Failure::Running(error.to_string()))?)?;
        return Ok(ExitCode::SUCCESS);
    };
    let cannot = |error| format!("cannot write manual pages into {}: {error}", directory.display());
    manual::write_pages(directory).map_err(cannot).map_err(Failure::Running)?;
    Ok(ExitCode::SUCCESS)
}
