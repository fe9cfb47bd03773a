//! `history`: writes the daily records of a white label for `promtool`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::output::{init_log, print};
use super::{Failure, build, configuration};
use crate::collect::Keep;
use crate::config::{AccountOptions, Options, moment};
use crate::history::{self, Export};
use crate::metrics::catalogue;
use crate::model::UnixTime;

/// Options of `history`.
#[derive(Args, Debug)]
pub struct HistoryOptions {
    /// Output directory; gets one file per organization and user, and existing files are not written again
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Label that Prometheus adds to scraped series, such as instance=HOST:PORT; may be repeated [default: job=edgeimpulse]
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    pub labels: Vec<(String, String)>,
    /// Leave out later samples; set it to the time of the first scrape [default: 3 hours ago]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<UnixTime>,
    /// Options of the exporter.
    #[command(flatten)]
    pub options: Options,
}

impl HistoryOptions {
    /// Returns the labels, with the job of the example configuration of Prometheus unless there is another one.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        let default = ("job".to_owned(), "edgeimpulse".to_owned());
        std::iter::once(default).chain(self.labels.iter().cloned()).collect()
    }
}

/// Parses a label that Prometheus adds to scraped series.
fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, e.g. job=edgeimpulse")?;
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(is_start) || !name.chars().all(|c| is_start(c) || c.is_ascii_digit()) {
        return Err("expected letters, digits and _ before the =".to_owned());
    }
    let sections = catalogue::sections();
    let metrics = sections.iter().flat_map(|section| &section.metrics);
    if name.starts_with("__") || metrics.flat_map(|metric| metric.labels).any(|taken| *taken == name) {
        return Err(format!("{name} is a label of the metrics or reserved: choose another name"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Writes a file for each organization and user; if one cannot be written, the others are written all the same.
pub(super) async fn history(options: HistoryOptions) -> Result<ExitCode, Failure> {
    let labels = options.labels();
    let HistoryOptions { output, until, options, .. } = options;
    let (mut configuration, replay) = configuration(options)?;
    init_log(&configuration.common.log, &configuration.accounts);
    // `--organization-id` selects files. The list of organizations is not restricted: the owner of the white label may be
    // another one.
    let selected = |account: &mut AccountOptions| std::mem::take(&mut account.scope.organization_ids);
    let organizations =
        configuration.accounts.iter_mut().map(|account| selected(account).into_iter().collect());
    let organizations = organizations.collect();
    let exporter = build(configuration, replay, Keep { daily_records: true, ..Keep::default() }).await?;
    let latest = exporter.clock.now() - history::MARGIN.as_secs_f64();
    let end = until.map_or(latest, |until| until.min(latest));
    let export = Export { output, labels, end, organizations };
    let report = history::write(&exporter, &export).await.map_err(Failure::Running)?;
    if report.total() == 0 {
        let flags = ["whitelabel.organization-id", "whitelabel.user-id"];
        let [owner, users] = flags.map(|flag| exporter.configuration.sources.name(flag));
        return Err(Failure::Running(format!(
            "no white label found: set the organization that owns it with {owner}, and its users with {users}"
        )));
    }
    let success = print(report.summary(&export.output))?;
    report.failure().map_or(Ok(success), |failure| Err(Failure::Running(failure)))
}
