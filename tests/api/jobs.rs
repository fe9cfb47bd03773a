//! Jobs of organizations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::running::NOW;
use crate::support::{Exposition, FakeApi, Running};

const JOBS: &str = "/api/organizations/1/jobs";

const CATEGORIES: [&str; 3] = ["transformation", "deployment", "generate-features"];

/// Numbers that look random, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Returns a date of the last 30 hours.
    fn date(&mut self) -> String {
        let ago = self.below(30 * 3_600_000);
        jiff::Timestamp::from_millisecond(NOW as i64 * 1000 - ago as i64).unwrap().to_string()
    }

    /// Returns a job by the schema of the API's document; members that it does not require may be missing.
    fn job(&mut self) -> Value {
        let category = CATEGORIES[self.below(3) as usize];
        let mut job = json!({
            "id": self.below(100_000),
            "category": "Somebody's category",
            "categoryKey": category,
            "key": "some-key",
            "created": self.date(),
            "jobNotificationUids": [self.below(100)],
        });
        for (member, value) in [
            ("started", json!(self.date())),
            ("finished", json!(self.date())),
            ("finishedSuccessful", json!(self.below(2) == 0)),
            ("computeTime", json!(self.below(1_000_000) as f64 / 8.0)),
            ("additionalInfo", json!("about somebody")),
            ("createdByUser", json!({ "id": 5, "name": "Somebody", "username": "somebody" })),
            ("metadata", json!({ "created": "never", "started": 5 })),
        ] {
            match self.below(5) {
                0 => job[member] = Value::Null,
                1 | 2 => job[member] = value,
                _ => {}
            }
        }
        job
    }
}

fn seconds(date: &Value) -> Option<f64> {
    let date: jiff::Timestamp = date.as_str()?.parse().unwrap();
    Some(date.as_millisecond() as f64 / 1000.0)
}

fn of(metrics: &Exposition, id: &str, name: &str) -> Option<f64> {
    metrics.value(&format!("edgeimpulse_organization_{name}"), &[("organization_id", id)])
}

fn in_state(metrics: &Exposition, id: &str, state: &str) -> Option<f64> {
    metrics.value("edgeimpulse_organization_jobs", &[("organization_id", id), ("state", state)])
}

const OLDEST_QUEUED: &str = "oldest_queued_job_created_timestamp_seconds";
const OLDEST_RUNNING: &str = "oldest_running_job_started_timestamp_seconds";

async fn scrape(jobs: &Value) -> Exposition {
    let api = FakeApi::start().await;
    api.lists(&[1]).await;
    api.answers(JOBS, &json!({ "success": true, "jobs": jobs })).await;
    Running::with_key(&api, &[]).await.scrape().await
}

#[tokio::test]
async fn jobs_are_queued_until_they_start_and_running_until_they_finish() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    assert_eq!((in_state(&metrics, "1", "queued"), in_state(&metrics, "1", "running")), (Some(2.0), Some(2.0)));
    // 2026-10-31 at 22:30:00 and at 20:01:30.5.
    assert_eq!(of(&metrics, "1", OLDEST_QUEUED), Some(1_793_485_800.0));
    assert_eq!(of(&metrics, "1", OLDEST_RUNNING), Some(1_793_476_890.5));
    assert_eq!((in_state(&metrics, "2", "queued"), in_state(&metrics, "2", "running")), (Some(0.0), Some(0.0)));
    assert_eq!((of(&metrics, "2", OLDEST_QUEUED), of(&metrics, "2", OLDEST_RUNNING)), (None, None));
    assert_eq!(api.requests(JOBS).await[0].url.query(), Some("rootOnly=true"));
}

