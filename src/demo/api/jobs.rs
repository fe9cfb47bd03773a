//! The calls about jobs.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};

use super::{ApiRequest, ApiResult, date, person, success, with};
use crate::demo::scenarios::{Queue, Scenario};
use crate::demo::world::{DAY, USER, World, spread};
use crate::model::{Clock, UnixTime};

pub(super) fn routes() -> Router<(World, Clock)> {
    Router::new()
        .route("/organizations/{organization_id}/jobs", get(active))
        .route("/organizations/{organization_id}/jobs/all", get(all))
        .route("/organizations/{organization_id}/create-project", get(transformation_jobs))
}

async fn active(request: ApiRequest, Path(id): Path<u64>) -> ApiResult {
    let jobs = request.active_jobs(request.readable(id)?);
    Ok(success(json!({ "totalJobCount": jobs.len(), "jobs": jobs })))
}

async fn all(request: ApiRequest, Path(id): Path<u64>) -> ApiResult {
    let jobs = request.finished_jobs(request.readable(id)?);
    let (offset, limit) = request.page()?;
    let page: Vec<_> = jobs.iter().skip(offset).take(limit).collect();
    Ok(success(json!({ "totalJobCount": jobs.len(), "jobs": page })))
}

async fn transformation_jobs(request: ApiRequest, Path(id): Path<u64>) -> ApiResult {
    let jobs = request.transformation_jobs(request.readable(id)?);
    let (offset, limit) = request.page()?;
    let page: Vec<_> = jobs.iter().skip(offset).take(limit).collect();
    Ok(success(json!({ "totalJobCount": jobs.len(), "jobs": page })))
}

/// Category of a job, for machines and for people.
const CATEGORIES: [(&str, &str); 4] = [
    ("learn-train-studio-wrapper", "Training model"),
    ("generate-features", "Generating features"),
    ("transformation", "Transformation job"),
    ("deployment", "Building firmware"),
];

const MINUTE: f64 = 60.0;

impl ApiRequest {
    /// Returns the jobs of an organization that have not finished.
    fn active_jobs(&self, scenario: &Scenario) -> Vec<Value> {
        match scenario.queue {
            Queue::Moving => self.moving(scenario),
            Queue::Stopped => self.stopped(scenario),
            Queue::LongJob => {
                // A job of nearly a day, started at a full or half hour.
                let started = ((self.now - 0.955 * DAY) / (30.0 * MINUTE)).floor() * 30.0 * MINUTE;
                vec![job(scenario, started - MINUTE, Some(started))]
            }
        }
    }

    /// Returns the jobs of a queue in which each one is started after a minute.
    fn moving(&self, scenario: &Scenario) -> Vec<Value> {
        let (cpu, gpu) = scenario.compute;
        let count = ((cpu + gpu) / (4.0 * 3600.0)).ceil() as u64;
        let job = |index| {
            let seed = scenario.id * 100 + index;
            let period = 0.1 + 0.2 * spread(seed, 4);
            let created = self.world.last(scenario, period, seed, self.now);
            let age = self.now - created;
            let started = (age >= MINUTE).then_some(created + MINUTE);
            (age < 0.6 * period * DAY).then(|| job(scenario, created, started))
        };
        (0..count).filter_map(job).collect()
    }

    /// Returns the jobs of the last two days, the latest first: one every two hours, of which one in twelve fails.
    fn finished_jobs(&self, scenario: &Scenario) -> Vec<Value> {
        let latest = self.world.last(scenario, 1.0 / 12.0, scenario.id, self.now);
        let started = |index: u32| latest - f64::from(index + 1) * DAY / 12.0;
        let finished = |started: f64| {
            let duration = 0.05 * DAY * (0.2 + spread(scenario.id, started as u64));
            let finish = json!({
                "finished": date(started + duration),
                "finishedSuccessful": (started / MINUTE) as u64 / 120 % 12 > 0,
                "computeTime": duration.round(),
            });
            with(job(scenario, started - MINUTE, Some(started)), finish)
        };
        let is_recent = |started: &f64| self.now - started < 2.0 * DAY;
        (0..24).map(started).filter(is_recent).map(finished).collect()
    }

    /// Returns the transformation jobs of the last days, the latest first.
    fn transformation_jobs(&self, scenario: &Scenario) -> Vec<Value> {
        let latest = self.world.last(scenario, 0.25, scenario.id, self.now);
        let one = |index: u32| {
            let created = latest - f64::from(index) * DAY / 4.0;
            let status = match index {
                0 if self.now - created < DAY / 8.0 => "started",
                _ if (created / MINUTE) as u64 / 360 % 10 == 0 => "failed",
                _ => "finished",
            };
            let name = scenario.datasets.first().map_or("samples", |(name, _)| *name);
            json!({
                "id": scenario.id * 1_000_000 + (created / MINUTE) as u64 % 1_000_000,
                "organizationId": scenario.id,
                "name": format!("Clean {name}"),
                "transformJobStatus": status,
                "uploadJobStatus": if status == "finished" { "finished" } else { "waiting" },
                "uploadType": "dataset",
                "category": "training",
                "created": date(created),
                "outputDatasetName": name,
                "totalDownloadFileCount": 120,
                "totalDownloadFileSize": 48_000_000,
                "totalDownloadFileSizeString": "48 MB",
                "totalTimeSpentSeconds": 1800,
                "totalTimeSpentString": "30 minutes",
                "createdByUser": person(USER, created),
            })
        };
        (0..40).map(one).collect()
    }

    /// Returns the jobs of a queue that has stood still since some hours before the demo started: one more every two hours.
    fn stopped(&self, scenario: &Scenario) -> Vec<Value> {
        let created = |index: u32| self.world.day(-0.25) + f64::from(index) * DAY / 12.0;
        let waiting = (0..60).map(created).filter(|created| *created <= self.now);
        waiting.map(|created| job(scenario, created, None)).collect()
    }
}

fn job(scenario: &Scenario, created: UnixTime, started: Option<UnixTime>) -> Value {
    // The same job has the same id in each response.
    let id = scenario.id * 1_000_000 + (created / MINUTE) as u64 % 1_000_000;
    let (key, category) = CATEGORIES[(id % 4) as usize];
    let job = json!({
        "id": id,
        "category": category,
        "categoryKey": key,
        "key": format!("{key}-{id}"),
        "created": date(created),
        "jobNotificationUids": [USER],
        "createdByUser": person(USER, created),
    });
    match started {
        Some(started) => with(job, json!({ "started": date(started) })),
        None => job,
    }
}
