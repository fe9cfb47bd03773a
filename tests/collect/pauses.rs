//! Rate limits: `Retry-After` pauses the calls of an account.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use edgeimpulse_exporter::model::{Clock, ManualClock};
use wiremock::ResponseTemplate;

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
    for (status, retry_after, pause) in
        [(429, "120", 120.0), (503, "30", 30.0), (429, in_a_minute.as_str(), 60.0), (503, in_a_year, 900.0)]
    {
        let api = FakeApi::with_samples("typical").await;
        api.responds(USAGE, busy(status, retry_after)).await;
        let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
        exporter.scrape().await;
        let calls = api.calls().await;
        let metrics = exporter.scrape().await;
        let end =
            metrics.value("edgeimpulse_exporter_api_pause_end_timestamp_seconds", &[("account", "default")]);
        assert_eq!(end, Some(NOW + pause), "{status} {retry_after}");
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
async fn a_failure_that_asks_for_nothing_pauses_nothing() {
    for response in [busy(500, "120"), busy(429, "soon"), busy(429, "-5"), ResponseTemplate::new(429)] {
        let api = FakeApi::with_samples("typical").await;
        api.responds(USAGE, response).await;
        let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
        let metrics = exporter.scrape().await;
        assert!(metrics.series("edgeimpulse_exporter_api_pause_end_timestamp_seconds", &[]).is_empty());
        assert_eq!(api.requests(USAGE).await.len(), 1, "nothing is tried twice in a scrape");
        exporter.scrape().await;
        assert_eq!(api.requests(USAGE).await.len(), 2);
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
    api.responds_to("x-api-key", "ei_paused", busy(429, "600")).await;
    let account = |name: &str, organization: &str| {
        let key = file("key", &format!("ei_{name}"));
        let exporter = Running::build(
            &api.url(),
            &["--api.key-file", &key],
            Clock::Fixed(NOW),
            &["--organization-id", organization],
        );
        let mut exporter = Arc::into_inner(exporter).unwrap();
        Arc::get_mut(&mut exporter.accounts[0]).unwrap().name = name.into();
        exporter
    };
    let mut exporter = account("paused", "1");
    exporter.accounts.extend(account("free", "2").accounts);
    let exporter = Running::serve(exporter.into()).await;
    for _ in 0..2 {
        let metrics = exporter.scrape().await;
        assert_eq!(metrics.value("edgeimpulse_up", &[("account", "paused")]), Some(0.0));
        assert_eq!(metrics.value("edgeimpulse_up", &[("account", "free")]), Some(1.0));
        let shown = metrics.series("edgeimpulse_organization_storage_used_bytes", &[]);
        assert_eq!(
            shown.iter().map(|sample| sample.labels["organization_id"].as_str()).collect::<Vec<_>>(),
            ["2"]
        );
    }
}