#[tokio::test]
async fn unfinished_jobs_of_any_answer_are_those_of_an_independent_reading() {
    let mut random = Random(1);
    let ids: Vec<u64> = (1..=60).collect();
    let api = FakeApi::start().await;
    api.lists(&ids).await;
    let mut answers = BTreeMap::new();
    for id in ids {
        let jobs: Vec<_> = (0..random.below(12)).map(|_| random.job()).collect();
        let answer = json!({ "success": true, "jobs": jobs, "totalJobCount": jobs.len() });
        api.answers(&format!("/api/organizations/{id}/jobs"), &answer).await;
        answers.insert(id.to_string(), jobs);
    }
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    let earliest = |dates: Vec<f64>| dates.into_iter().reduce(f64::min);
    for (id, jobs) in &answers {
        let jobs = || jobs.iter().filter(|job| job["finished"].is_null());
        let queued = || jobs().filter(|job| job["started"].is_null());
        let running = || jobs().filter(|job| !job["started"].is_null());
        assert_eq!(in_state(&metrics, id, "queued"), Some(queued().count() as f64), "{id}");
        assert_eq!(in_state(&metrics, id, "running"), Some(running().count() as f64), "{id}");
        let oldest = earliest(queued().filter_map(|job| seconds(&job["created"])).collect());
        assert_eq!(of(&metrics, id, OLDEST_QUEUED), oldest, "{id}");
        let oldest = earliest(running().filter_map(|job| seconds(&job["started"])).collect());
        assert_eq!(of(&metrics, id, OLDEST_RUNNING), oldest, "{id}");
    }
}

#[tokio::test]
async fn one_bad_field_of_a_job_costs_what_depends_on_it() {
    let (early, late) = ("2026-10-31T10:00:00Z", "2026-10-31T20:00:00Z");
    let running = json!({ "created": early, "started": late });
    let [running_since, queued_since] = [Some(1_793_476_800.0), Some(1_793_440_800.0)];
    for (job, queued, oldest_queued, oldest_running) in [
        (json!({ "created": early }), Some(1.0), queued_since, running_since),
        (json!({}), Some(1.0), None, running_since),
        (json!({ "created": "odd" }), Some(1.0), None, running_since),
        (json!({ "created": "odd", "started": late }), Some(0.0), None, running_since),
        (json!({ "created": early, "started": "odd" }), None, None, None),
        (json!({ "created": early, "finished": 7 }), None, None, None),
        (json!({ "created": early, "started": "odd", "finished": late }), Some(0.0), None, running_since),
        (json!(7), None, None, None),
    ] {
        let metrics = scrape(&json!([running, job])).await;
        assert_eq!(in_state(&metrics, "1", "queued"), queued, "{job}");
        assert_eq!(of(&metrics, "1", OLDEST_QUEUED), oldest_queued, "{job}");
        assert_eq!(of(&metrics, "1", OLDEST_RUNNING), oldest_running, "{job}");
        let success = [("collector", "jobs")];
        assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &success), Some(1.0), "{job}");
    }
}

#[tokio::test]
async fn jobs_that_the_api_refuses_are_not_supported_and_cost_nothing_else() {
    let api = FakeApi::with_samples("typical").await;
    api.refuses(JOBS, 403, "You do not have permission").await;
    let metrics = Running::with_key(&api, &["--organization-id=1"]).await.scrape().await;
    let jobs = [("collector", "jobs"), ("organization_id", "1")];
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_supported", &jobs), Some(0.0));
    assert!(metrics.series("edgeimpulse_organization_jobs", &[]).is_empty(), "not 0 jobs");
    assert_eq!(metrics.failures(), [("forbidden", 1.0)]);
    assert!(of(&metrics, "1", "storage_used_bytes").is_some());
}

#[tokio::test]
async fn a_probe_has_the_jobs_of_its_organization() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[]).await;
    let metrics = Exposition::of_prometheus_text(&exporter.page("/probe?target=1").await);
    assert_eq!(metrics.values("edgeimpulse_organization_jobs", &[]), [2.0, 2.0]);
    let jobs = [("collector", "jobs")];
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &jobs), Some(1.0));
}
