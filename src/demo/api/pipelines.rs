//! The call for the pipelines of an organization.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};

use super::{ApiRequest, ApiResult, date, success};
use crate::demo::scenarios::{PipelineState, Scenario};
use crate::demo::world::{DAY, World};
use crate::model::{Clock, UnixTime};

/// Duration of a run, as part of a day.
const RUN: f64 = 0.04;

pub(super) fn routes() -> Router<(World, Clock)> {
    Router::new().route("/organizations/{organization_id}/pipelines", get(pipelines))
}

async fn pipelines(request: ApiRequest, Path(id): Path<u64>) -> ApiResult {
    let scenario = request.readable(id)?;
    let pipeline = |(index, (name, state)): (u64, &(&str, PipelineState))| {
        request.pipeline(scenario, id * 10 + index, name, *state)
    };
    let pipelines: Vec<_> = (0..).zip(scenario.pipelines).map(pipeline).collect();
    Ok(success(json!({ "pipelines": pipelines })))
}

impl ApiRequest {
    /// Returns a pipeline that starts every night at two o'clock.
    fn pipeline(&self, scenario: &Scenario, id: u64, name: &str, state: PipelineState) -> Value {
        let world = &self.world;
        let duration = if state == PipelineState::Running { DAY } else { RUN * DAY };
        let night = ((self.now - world.day(2.0 / 24.0)) / DAY).floor() * DAY + world.day(2.0 / 24.0);
        // The overdue one has not started for two nights.
        let started = if state == PipelineState::Overdue { night.min(world.day(-3.0)) } else { night };
        let is_running = started + duration > self.now;
        let last = if is_running { started - DAY } else { started };
        // It fails from the last night before the demo starts on.
        let has_failed = state == PipelineState::Failing && last >= world.day(-1.0);
        let mut json = json!({
            "id": id,
            "name": name,
            "description": "",
            "intervalStr": "1d",
            "steps": [{ "name": "Import", "uploadType": "project", "projectApiKey": "ei_demo_project" }],
            "nextRun": date(started + DAY),
            "created": date(world.day(-200.0)),
            "lastRun": run(scenario, id, last, Some(last + duration), has_failed),
            "emailRecipientUids": [],
            "whenToEmail": "never",
        });
        if is_running {
            json["currentRun"] = run(scenario, id, started, None, false);
        }
        json
    }
}

/// Returns a run with one step.
fn run(
    scenario: &Scenario,
    pipeline_id: u64,
    created: UnixTime,
    finished: Option<UnixTime>,
    has_failed: bool,
) -> Value {
    let status = match finished {
        Some(_) if has_failed => "failed",
        Some(_) => "finished",
        None => "started",
    };
    let id = (created / DAY) as u64;
    let mut run = json!({
        "id": id,
        "created": date(created),
        "itemCountImportIntoProjectFailed": if has_failed { 12 } else { 0 },
        "steps": [{
            "name": "Import",
            "status": status,
            "transformationJob": {
                "id": id,
                "organizationId": scenario.id,
                "name": "Import",
                "status": status,
                "transformJobStatus": status,
                "uploadJobStatus": if finished.is_some() { "finished" } else { "waiting" },
                "uploadType": "project",
                "category": "training",
                "created": date(created),
                "totalDownloadFileCount": 40,
                "totalDownloadFileSize": 80_000_000,
                "totalDownloadFileSizeString": "80 MB",
                "totalUploadFileCount": 40,
                "transformationParallel": 1,
                "transformationSummary": {
                    "startedCount": 40,
                    "succeededCount": 40,
                    "finishedCount": 40,
                    "totalFileCount": 40,
                    "totalTimeSpentSeconds": 600,
                },
                "inProgress": finished.is_none(),
                "pipelineId": pipeline_id,
                "operatesOn": "file",
                "totalTimeSpentSeconds": 600,
                "totalTimeSpentString": "10 minutes",
            },
            "projectApiKey": "ei_demo_project",
        }],
    });
    if let Some(finished) = finished {
        run["finished"] = date(finished).into();
    }
    run
}
