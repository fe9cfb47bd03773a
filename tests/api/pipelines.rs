//! Pipelines of organizations, and their last runs.

use std::collections::BTreeMap;
use std::time::Duration;

use edgeimpulse_exporter::model::Collector;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::properties::facts;
use crate::support::{Exposition, FakeApi, Running};

const PIPELINES: &str = "/api/organizations/1/pipelines";

/// Scrapes an organization with these pipelines.
async fn scrape(pipelines: &Value) -> Exposition {
    let api = FakeApi::with_samples("typical").await;
    api.answers(PIPELINES, &json!({ "success": true, "pipelines": pipelines })).await;
    Running::with_key(&api, &["--organization-id=1"]).await.scrape().await
}

fn of(metrics: &Exposition, id: &str, name: &str) -> Option<f64> {
    metrics.value(&format!("edgeimpulse_pipeline_{name}"), &[("organization_id", "1"), ("pipeline_id", id)])
}

#[tokio::test]
async fn a_pipeline_shows_its_last_and_next_run() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    for (name, good, failed, manual) in [
        ("info", Some(1.0), Some(1.0), Some(1.0)),
        ("next_run_timestamp_seconds", Some(1_793_498_400.0), Some(1_793_487_600.0), None),
        ("current_run_created_timestamp_seconds", None, Some(1_793_487_605.0), None),
        ("last_run_created_timestamp_seconds", Some(1_793_412_000.0), Some(1_793_480_400.0), None),
        ("last_run_finished_timestamp_seconds", Some(1_793_414_400.0), Some(1_793_480_730.25), None),
        ("last_run_failed", Some(0.0), Some(1.0), None),
        ("last_run_items_import_failed", Some(0.0), Some(3.0), None),
        ("start_failed", Some(0.0), Some(0.0), Some(1.0)),
    ] {
        let shown = ["21", "22", "23"].map(|id| of(&metrics, id, name));
        assert_eq!(shown, [good, failed, manual], "{name}");
    }
    assert_eq!(metrics.series("edgeimpulse_pipeline_info", &[("pipeline", "import-gait")]).len(), 1);
    for secret in ["ei_step", "hmac_", "ei_pipeline", "user1", "Ünal", "no API key"] {
        assert!(!metrics.text.contains(secret), "{secret} is shown");
    }
}

#[tokio::test]
async fn the_last_run_has_failed_if_a_job_of_it_has() {
    let job = |status: Value| json!({ "transformationJob": { "status": status } });
    for (steps, has_failed) in [
        (json!([]), Some(0.0)),
        (json!(null), None),
        (json!("odd"), None),
        (json!([{ "name": "Step 1", "status": "started" }]), Some(0.0)),
        (json!([job(json!("finished")), job(json!("waiting"))]), Some(0.0)),
        (json!([job(json!("new-in-2027"))]), Some(0.0)),
        (json!([job(json!("finished")), job(json!("failed"))]), Some(1.0)),
        (json!([{ "transformationJob": { "status": "finished", "uploadJobStatus": "failed" } }]), Some(1.0)),
        (json!([{ "transformationJob": { "transformJobStatus": "failed" } }]), Some(1.0)),
        // Whether one has failed cannot be told, unless another one has.
        (json!([job(json!(5))]), None),
        (json!([job(json!(5)), job(json!("failed"))]), Some(1.0)),
        (json!([{ "transformationJob": "odd" }]), None),
        (json!(["odd", job(json!("finished"))]), None),
        (json!(["odd", job(json!("failed"))]), Some(1.0)),
    ] {
        let run = json!({ "created": "2026-10-31T02:00:00Z", "steps": steps });
        let metrics = scrape(&json!([{ "id": 1, "lastRun": run }])).await;
        assert_eq!(of(&metrics, "1", "last_run_failed"), has_failed, "{steps}");
        assert_eq!(of(&metrics, "1", "last_run_created_timestamp_seconds"), Some(1_793_412_000.0));
    }
}

