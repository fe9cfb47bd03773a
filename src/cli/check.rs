//! `check`: every call once, and a report of the results.

use std::process::ExitCode;

use super::arguments::CheckFormat;
use super::check_report::Report;
use super::output::print;
use super::scrape::collect_once;
use super::{Failure, configuration};
use crate::collect::Keep;
use crate::config::Options;

/// Makes every call once and writes what came of it to standard output.
///
/// # Errors
/// If the configuration cannot work.
pub(super) async fn check(options: Options, format: CheckFormat) -> Result<ExitCode, Failure> {
    let (configuration, replay) = configuration(options)?;
    let (exporter, _, snapshot) = collect_once(configuration, replay, Keep::default()).await?;
    let report = Report::new(&exporter, &snapshot);
    print(&match format {
        CheckFormat::Table => report.table(),
        CheckFormat::Json => report.json(),
    })?;
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
