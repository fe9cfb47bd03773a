//! Jobs of organizations.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wiremock::{Request, Respond, ResponseTemplate};

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
        let now = jiff::Timestamp::from_second(1_793_534_400).unwrap();
        (now - jiff::SignedDuration::from_millis(ago.cast_signed())).to_string()
    }

    /// Returns a job by the schema of the API's document; members that it does not require may be missing.
    fn job(&mut self) -> Value {
        let category = CATEGORIES[usize::try_from(self.below(3)).unwrap()];
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

const FINISHED_JOBS: &str = "/api/organizations/1/jobs/all";
const TRANSFORMATION_JOBS: &str = "/api/organizations/1/create-project";

/// Answers with pages of these jobs. A page begins `overlap` elements before the place that the request names.
fn pages(jobs: Vec<Value>, overlap: usize) -> impl Fn(&Request) -> ResponseTemplate {
    move |request: &Request| {
        let query: BTreeMap<_, _> = request.url.query_pairs().into_owned().collect();
        let number = |name: &str| query[name].parse::<usize>().unwrap();
        let page = jobs.iter().skip(number("offset").saturating_sub(overlap)).take(number("limit"));
        let page: Vec<_> = page.collect();
        ResponseTemplate::new(200)
            .set_body_json(json!({ "success": true, "jobs": page, "totalJobCount": jobs.len() }))
    }
}

async fn scrape_finished(response: impl Respond + 'static) -> (FakeApi, Exposition) {
    let api = FakeApi::start().await;
    api.lists(&[1]).await;
    api.responds(FINISHED_JOBS, response).await;
    let metrics = Running::with_key(&api, &["--collector.finished_jobs"]).await.scrape().await;
    (api, metrics)
}

const FINISHED: &str = "edgeimpulse_organization_finished_jobs";
const COMPUTE_TIME: &str = "edgeimpulse_organization_finished_jobs_compute_time_seconds";

fn finished(metrics: &Exposition, category: &str) -> (Option<f64>, Option<f64>, Option<f64>) {
    let of = |result| metrics.value(FINISHED, &[("category", category), ("result", result)]);
    (of("successful"), of("failed"), metrics.value(COMPUTE_TIME, &[("category", category)]))
}

fn truncated(metrics: &Exposition, field: &str) -> Option<f64> {
    metrics.value("edgeimpulse_exporter_truncated_total", &[("field", field)])
}

#[tokio::test]
async fn finished_jobs_of_any_answer_are_those_of_an_independent_reading() {
    let mut random = Random(2);
    for (count, overlap, requests) in [(0, 0, 1), (1, 0, 1), (200, 0, 1), (450, 0, 3), (450, 7, 3)] {
        let mut jobs: Vec<_> = (0..count).map(|_| random.job()).collect();
        for (id, job) in jobs.iter_mut().enumerate() {
            job["id"] = id.into();
        }
        let (api, metrics) = scrape_finished(pages(jobs.clone(), overlap)).await;
        assert_eq!(api.requests(FINISHED_JOBS).await.len(), requests, "{count}");
        let recent = |job: &&Value| seconds(&job["finished"]).is_some_and(|at| NOW - at <= 86_400.0);
        for category in CATEGORIES {
            let jobs = || jobs.iter().filter(|job| job["categoryKey"] == category).filter(recent);
            let with = |is: bool| jobs().filter(|job| job["finishedSuccessful"] == is).count() as f64;
            let is_known = jobs().any(|job| !job["finishedSuccessful"].is_null());
            let times: Vec<_> = jobs().filter_map(|job| job["computeTime"].as_f64()).collect();
            let expected = (
                is_known.then(|| with(true)),
                is_known.then(|| with(false)),
                (!times.is_empty()).then(|| times.iter().sum::<f64>()),
            );
            assert_eq!(finished(&metrics, category), expected, "{category} of {count}");
        }
    }
}

#[tokio::test]
async fn finished_jobs_are_requested_of_two_days_and_counted_of_one() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_key(&api, &["--collector.finished_jobs"]).await.scrape().await;
    assert_eq!(finished(&metrics, "learn-train-studio-wrapper"), (Some(1.0), Some(1.0), Some(5400.5)));
    assert_eq!(finished(&metrics, "transformation"), (Some(2.0), Some(0.0), Some(600.25)));
    let query = "finished=all&startDate=2026-10-30T00%3A00%3A00Z&limit=200&offset=0";
    assert_eq!(api.requests(FINISHED_JOBS).await[0].url.query(), Some(query));
}