#[tokio::test]
async fn an_invalid_value_of_a_pipeline_costs_its_own_sample_only() {
    let run = json!({ "created": 5, "finished": "2026-10-31T02:40:00Z", "steps": [] });
    let metrics = scrape(&json!([
        { "id": 1, "name": 1, "nextRun": "2026-11-01T02:00:00Z", "lastRun": run, "lastRunStartError": 7 },
        { "id": 2, "name": "b", "nextRun": "soon", "lastRun": "odd", "lastRunStartError": "" },
        { "id": "3", "name": "c" },
        5,
    ]))
    .await;
    let both = |name| (of(&metrics, "1", name), of(&metrics, "2", name));
    assert_eq!(both("info"), (None, Some(1.0)), "an info series has all of its labels");
    assert_eq!(both("next_run_timestamp_seconds"), (Some(1_793_498_400.0), None));
    assert_eq!(both("last_run_created_timestamp_seconds"), (None, None));
    assert_eq!(both("last_run_finished_timestamp_seconds"), (Some(1_793_414_400.0), None));
    assert_eq!(both("last_run_failed"), (Some(0.0), None));
    assert_eq!(both("start_failed"), (None, Some(0.0)), "an empty text is no error");
    assert_eq!(metrics.series("edgeimpulse_pipeline_info", &[]).len(), 1);
    let invalid = metrics.series("edgeimpulse_exporter_decode_errors_total", &[]);
    let invalid: BTreeMap<_, _> = invalid.iter().map(|it| (&*it.labels["field"], it.value)).collect();
    let fields = ["created", "id", "lastRun", "lastRunStartError", "name", "nextRun", "pipelines"];
    assert_eq!(invalid, fields.map(|field| (field, 1.0)).into());
}

#[tokio::test]
async fn pipelines_with_the_same_id_are_shown_once_and_those_beyond_the_limit_are_counted() {
    let pipeline = |id: u64| json!({ "id": id, "name": format!("pipeline {id}") });
    let pipelines: Vec<_> = [5, 5].into_iter().chain(10..=1010).map(pipeline).collect();
    let metrics = scrape(&json!(pipelines)).await;
    assert_eq!(metrics.series("edgeimpulse_pipeline_info", &[]).len(), 1000);
    assert_eq!((of(&metrics, "1008", "info"), of(&metrics, "1009", "info")), (Some(1.0), None));
    let dropped = |reason| metrics.value("edgeimpulse_exporter_dropped_series", &[("reason", reason)]);
    assert_eq!(dropped("pipeline_limit"), Some(4.0), "two pipelines, each with a name and `start_failed`");
    assert_eq!(dropped("duplicate"), Some(2.0));
    let endpoint = [("endpoint", "/api/organizations/{organizationId}/pipelines"), ("field", "pipelines")];
    assert_eq!(metrics.value("edgeimpulse_exporter_truncated_total", &endpoint), Some(2.0));
}

#[tokio::test]
async fn a_long_name_is_shortened_and_a_long_error_is_not_kept() {
    let long = "x".repeat(5000);
    let metrics = scrape(&json!([{ "id": 1, "name": long, "lastRunStartError": long }])).await;
    assert_eq!(metrics.labels("edgeimpulse_pipeline_info", "pipeline"), ["x".repeat(1024)]);
    assert_eq!(of(&metrics, "1", "start_failed"), Some(1.0));
    let truncated = metrics.series("edgeimpulse_exporter_truncated_total", &[]);
    let truncated: Vec<_> = truncated.iter().map(|it| (&*it.labels["field"], it.value)).collect();
    assert_eq!(truncated, [("name", 1.0)]);
}

#[tokio::test]
async fn pipelines_that_may_not_be_read_are_not_supported_and_cost_nothing_else() {
    let api = FakeApi::with_samples("typical").await;
    api.refuses(PIPELINES, 403, "You do not have permission to access this organization").await;
    let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
    let metrics = exporter.scrape().await;
    let pipelines = [("collector", "pipelines")];
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_supported", &pipelines), Some(0.0));
    assert_eq!(metrics.failures(), [("forbidden", 1.0)]);
    assert!(!metrics.text.contains("edgeimpulse_pipeline_"));
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
    assert_eq!(metrics.series("edgeimpulse_bucket_connected", &[]).len(), 3);
    let page = exporter.page("/").await;
    assert!(page.contains("You do not have permission to access this organization"), "{page}");
}

#[tokio::test]
async fn pipelines_are_read_every_five_minutes_and_of_developer_profiles_too() {
    let api = FakeApi::start().await;
    let profile = json!({ "id": 1, "isDeveloperProfile": true });
    api.answers("/api/organizations", &json!({ "success": true, "organizations": [profile] })).await;
    let exporter = Running::with_key(&api, &[]).await;
    let pipelines = [("collector", "pipelines")];
    for _ in 0..3 {
        let metrics = exporter.scrape().await;
        assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &pipelines), Some(1.0));
    }
    // The calls are spread over the interval: one may be due again while this test runs.
    assert!((1..=2).contains(&api.requests(PIPELINES).await.len()));
    assert_eq!(Collector::Pipelines.default_interval(), Some(Duration::from_mins(5)));
}

