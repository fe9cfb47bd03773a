//! What `history` can be told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::output::print;
use super::{Failure, build, configuration, logging};
use crate::collect::Keep;
use crate::config::{AccountOptions, Options, moment};
use crate::history::{self, Past};
use crate::metrics::catalogue;
use crate::model::UnixTime;

/// The job that Prometheus' own examples give the exporter, and its label if no other is named.
const JOB: (&str, &str) = ("job", "edgeimpulse");

/// What is written of the past, and where.
#[derive(Args, Debug)]
pub struct HistoryOptions {
    /// Directory to write to, one file per organization and user; what is there already is not asked for again
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Label that Prometheus gives the live series, such as instance=HOST:PORT, may be repeated [default: job=edgeimpulse]
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    pub labels: Vec<(String, String)>,
    /// Leave out what is later, such as the time when Prometheus began to scrape [default: 3 hours ago]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<UnixTime>,
    /// Whose past.
    #[command(flatten)]
    pub options: Options,
}

impl HistoryOptions {
    /// Returns all labels by name.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        let default = (JOB.0.to_owned(), JOB.1.to_owned());
        std::iter::once(default).chain(self.labels.iter().cloned()).collect()
    }
}

/// Reads a label that Prometheus adds to a scrape.
fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, such as job=edgeimpulse")?;
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(is_start) || !name.chars().all(|c| is_start(c) || c.is_ascii_digit()) {
        return Err("expected a name of letters, digits and _ before the =".to_owned());
    }
    let sections = catalogue::sections();
    let metrics = sections.iter().flat_map(|section| &section.metrics);
    if name.starts_with("__") || metrics.flat_map(|metric| metric.labels).any(|taken| *taken == name) {
        return Err(format!("{name} is taken by the metrics themselves"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Writes what the API keeps of the past, a file for each organization and user.
///
/// # Errors
/// If the configuration cannot work, a file cannot be written, or something could not be read; what could is there.
pub(super) async fn history(options: HistoryOptions) -> Result<ExitCode, Failure> {
    let labels = options.labels();
    let HistoryOptions { output, until, options, .. } = options;
    let (mut configuration, replay) = configuration(options)?;
    logging::init(&configuration.common.log);
    // White labels are found among all organizations, whichever of theirs are to be written.
    let only = |account: &mut AccountOptions| std::mem::take(&mut account.scope.organization_ids);
    let organizations = configuration.accounts.iter_mut().map(|account| only(account).into_iter().collect());
    let organizations = organizations.collect();
    let exporter = build(configuration, replay, Keep { daily_records: true, ..Keep::default() }).await?;
    let latest = exporter.clock.now() - history::MARGIN.as_secs_f64();
    let past = Past { labels, end: until.map_or(latest, |until| until.min(latest)) };
    let job = history::Job { output, past, organizations };
    let report = history::write(&exporter, &job).await.map_err(Failure::Running)?;
    if report.all() == 0 {
        return Err(Failure::Running(
            "no white label: the credential administers none; name the organization that owns it with \
             --whitelabel.organization-id, and its users with --whitelabel.user-id"
                .to_owned(),
        ));
    }
    print(&report.line(&job.output))?;
    report.failure().map_or(Ok(ExitCode::SUCCESS), |failure| Err(Failure::Running(failure)))
}
