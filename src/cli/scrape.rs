//! `scrape`: one scrape, written to standard output.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::output::print;
use super::{Failure, build, configuration, logging};
use crate::collect::{Exporter, Keep, Selection};
use crate::config::{Configuration, Options};
use crate::metrics::Format;
use crate::model::{Clock, Snapshot};
use crate::recording::{Recorder, Replay};

/// Collects once and writes the metrics to standard output, in the Prometheus text format; keeps the answers, redacted,
/// in the directory `record`.
///
/// # Errors
/// If the configuration cannot work, or an answer could not be kept.
pub(super) async fn scrape(options: Options, record: Option<&Path>) -> Result<ExitCode, Failure> {
    let (configuration, replay) = configuration(options)?;
    let recorder = record.map(|directory| {
        Recorder::create(directory, &configuration.accounts, Clock::System.now()).map(Arc::new)
    });
    let recorder = recorder.transpose().map_err(Failure::Configuration)?;
    let keep = Keep { responses: recorder.as_ref().map(Recorder::tap), ..Keep::default() };
    let (_, text, snapshot) = collect_once(configuration, replay, keep).await?;
    print(&text)?;
    if let Some(recorder) = recorder {
        let answers = recorder.end().map_err(Failure::Running)?;
        tracing::info!(answers, "the answers were kept, redacted: read them before you pass them on");
    }
    let is_up = snapshot.accounts.iter().all(|account| account.up == Some(true));
    Ok(if is_up { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads everything that is configured, and returns the metrics with it.
pub(super) async fn collect_once(
    configuration: Configuration,
    replay: Option<Replay>,
    keep: Keep,
) -> Result<(Arc<Exporter>, String, Arc<Snapshot>), Failure> {
    logging::init(&configuration.common.log);
    let exporter = build(configuration, replay, keep).await?;
    // Nobody waits for this scrape but the person who asked for it: it may take as long as a call may.
    let Configuration { api, common, .. } = &exporter.configuration;
    let budget = common.scrape.timeout_max.unwrap_or(api.timeout.saturating_mul(2));
    let all = Selection::default();
    let collected = exporter.collect(&exporter.accounts, &all, true, budget, Format::PrometheusText).await;
    let (text, snapshot) = collected.map_err(|error| Failure::Running(error.to_string()))?;
    Ok((exporter, text, snapshot))
}
