//! `check-api`: compares the members that are read with an OpenAPI document.

use std::path::Path;
use std::process::ExitCode;

use super::Failure;
use super::openapi::OpenApi;
use super::output::print;
use crate::config::shown_path;

/// Prints the differences between an OpenAPI document and the members that are read.
///
/// # Errors
/// If the document cannot be read.
pub(super) fn check_api(openapi: &Path) -> Result<ExitCode, Failure> {
    let unusable = |error: String| Failure::Configuration(format!("{}: {error}", shown_path(openapi)));
    let text =
        std::fs::read_to_string(openapi).map_err(|error| unusable(format!("cannot be read: {error}")))?;
    let differences = OpenApi::parse(&text).map_err(unusable)?.differences();
    if differences.is_empty() {
        print("No differences: the document describes every member that is read.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let lines: Vec<_> = differences.iter().map(ToString::to_string).collect();
    print(&(lines.join("\n") + "\n"))?;
    Ok(ExitCode::FAILURE)
}
