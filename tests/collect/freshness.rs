//! Caching: when facts are used again, shown although they are stale, and how their age is reported.

use std::time::Duration;

use edgeimpulse_exporter::model::Clock;
use serde_json::json;

use crate::support::running::KEY;
use crate::support::{Exposition, FakeApi, Running, data, eventually, file};

const USAGE: &str = "/api/organizations/1/metrics";
const ONE_ORGANIZATION: &str = "--organization-id=1";

fn usage() -> serde_json::Value {
    serde_json::from_str(&data("typical/organization-1-metrics.json")).unwrap()
}

/// Success, staleness and value of the usage collector.
fn usage_of(metrics: &Exposition) -> (f64, f64, Option<f64>) {
    let of = |name: &str| {
        metrics.value(&format!("edgeimpulse_scrape_collector_{name}"), &[("collector", "usage")]).unwrap()
    };
    (of("success"), of("stale"), metrics.value("edgeimpulse_organization_storage_used_bytes", &[]))
}

fn reads(metrics: &Exposition, result: &str) -> Option<f64> {
    metrics.value("edgeimpulse_exporter_reads_total", &[("collector", "usage"), ("result", result)])
}

const STORAGE: Option<f64> = Some(2_057_363_731_916.0);

#[tokio::test]
async fn a_call_too_slow_for_one_scrape_is_there_for_the_next() {
    let api = FakeApi::with_samples("typical").await;
    api.dawdles(USAGE, Duration::from_millis(1500), &usage()).await;
    let exporter = Running::with_key(&api, &[ONE_ORGANIZATION]).await;
    let late = exporter.scrape_within("1").await;
    assert_eq!(usage_of(&late), (0.0, 0.0, None));
    let next = exporter.scrape_within("10").await;
    assert_eq!(usage_of(&next), (1.0, 0.0, STORAGE));
    assert_eq!(api.requests(USAGE).await.len(), 1);
    let late = next.value("edgeimpulse_exporter_deadline_exceeded_total", &[("collector", "usage")]);
    assert_eq!((late, reads(&next, "late"), reads(&next, "shared")), (Some(1.0), Some(1.0), Some(1.0)));
}

#[tokio::test]
async fn a_source_slower_than_every_scrape_yields_a_steady_series() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[ONE_ORGANIZATION]).await;
    let fresh = exporter.scrape().await;
    let last_success = |metrics: &Exposition| {
        let labels = [("collector", "usage")];
        metrics.value("edgeimpulse_scrape_collector_last_success_timestamp_seconds", &labels).unwrap()
    };
    api.dawdles(USAGE, Duration::from_secs(20), &usage()).await;
    for _ in 0..2 {
        let late = exporter.scrape_within("0.6").await;
        assert_eq!(usage_of(&late), (0.0, 1.0, STORAGE), "the last good answer stands in");
        assert!(
            last_success(&late) < last_success(&fresh),
            "the clock of the test stands still, the age grows"
        );
        assert_eq!(
            late.value("edgeimpulse_exporter_deadline_exceeded_total", &[("collector", "usage")]),
            Some(1.0)
        );
    }
    assert_eq!(api.requests(USAGE).await.len(), 2);
}

#[tokio::test]
async fn two_prometheus_servers_see_the_same_of_a_source_slower_than_their_scrapes() {
    let api = FakeApi::with_samples("typical").await;
    api.dawdles(USAGE, Duration::from_millis(1500), &usage()).await;
    let exporter = Running::with_key(&api, &[ONE_ORGANIZATION, "--no-collector.organization"]).await;
    exporter.scrape_within("10").await;
    let (first, second) = tokio::join!(exporter.scrape_within("1"), exporter.scrape_within("1"));
    for metrics in [first, second] {
        assert_eq!(usage_of(&metrics), (1.0, 0.0, STORAGE), "the facts of the call before");
        assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
    }
}

#[tokio::test]
async fn answers_are_used_again_while_they_are_young() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[ONE_ORGANIZATION, "--cache.ttl=1h"]).await;
    exporter.scrape().await;
    let again = exporter.scrape().await;
    assert_eq!(usage_of(&again), (1.0, 0.0, STORAGE));
    assert_eq!(api.calls().await, 5);
    assert_eq!((reads(&again, "fetched"), reads(&again, "reused")), (Some(1.0), Some(1.0)));
    for result in ["shared", "deferred", "late", "stale"] {
        assert_eq!(reads(&again, result), Some(0.0), "{result}: `increase()` needs the 0");
    }
}

#[tokio::test]
async fn after_a_failure_nothing_old_is_shown() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[ONE_ORGANIZATION]).await;
    exporter.scrape().await;
    api.refuses(USAGE, 500, "down").await;
    assert_eq!(usage_of(&exporter.scrape().await), (0.0, 0.0, None));
}

#[tokio::test]
async fn after_a_failure_old_data_is_shown_if_asked_for() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[ONE_ORGANIZATION, "--cache.stale-for=1h"]).await;
    exporter.scrape().await;
    api.refuses(USAGE, 500, "down").await;
    let stale = exporter.scrape().await;
    assert_eq!(usage_of(&stale), (0.0, 1.0, STORAGE));
    assert_eq!(reads(&stale, "stale"), Some(1.0));
    api.answers(USAGE, &usage()).await;
    eventually(async || match usage_of(&exporter.scrape().await) {
        (1.0, 0.0, STORAGE) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn the_age_of_a_response_does_not_depend_on_the_duration_of_the_scrape() {
    let api = FakeApi::with_samples("typical").await;
    api.dawdles(USAGE, Duration::from_secs(2), &usage()).await;
    let key = file("key", KEY);
    let options = [ONE_ORGANIZATION];
    let exporter = Running::with_file(&api.url(), &["--api.key-file", &key], Clock::System, &options).await;
    let before = Clock::System.now();
    let metrics = exporter.scrape().await;
    let name = "edgeimpulse_scrape_collector_last_success_timestamp_seconds";
    let requested = metrics.value(name, &[("collector", "usage")]).unwrap();
    assert!(
        (before - 0.5..before + 1.5).contains(&requested),
        "{requested} is not the time of the request, {before}"
    );
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_nobody_elses_call() {
    let api = FakeApi::with_samples("typical").await;
    api.dawdles(USAGE, Duration::from_millis(800), &usage()).await;
    let exporter = Running::with_key(&api, &[ONE_ORGANIZATION]).await;
    let is_called = eventually(async || {
        api.requests(USAGE).await.pop().ok_or_else(|| "the usage is not requested".to_owned())
    });
    tokio::select! {
        biased;
        _ = is_called => {} // The client leaves.
        _ = exporter.page("/metrics") => panic!("the answer was there first"),
    }
    assert_eq!(usage_of(&exporter.scrape().await).2, STORAGE);
    assert_eq!(api.requests(USAGE).await.len(), 1);
}

#[tokio::test]
async fn a_slow_discovery_does_not_hold_up_organizations_that_are_known() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &[]).await;
    exporter.scrape().await;
    api.dawdles("/api/user", Duration::from_secs(20), &json!({})).await;
    let metrics = exporter.scrape_within("4").await;
    assert_eq!(metrics.values("edgeimpulse_scrape_collector_success", &[("collector", "usage")]), [1.0; 2]);
    let user = metrics.value("edgeimpulse_scrape_collector_success", &[("collector", "user")]);
    assert_eq!(user, Some(0.0));
}