#[tokio::test]
async fn one_bad_field_of_a_finished_job_costs_what_depends_on_it() {
    let job = |category: &str, member: &str, value: Value| {
        let mut job = json!({ "categoryKey": category, "finished": "2026-10-31T20:00:00Z",
            "finishedSuccessful": true, "computeTime": 5, "id": category.len() });
        job[member] = value;
        job
    };
    let good = (Some(1.0), Some(0.0), Some(5.0));
    for (bad, of_bad, of_other) in [
        (job("bad", "id", json!("odd")), (None, None, None), good),
        (job("bad", "finished", json!("odd")), (None, None, None), good),
        (job("bad", "finishedSuccessful", json!("odd")), (None, None, Some(5.0)), good),
        (job("bad", "computeTime", json!(-1)), (Some(1.0), Some(0.0), None), good),
        (job("bad", "categoryKey", Value::Null), (None, None, None), good),
        (job("bad", "categoryKey", json!(7)), (None, None, None), (None, None, None)),
        (json!(7), (None, None, None), (None, None, None)),
    ] {
        let list = json!({ "success": true, "jobs": [bad, job("good", "key", json!("k"))] });
        let (_, metrics) = scrape_finished(ResponseTemplate::new(200).set_body_json(&list)).await;
        assert_eq!((finished(&metrics, "bad"), finished(&metrics, "good")), (of_bad, of_other), "{list}");
        let success = [("collector", "finished_jobs")];
        assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &success), Some(1.0), "{list}");
    }
}

/// Returns jobs that finished an hour ago, each with the category that a function returns for its number.
fn recent_jobs(count: usize, category: impl Fn(usize) -> String) -> Vec<Value> {
    let job = |id| {
        json!({ "id": id, "categoryKey": category(id), "finished": "2026-10-31T23:00:00Z",
        "finishedSuccessful": true, "computeTime": 1 })
    };
    (0..count).map(job).collect()
}

#[tokio::test]
async fn finished_jobs_beyond_the_limits_are_counted_and_not_shown() {
    let (_, metrics) = scrape_finished(pages(recent_jobs(150, |id| format!("category-{id:03}")), 0)).await;
    assert_eq!(metrics.series(COMPUTE_TIME, &[]).len(), 100);
    assert_eq!(finished(&metrics, "category-099"), (Some(1.0), Some(0.0), Some(1.0)));
    assert_eq!(truncated(&metrics, "categoryKey"), Some(50.0));

    // More than are counted, in one answer: their number would be too low.
    let all = json!({ "success": true, "jobs": recent_jobs(20_007, |_| "one".to_owned()) });
    let (api, metrics) = scrape_finished(ResponseTemplate::new(200).set_body_json(&all)).await;
    assert!(metrics.series(FINISHED, &[]).is_empty());
    assert_eq!((truncated(&metrics, "jobs"), api.requests(FINISHED_JOBS).await.len()), (Some(7.0), 1));
    let long = "x".repeat(2000);
    let (_, metrics) = scrape_finished(pages(recent_jobs(1, |_| long.clone()), 0)).await;
    assert_eq!(finished(&metrics, &long[..1024]), (Some(1.0), Some(0.0), Some(1.0)));
    assert_eq!(truncated(&metrics, "categoryKey"), Some(1.0));
}

