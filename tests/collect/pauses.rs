//! Rate limits: `Retry-After` pauses the calls of an account.

use std::time::{Duration, SystemTime};

use edgeimpulse_exporter::model::{Clock, ManualClock};
use wiremock::ResponseTemplate;

use crate::config::{build, with_accounts};
use crate::support::running::NOW;
use crate::support::{FakeApi, Running, data, eventually, file};

const USAGE: &str = "/api/organizations/1/metrics";

fn busy(status: u16, retry_after: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("Retry-After", retry_after)
}

#[tokio::test]
async fn retry_after_pauses_the_account_and_is_bounded() {
    let in_a_minute = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(NOW + 60.0));
    let in_a_year = "31536000";
    for (response, pause) in [
        (busy(429, "120"), 120.0),
        (busy(429, "120.5"), 121.0),
        (busy(503, "30"), 30.0),
        (busy(429, &in_a_minute), 60.0),
        (busy(503, in_a_year), 900.0),
        (busy(429, "99999999999999999999"), 900.0),
        // Without a usable header.
        (ResponseTemplate::new(429), 30.0),
        (busy(429, "soon"), 30.0),
        (busy(429, "-5"), 30.0),
    ] {
        let api = FakeApi::with_samples("typical").await;
        let text = format!("{response:?}");
        api.responds(USAGE, response).await;
        let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
        exporter.scrape().await;
        let calls = api.calls().await;
        let metrics = exporter.scrape().await;
        let end =
            metrics.value("edgeimpulse_exporter_api_pause_end_timestamp_seconds", &[("account", "default")]);
        assert_eq!(end, Some(NOW + pause), "{text}");
        assert_eq!(api.calls().await, calls, "no call during the pause");
        let reads = metrics.series("edgeimpulse_exporter_reads_total", &[("result", "fetched")]);
        assert_eq!(
            reads.iter().map(|sample| sample.value).sum::<f64>(),
            calls as f64,
            "nor a read that made one"
        );
        assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(0.0));
        let page = exporter.page("/").await;
        assert!(page.contains("Rate limited: no calls for another"), "{page}");
    }
}

#[tokio::test]
async fn a_failure_without_a_valid_retry_after_pauses_nothing() {
    for response in [busy(500, "120"), busy(503, "soon"), busy(429, "0")] {
        let api = FakeApi::with_samples("typical").await;
        api.responds(USAGE, response).await;
        let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
        let metrics = exporter.scrape().await;
        let end = metrics.value("edgeimpulse_exporter_api_pause_end_timestamp_seconds", &[]);
        assert!(end.is_none_or(|end| end <= NOW), "{end:?}");
        assert_eq!(api.requests(USAGE).await.len(), 1, "nothing is tried twice in a scrape");
        exporter.scrape().await;
        assert_eq!(api.requests("/api/organizations/1").await.len(), 2, "calls go on");
    }
}

#[tokio::test]
async fn calls_go_on_when_the_pause_is_over() {
    let api = FakeApi::with_samples("typical").await;
    api.responds(USAGE, busy(429, "1")).await;
    let key = file("key", "ei_x");
    let options = ["--organization-id=1"];
    let exporter = Running::with_file(&api.url(), &["--api.key-file", &key], Clock::System, &options).await;
    exporter.scrape().await;
    api.answers_text(USAGE, &data("typical/organization-1-metrics.json")).await;
    eventually(async || match exporter.scrape().await {
        metrics if metrics.series("edgeimpulse_organization_storage_used_bytes", &[]).is_empty() => {
            Err(metrics.text)
        }
        _ => Ok(()),
    })
    .await;
    assert_eq!(api.requests(USAGE).await.len(), 2);
}

#[tokio::test]
async fn a_corrected_clock_makes_no_pause_longer() {
    const TEN_YEARS: f64 = 10.0 * 365.0 * 86_400.0;
    for (retry_after, correction) in [("2", -TEN_YEARS), ("120", -TEN_YEARS), ("120", TEN_YEARS)] {
        let (api, clock, key) =
            (FakeApi::with_samples("typical").await, ManualClock::default(), file("key", "ei_x"));
        api.responds(USAGE, busy(429, retry_after)).await;
        clock.set(NOW);
        let file = ["--api.key-file", &key];
        let exporter =
            Running::with_file(&api.url(), &file, Clock::Manual(clock.clone()), &["--organization-id=1"]).await;
        exporter.scrape().await;
        clock.set(NOW + correction);
        if retry_after == "2" {
            eventually(async || {
                exporter.scrape().await;
                if api.requests(USAGE).await.len() > 1 { Ok(()) } else { Err("still paused".to_owned()) }
            })
            .await;
        } else {
            let metrics = exporter.scrape().await;
            assert_eq!(api.requests(USAGE).await.len(), 1, "it pauses, whatever the clock says");
            let end = metrics.value("edgeimpulse_exporter_api_pause_end_timestamp_seconds", &[]).unwrap();
            assert!((0.0..=120.0).contains(&(end - NOW - correction)), "{end}");
        }
    }
}

#[tokio::test]
async fn other_accounts_go_on_during_a_pause() {
    let api = FakeApi::with_samples("typical").await;
    api.responds_to("x-api-key", "paused", busy(429, "600")).await;
    api.lists_to("free", &[2]).await;
    let config = with_accounts(&api.url(), &["paused", "free"], "cache: {ttl: 0s}\n");
    let exporter = Running::serve(build(&file("config.yaml", &config))).await;
    for _ in 0..2 {
        let metrics = exporter.scrape().await;
        assert_eq!(metrics.value("edgeimpulse_up", &[("account", "paused")]), Some(0.0));
        assert_eq!(metrics.value("edgeimpulse_up", &[("account", "free")]), Some(1.0));
        assert_eq!(metrics.labels("edgeimpulse_organization_storage_used_bytes", "organization_id"), ["2"]);
    }
}
