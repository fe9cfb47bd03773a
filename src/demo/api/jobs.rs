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
    Router::new().route("/organizations/{organization_id}/jobs", get(active))
}

async fn active(request: ApiRequest, Path(id): Path<u64>) -> ApiResult {
    let jobs = request.active_jobs(request.readable(id)?);
    Ok(success(json!({ "totalJobCount": jobs.len(), "jobs": jobs })))
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
