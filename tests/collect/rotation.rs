//! Credentials that change, disappear and expire while the exporter runs.

use std::time::Duration;

use edgeimpulse_exporter::model::{Call, Clock, Collector};

use crate::support::fake::list;
use crate::support::running::{NOW, jwt};
use crate::support::{Exposition, FakeApi, Program, Running, eventually, file};

async fn with_key_file(api: &FakeApi, key: &str, options: &[&str]) -> Running {
    Running::with_file(&api.url(), &["--api.key-file", key], Clock::Fixed(NOW), options).await
}

fn loaded(metrics: &Exposition) -> Option<f64> {
    metrics.value("edgeimpulse_exporter_credential_last_load_successful", &[("account", "default")])
}

fn up(metrics: &Exposition) -> Option<f64> {
    metrics.value("edgeimpulse_up", &[("account", "default")])
}

#[tokio::test]
async fn a_changed_file_is_used_at_the_next_scrape() {
    let api = FakeApi::with_samples("typical").await;
    let key = file("key", "ei_old\n");
    let exporter = with_key_file(&api, &key, &[]).await;
    exporter.scrape().await;
    std::fs::write(&key, "  ei_new\r\n").unwrap();
    assert_eq!(up(&exporter.scrape().await), Some(1.0));
    let keys: Vec<_> = api.requests("/api/organizations").await;
    let keys: Vec<_> = keys.iter().map(|request| request.headers["x-api-key"].to_str().unwrap()).collect();
    assert_eq!(keys, ["ei_old", "ei_new"], "trimmed, and the list is requested again at once");
}

#[tokio::test]
async fn a_key_that_is_refused_is_read_again_at_once_and_the_call_tried_once_more() {
    let api = FakeApi::with_samples("typical").await;
    api.accepts_only("x-api-key", "ei_new").await;
    let key = file("key", "ei_old");
    let exporter =
        Running::build(&api.url(), &["--api.key-file", &key], Clock::Fixed(NOW), &["--organization-id=1"]);
    // The file changes after the scrape has looked at it: the calls themselves have to notice.
    std::fs::write(&key, "ei_new").unwrap();
    let account = &exporter.accounts[0];
    let fetch = |id| account.fetch(Call::of_organization(Collector::Organization, id));
    let (first, second) = tokio::join!(fetch(1), fetch(2));
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    assert_eq!(api.requests("/api/organizations/1").await.len(), 2, "refused once, then answered");
}

#[tokio::test]
async fn a_key_rotated_while_the_list_is_requested_gives_what_the_new_key_sees() {
    let api = FakeApi::with_samples("typical").await;
    let key = file("key", "ei_old");
    let exporter = with_key_file(&api, &key, &[]).await;
    let slowly = |id| list(&[id]).set_delay(Duration::from_millis(600));
    api.responds_to_at("x-api-key", "ei_old", "/api/organizations", slowly(1)).await;
    api.responds_to_at("x-api-key", "ei_new", "/api/organizations", slowly(2)).await;
    let rotation = async {
        eventually(async || {
            api.requests("/api/organizations").await.pop().ok_or_else(|| "the list is not requested".to_owned())
        })
        .await;
        std::fs::write(&key, "ei_new").unwrap();
        // Another Prometheus server, whose scrape finds the new key.
        exporter.scrape().await
    };
    let (first, second) = tokio::join!(exporter.scrape(), rotation);
    for metrics in [first, second] {
        assert_eq!(up(&metrics), Some(1.0));
        let ids = metrics.labels("edgeimpulse_organization_info", "organization_id");
        assert_eq!(ids, ["2"], "{}", metrics.text);
    }
}

#[tokio::test]
async fn a_key_that_stays_refused_is_reported_and_is_not_tried_twice() {
    let api = FakeApi::with_samples("typical").await;
    let key = file("key", "ei_old");
    let exporter = with_key_file(&api, &key, &[]).await;
    assert_eq!(up(&exporter.scrape().await), Some(1.0));
    api.accepts_only("x-api-key", "ei_another").await;
    let calls = api.calls().await;
    let metrics = exporter.scrape().await;
    assert_eq!(up(&metrics), Some(0.0), "the list of organizations from before does not hide it");
    assert_eq!(api.calls().await, calls + 6, "each call once");
    std::fs::write(&key, "ei_another").unwrap();
    assert_eq!(up(&exporter.scrape().await), Some(1.0));
}

#[tokio::test]
async fn an_empty_or_vanished_file_keeps_the_last_good_credential_and_is_reported() {
    let api = FakeApi::with_samples("typical").await;
    api.accepts_only("x-api-key", "ei_good").await;
    let key = file("key", "ei_good");
    let exporter = with_key_file(&api, &key, &[]).await;
    let metrics = exporter.scrape().await;
    assert_eq!((up(&metrics), loaded(&metrics)), (Some(1.0), Some(1.0)));
    let at = |metrics: &Exposition| {
        metrics.value("edgeimpulse_exporter_credential_last_load_success_timestamp_seconds", &[])
    };
    assert_eq!(at(&metrics), Some(NOW));
    for damage in ["empty", "vanished"] {
        if damage == "empty" {
            std::fs::write(&key, "\n").unwrap();
        } else {
            std::fs::remove_file(&key).unwrap();
        }
        let metrics = exporter.scrape().await;
        assert_eq!(
            (up(&metrics), loaded(&metrics), at(&metrics)),
            (Some(1.0), Some(0.0), Some(NOW)),
            "{damage}"
        );
        assert!(exporter.page("/").await.contains("could not be reloaded"), "{damage}");
    }
    std::fs::write(&key, "ei_good").unwrap();
    assert_eq!(loaded(&exporter.scrape().await), Some(1.0));
}

#[tokio::test]
async fn the_expiry_of_a_jwt_is_a_metric_and_an_expired_one_is_logged() {
    let api = FakeApi::with_samples("typical").await;
    for (expiry, text) in [(NOW + 7200.0, ">in 2\u{a0}h</time>"), (NOW - 60.0, ">1\u{a0}min ago</time>")] {
        let token = file("jwt", &jwt(expiry));
        let exporter =
            Running::with_file(&api.url(), &["--api.jwt-file", &token], Clock::Fixed(NOW), &[]).await;
        let metrics = exporter.scrape().await;
        let shown = metrics.value("edgeimpulse_exporter_credential_expiry_timestamp_seconds", &[]);
        assert_eq!(shown, Some(expiry));
        let page = exporter.page("/").await;
        assert!(page.contains(text), "{page}");
    }
    let token = jwt(1_600_000_000.0);
    let url = api.url();
    let ended = Program::start(&["scrape", "--api.url", &url], &[("EDGEIMPULSE_JWT", &token)]).end().await;
    assert_eq!(ended.stderr.matches("JWT expired: provide a new one").count(), 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains(&token));
}

#[tokio::test]
async fn a_credential_that_is_refused_from_the_start_leaves_the_exporter_up() {
    let api = FakeApi::with_samples("typical").await;
    api.accepts_only("x-api-key", "ei_another").await;
    let url = api.url();
    let arguments = ["--api.url", &url, "--web.listen-address=127.0.0.1:0"];
    let mut program = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")]);
    let address = program.address().await;
    for _ in 0..2 {
        let text = crate::support::get_text(format!("http://{address}/metrics")).await;
        assert_eq!(up(&Exposition::of_prometheus_text(&text)), Some(0.0));
    }
    let ended = program.stop().await;
    assert!(ended.stderr.contains("credential refused (HTTP 401): Invalid API key"), "{}", ended.stderr);
}