#[tokio::test]
async fn a_list_of_finished_jobs_without_end_is_an_error() {
    let endless = |request: &Request| {
        let (_, offset) = request.url.query_pairs().find(|(name, _)| name == "offset").unwrap();
        let job = json!({ "id": offset.parse::<u64>().unwrap(), "categoryKey": "one" });
        ResponseTemplate::new(200)
            .set_body_json(json!({ "success": true, "jobs": [job], "totalJobCount": 1_000_000 }))
    };
    let (api, metrics) = scrape_finished(endless).await;
    assert_eq!(api.requests(FINISHED_JOBS).await.len(), 100);
    let failed = [("collector", "finished_jobs")];
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &failed), Some(0.0));
    // An API that ignores the offset has sent everything with the first page.
    let same = json!({ "success": true, "jobs": recent_jobs(3, |_| "one".to_owned()), "totalJobCount": 9 });
    let (api, metrics) = scrape_finished(ResponseTemplate::new(200).set_body_json(&same)).await;
    assert_eq!(finished(&metrics, "one"), (Some(3.0), Some(0.0), Some(3.0)));
    assert_eq!(api.requests(FINISHED_JOBS).await.len(), 2);
}

#[tokio::test]
async fn the_latest_transformation_jobs_are_counted_by_status() {
    let api = FakeApi::with_samples("typical").await;
    let options = ["--collector.transformation_jobs", "--organization-id=1"];
    let exporter = Running::with_key(&api, &options).await;
    let name = "edgeimpulse_organization_transformation_jobs";
    assert_eq!(exporter.scrape().await.values(name, &[]), [1.0, 0.0, 1.0, 2.0, 1.0, 0.0]);
    assert_eq!(api.requests(TRANSFORMATION_JOBS).await[0].url.query(), Some("limit=100"));
    for (jobs, expected) in [
        (json!([{ "transformJobStatus": "paused" }, {}]), vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
        (json!([{ "transformJobStatus": "failed" }, { "transformJobStatus": 7 }]), vec![]),
        (json!([{ "transformJobStatus": "failed" }, 7]), vec![]),
        (json!([]), vec![0.0; 6]),
        (json!(vec![json!({ "transformJobStatus": "created" }); 107]), vec![0.0, 100.0, 0.0, 0.0, 0.0, 0.0]),
    ] {
        api.answers(TRANSFORMATION_JOBS, &json!({ "success": true, "jobs": jobs })).await;
        let metrics = Running::with_key(&api, &options).await.scrape().await;
        assert_eq!(metrics.values(name, &[]), expected, "{jobs}");
        let left_out = (jobs.as_array().unwrap().len() > 100).then_some(7.0);
        assert_eq!(truncated(&metrics, "jobs"), left_out);
    }
}

#[tokio::test]
async fn collectors_that_are_off_by_default_make_calls_only_if_they_are_enabled() {
    let api = FakeApi::with_samples("typical").await;
    let page = {
        let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
        exporter.scrape().await;
        exporter.page("/").await
    };
    assert!(page.contains("Off by default: finished_jobs, transformation_jobs."), "{page}");
    for path in [FINISHED_JOBS, TRANSFORMATION_JOBS] {
        assert!(api.requests(path).await.is_empty(), "{path}");
    }
    let exporter = Running::with_key(&api, &["--organization-id=1", "--collector.finished_jobs"]).await;
    exporter.scrape().await;
    exporter.scrape().await;
    assert_eq!(api.requests(FINISHED_JOBS).await.len(), 1, "it has an interval");
    assert!(api.requests(TRANSFORMATION_JOBS).await.is_empty());
    for path in [FINISHED_JOBS, TRANSFORMATION_JOBS] {
        api.refuses(path, 403, "You do not have permission").await;
    }
    let options = ["--organization-id=1", "--collector.finished_jobs", "--collector.transformation_jobs=true"];
    let metrics = Running::with_key(&api, &options).await.scrape().await;
    for collector in ["finished_jobs", "transformation_jobs"] {
        let labels = [("collector", collector)];
        assert_eq!(metrics.value("edgeimpulse_scrape_collector_supported", &labels), Some(0.0), "{collector}");
    }
    assert!(metrics.series(FINISHED, &[]).is_empty());
}
