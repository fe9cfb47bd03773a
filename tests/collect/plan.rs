//! The plan of the JWT's user: compute time of the billing period.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{Exposition, FakeApi, Program, Running};

const PLAN: &str = "/api/user/subscription/metrics";

/// Starts an API whose user 9 has no organization.
async fn api() -> FakeApi {
    let api = FakeApi::start().await;
    api.answers("/api/user", &json!({ "success": true, "id": 9, "organizations": [] })).await;
    api
}

/// Returns compute time used, limit and reset date.
fn values(metrics: &Exposition) -> [Option<f64>; 3] {
    ["compute_time_used_seconds", "compute_time_limit_seconds", "reset_timestamp_seconds"]
        .map(|name| metrics.value(&format!("edgeimpulse_user_plan_{name}"), &[("user_id", "9")]))
}

fn result(metrics: &Exposition, name: &str) -> Option<f64> {
    metrics.value(&format!("edgeimpulse_scrape_collector_{name}"), &[("collector", "plan"), ("user_id", "9")])
}

fn odd_fields(metrics: &Exposition) -> Vec<(String, f64)> {
    let errors = metrics.series("edgeimpulse_exporter_decode_errors_total", &[]);
    errors.into_iter().map(|sample| (sample.labels["field"].clone(), sample.value)).collect()
}

async fn scrape(plan: &Value) -> Exposition {
    let api = api().await;
    api.answers(PLAN, plan).await;
    Running::with_jwt(&api, &[]).await.scrape().await
}

#[tokio::test]
async fn minutes_of_the_plan_become_seconds_and_are_not_those_of_the_organizations() {
    let metrics = scrape(&json!({ "success": true, "approachingComputeLimitMinutesLeft": 12, "metrics": {
        "computeMinutesCpu": 100, "computeMinutesGpu": 20, "computeMinutesTotal": 160.5,
        "computeMinutesLimit": 1000, "computeResetDate": "2026-11-14T00:00:00.000Z",
    } }))
    .await;
    assert_eq!(values(&metrics), [Some(9630.0), Some(60_000.0), Some(1_794_614_400.0)]);
    assert_eq!((result(&metrics, "success"), result(&metrics, "supported")), (Some(1.0), Some(1.0)));
    assert!(!metrics.text.contains("edgeimpulse_user_compute_time_used_seconds{"));
}

#[tokio::test]
async fn an_invalid_value_of_the_plan_costs_its_own_sample() {
    let whole = json!({ "computeMinutesTotal": 1, "computeMinutesLimit": 2,
        "computeResetDate": "1970-01-01T00:00:03Z" });
    for (at, field) in ["computeMinutesTotal", "computeMinutesLimit", "computeResetDate"].iter().enumerate() {
        for (odd, is_counted) in
            [(json!("odd"), true), (json!(-1), true), (json!([]), true), (json!(null), false)]
        {
            let mut plan = whole.clone();
            plan[field] = odd;
            let metrics = scrape(&json!({ "success": true, "metrics": plan })).await;
            let mut expected = [Some(60.0), Some(120.0), Some(3.0)];
            expected[at] = None;
            assert_eq!(values(&metrics), expected, "{plan}");
            let counted = is_counted.then(|| ((*field).to_owned(), 1.0));
            assert_eq!(odd_fields(&metrics), counted.into_iter().collect::<Vec<_>>(), "{plan}");
        }
    }
    let metrics = scrape(&json!({ "success": true, "metrics": 7 })).await;
    assert_eq!((values(&metrics), result(&metrics, "success")), ([None; 3], Some(0.0)), "not the API's plan");
}

#[tokio::test]
async fn a_user_without_a_subscription_has_no_sample_and_no_failure() {
    for answer in [json!({ "success": true }), json!({ "success": true, "metrics": null })] {
        let metrics = scrape(&answer).await;
        assert_eq!(values(&metrics), [None; 3], "{answer}");
        assert_eq!((result(&metrics, "success"), result(&metrics, "supported")), (Some(1.0), Some(1.0)));
        assert_eq!(odd_fields(&metrics), []);
    }
    let said = json!({ "success": false, "error": "User does not have an active plan" });
    for status in [200, 400, 402, 403, 404] {
        let api = api().await;
        api.responds(PLAN, ResponseTemplate::new(status).set_body_json(&said)).await;
        let metrics = Running::with_jwt(&api, &[]).await.scrape().await;
        assert_eq!(values(&metrics), [None; 3], "{status}");
        assert_eq!(
            (result(&metrics, "success"), result(&metrics, "supported")),
            (Some(0.0), Some(0.0)),
            "{status}"
        );
        assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
        let arguments = ["check", "--no-collector.trials", "--api.url", &api.url()];
        let checked = Program::ends(&arguments, &[("EDGEIMPULSE_JWT", "x")], 0).await;
        let words = checked.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let reason = "does not have an active plan; needs a JWT of a user with a subscription";
        assert!(words.contains(reason), "in the API's words: {words}");
    }
    // What is not the API's, or its own fault, is a failure.
    for response in [
        ResponseTemplate::new(404).set_body_string("<html>"),
        ResponseTemplate::new(500).set_body_json(&said),
        ResponseTemplate::new(200).set_body_string("<html>"),
    ] {
        let api = api().await;
        api.responds(PLAN, response).await;
        let metrics = Running::with_jwt(&api, &[]).await.scrape().await;
        assert_eq!((result(&metrics, "success"), result(&metrics, "supported")), (Some(0.0), Some(1.0)));
    }
}

#[tokio::test]
async fn an_api_key_has_no_plan_and_is_not_asked() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_supported", &[("collector", "plan")]), Some(0.0));
    assert!(!metrics.text.contains("edgeimpulse_user_plan_"));
    assert!(api.requests(PLAN).await.is_empty());
}
