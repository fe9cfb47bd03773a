//! Intervals: for how long the facts of a collector are used, and when its calls are made.

use serde_json::{Value, json};

use crate::support::{Exposition, FakeApi, Running};

const OWNER: &str = "--whitelabel.organization-id=1";

/// A white label with that many organizations, none of which the API key is a member of.
async fn portfolio(count: u64) -> FakeApi {
    let api = FakeApi::start().await;
    api.lists(&[1]).await;
    let organizations: Vec<Value> = (101..101 + count)
        .map(|id| json!({ "id": id, "name": format!("Org {id}"), "created": "2026-01-01T00:00:00Z" }))
        .collect();
    let list = json!({ "success": true, "total": count, "organizations": organizations });
    api.answers("/api/organizations/1/whitelabel/organizations", &list).await;
    for id in 101..101 + count {
        let path = format!("/api/organizations/1/whitelabel/organizations/{id}");
        api.answers(&path, &json!({ "success": true, "totalStorage": id })).await;
    }
    api
}

async fn calls_of_organizations(api: &FakeApi) -> usize {
    let mut calls = 0;
    for id in 101..200 {
        calls += api.requests(&format!("/api/organizations/1/whitelabel/organizations/{id}")).await.len();
    }
    calls
}

fn shown(metrics: &Exposition) -> usize {
    metrics.series("edgeimpulse_organization_storage_used_bytes", &[]).len()
}

#[tokio::test]
async fn a_call_with_an_interval_is_made_once_in_it_however_often_it_is_scraped() {
    let api = portfolio(30).await;
    api.answers("/api/organizations/1", &json!({ "success": true, "organization": { "id": 1 } })).await;
    let exporter = Running::with_key(&api, &[OWNER]).await;
    let mut ages = Vec::new();
    for _ in 0..3 {
        let metrics = exporter.scrape().await;
        assert_eq!(shown(&metrics), 30);
        let name = "edgeimpulse_scrape_collector_last_success_timestamp_seconds";
        ages.push(metrics.value(name, &[("collector", "whitelabel_organizations")]).unwrap());
    }
    // The clock of the test stands still.
    assert!(ages.is_sorted_by(|before, after| before > after), "the response keeps its age: {ages:?}");
    let calls = calls_of_organizations(&api).await;
    // The calls are spread over 15 minutes: some may be due again while this test runs.
    assert!((30..33).contains(&calls), "{calls}");
    let requests = api.requests("/api/organizations/1/whitelabel/organizations").await.len();
    assert_eq!(requests, 5, "the list once, and the numbers of active organizations of four windows");
    assert_eq!(
        api.requests("/api/organizations/1").await.len(),
        3,
        "calls without an interval are made at each scrape"
    );
}

#[tokio::test]
async fn calls_per_minute_are_limited_and_names_are_shown_before_their_calls() {
    let api = portfolio(30).await;
    let exporter = Running::with_key(
        &api,
        &[OWNER, "--api.calls-per-minute=12", "--no-collector.buckets", "--no-collector.pipelines"],
    )
    .await;
    for _ in 0..3 {
        let metrics = exporter.scrape_within("5").await;
        assert_eq!(calls_of_organizations(&api).await, 12);
        assert_eq!(shown(&metrics), 12);
        let names = metrics.series("edgeimpulse_organization_info", &[]);
        assert!(names.len() >= 30, "all names are in the list");
        let collector = ("collector", "whitelabel_organization");
        let deferred = metrics.series("edgeimpulse_scrape_collector_success", &[collector]);
        assert_eq!(deferred.iter().filter(|sample| sample.value == 0.0).count(), 18);
        let reads = [collector, ("result", "deferred")];
        assert!(metrics.value("edgeimpulse_exporter_reads_total", &reads) >= Some(18.0));
    }
}

#[tokio::test]
async fn any_collector_can_be_given_an_interval() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &["--collector.interval=usage=1h,organization=2h"]).await;
    for _ in 0..3 {
        let metrics = exporter.scrape().await;
        assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
        assert_eq!(shown(&metrics), 2);
    }
    assert_eq!(api.requests("/api/organizations/1/metrics").await.len(), 1);
    assert_eq!(api.requests("/api/organizations/1").await.len(), 1);
}

#[tokio::test]
async fn failures_of_what_is_spread_are_not_repeated_at_each_scrape() {
    let api = portfolio(5).await;
    for id in 101..106 {
        api.refuses(&format!("/api/organizations/1/whitelabel/organizations/{id}"), 500, "down").await;
    }
    let exporter = Running::with_key(&api, &[OWNER]).await;
    for _ in 0..3 {
        assert_eq!(shown(&exporter.scrape().await), 0);
    }
    assert_eq!(calls_of_organizations(&api).await, 5);
}

#[tokio::test]
async fn old_answers_do_not_hide_that_the_api_is_gone() {
    let api = portfolio(3).await;
    let exporter = Running::with_key(&api, &[OWNER]).await;
    exporter.scrape().await;
    api.refuses("/api/organizations/1", 401, "Invalid API key").await;
    api.refuses("/api/organizations/1/metrics", 401, "Invalid API key").await;
    let metrics = exporter.scrape().await;
    assert_eq!(shown(&metrics), 3, "what was read a moment ago is shown");
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(0.0), "old values are not a success");
}
