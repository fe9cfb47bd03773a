//! `scrape`: collects once and writes the metrics to standard output.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::output::{init_log, print};
use super::{Failure, build, configuration};
use crate::collect::{Exporter, Keep, Selection};
use crate::config::{Configuration, Options};
use crate::metrics::Format;
use crate::model::{Clock, Snapshot};
use crate::recording::{Recorder, Replay};

/// Collects once and writes the metrics to standard output, in the Prometheus text format; with `record`, also writes
/// the responses, redacted, to that directory. The exit code is 1 if no call of an account succeeded.
pub(super) async fn scrape(options: Options, record: Option<&Path>) -> Result<ExitCode, Failure> {
    let (configuration, replay) = configuration(options)?;
    let recorder = record.map(|directory| {
        Recorder::create(directory, &configuration.accounts, Clock::System.now()).map(Arc::new)
    });
    let recorder = recorder.transpose().map_err(Failure::Configuration)?;
    let keep = Keep { responses: recorder.as_ref().map(Recorder::tap), ..Keep::default() };
    let (_, text, snapshot) = collect_once(configuration, replay, keep).await?;
    print(text)?;
    if let Some(recorder) = recorder {
        let responses = recorder.end().map_err(Failure::Running)?;
        tracing::info!(responses, "responses recorded and redacted: read them before you share them");
    }
    let is_up = snapshot.accounts.iter().all(|account| account.up == Some(true));
    Ok(if is_up { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Collects once and returns the exporter, the metrics as OpenMetrics text, and the snapshot.
pub(super) async fn collect_once(
    configuration: Configuration,
    replay: Option<Replay>,
    keep: Keep,
) -> Result<(Arc<Exporter>, String, Arc<Snapshot>), Failure> {
    init_log(&configuration.common.log);
    let exporter = build(configuration, replay, keep).await?;
    // No Prometheus waits for this scrape: it may take as long as a list and a call after it.
    let Configuration { api, common, .. } = &exporter.configuration;
    let budget = common.scrape.timeout_max.unwrap_or(api.timeout.saturating_mul(2));
    let all = Selection::default();
    let collected = exporter.collect(&exporter.accounts, &all, true, budget, Format::PrometheusText);
    let (text, snapshot) = collected.await;
    Ok((exporter, text, snapshot))
}