/// Any value that a member may have, valid or not.
fn value() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(3),
        json!(-1),
        json!(2.5),
        json!(""),
        json!("failed"),
        json!("finished"),
        json!("2026-10-31T02:00:00Z"),
        json!("2026-10-31T02:00:00.250+02:00"),
        json!([]),
        json!(["failed"]),
        json!({ "id": 1 }),
    ])
}

/// An object with these members, each of which may be absent, and one of which no member is read.
fn object(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let member = |(name, value)| prop::option::weighted(0.8, value).prop_map(move |value| (name, value));
    let members: Vec<_> = members.into_iter().map(member).collect();
    let object = members.prop_map(|members| {
        let known = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(known.chain([("projectApiKey".to_owned(), json!("ei_1"))]).collect())
    });
    prop_oneof![9 => object, 1 => value()].boxed()
}

fn list(element: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop_oneof![9 => prop::collection::vec(element, 0..4).prop_map(Value::from), 1 => value()].boxed()
}

fn pipeline() -> BoxedStrategy<Value> {
    let any = || value().boxed();
    let id = prop_oneof![5 => (0_u32..6).prop_map(Value::from), 1 => value()].boxed();
    let job = object(vec![("status", any()), ("transformJobStatus", any()), ("uploadJobStatus", any())]);
    let steps = list(object(vec![("transformationJob", job)]));
    let run = |steps| {
        let items = ("itemCountImportIntoProjectFailed", any());
        object(vec![("created", any()), ("finished", any()), items, ("steps", steps)])
    };
    object(vec![
        ("id", id),
        ("name", any()),
        ("nextRun", any()),
        ("steps", any()),
        ("currentRun", run(any())),
        ("lastRun", run(steps)),
        ("lastRunStartError", any()),
    ])
}

/// Reads a pipeline once more: a date, a number and a flag for each metric.
fn read(pipeline: &Value) -> [Option<f64>; 7] {
    let date = |value: &Value| match value.as_str() {
        Some("2026-10-31T02:00:00Z") => Some(1_793_412_000.0),
        Some("2026-10-31T02:00:00.250+02:00") => Some(1_793_404_800.25),
        _ => None,
    };
    let run = &pipeline["lastRun"];
    let jobs = run["steps"].as_array().map(|steps| {
        steps.iter().flat_map(|step| match &step["transformationJob"] {
            Value::Object(job) => ["status", "transformJobStatus", "uploadJobStatus"]
                .map(|name| job.get(name).cloned().unwrap_or_default())
                .to_vec(),
            Value::Null if step.is_object() => vec![],
            _ => vec![json!(5)],
        })
    });
    let failed = jobs.and_then(|statuses| {
        let statuses: Vec<_> = statuses.filter(|status| !status.is_null()).collect();
        let has_failed = statuses.iter().any(|status| status == "failed");
        (has_failed || statuses.iter().all(Value::is_string)).then_some(f64::from(u8::from(has_failed)))
    });
    let start_failed = match &pipeline["lastRunStartError"] {
        Value::Null => Some(0.0),
        value => value.as_str().map(|text| f64::from(u8::from(!text.is_empty()))),
    };
    [
        date(&pipeline["nextRun"]),
        date(&pipeline["currentRun"]["created"]),
        date(&run["created"]),
        date(&run["finished"]),
        failed,
        run["itemCountImportIntoProjectFailed"].as_f64().filter(|number| *number >= 0.0),
        start_failed,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Read once more, from the JSON values.
    #[test]
    fn any_list_of_pipelines_becomes_what_it_says(pipelines in prop::collection::vec(pipeline(), 0..6)) {
        let response = json!({ "success": true, "pipelines": pipelines });
        let facts = facts(Collector::Pipelines, &response);
        let flag = |flag: Option<bool>| flag.map(|flag| f64::from(u8::from(flag)));
        let rows = facts.organizations[&1].pipelines.as_ref().unwrap().rows.iter().map(|row| {
            let values = [row.next_run, row.current_run_created, row.last_run_created, row.last_run_finished,
                flag(row.last_run_failed), row.last_run_items_import_failed, flag(row.start_failed)];
            (row.id, (row.name.as_deref().map(str::to_owned), values))
        });
        let mut expected = BTreeMap::new();
        for pipeline in &pipelines {
            let Some(id) = pipeline["id"].as_u64().filter(|_| pipeline.is_object()) else { continue };
            let name = pipeline["name"].as_str().map(str::to_owned);
            expected.entry(id).or_insert((name, read(pipeline)));
        }
        prop_assert_eq!(rows.collect::<BTreeMap<_, _>>(), expected);
    }
}
