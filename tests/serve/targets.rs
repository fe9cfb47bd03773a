//! `/probe` and `/sd`: one target per organization.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::config::{build, with_accounts};
use crate::support::fake::list;
use crate::support::{Exposition, FakeApi, Running, eventually, file};

async fn answer(exporter: &Running, path: &str) -> (StatusCode, String) {
    let response = exporter.request(Method::GET, path).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

async fn targets(exporter: &Running) -> Value {
    let response = exporter.request(Method::GET, "/sd").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_probe_reads_one_organization_alone() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &[]).await;
    let (status, text) = answer(&exporter, "/probe?target=2").await;
    assert_eq!(status, StatusCode::OK);
    let probed = Exposition::of_prometheus_text(&text);
    assert!(api.requests("/api/organizations/1").await.is_empty(), "calls for other organizations");
    assert!(!text.contains("organization_id=\"1\""), "{text}");
    assert!(!text.contains("edgeimpulse_exporter_") && !text.contains("process_"), "metrics of the exporter");
    assert!(!text.contains("edgeimpulse_up"), "which is about an account");
    assert!(!text.contains("edgeimpulse_user_"), "which is about a user");
    let collectors = ["organization", "usage", "buckets", "pipelines", "jobs", "api_keys"];
    for collector in collectors {
        let labels = [("collector", collector), ("organization_id", "2")];
        assert_eq!(probed.value("edgeimpulse_scrape_collector_success", &labels), Some(1.0));
    }
    assert_eq!(probed.series("edgeimpulse_scrape_collector_success", &[]).len(), collectors.len());

    // The probe has the same samples of this organization as the whole scrape.
    let whole = exporter.page("/metrics").await;
    let of_this = |text: &str| -> Vec<String> {
        let is_timed = |line: &str| line.contains("duration_seconds") || line.contains("last_success");
        let lines = text.lines().filter(|line| line.contains("organization_id=\"2\"") && !is_timed(line));
        lines.filter(|line| !line.contains("user_id=")).map(str::to_owned).collect()
    };
    assert_eq!(of_this(&text), of_this(&whole));
}

#[tokio::test]
async fn a_probe_refuses_what_it_cannot_answer() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[]).await;
    for (query, hint) in [
        ("", "target is missing"),
        ("?target=", "expected an organization id"),
        ("?target=acme", "expected an organization id"),
        ("?target=-1", "expected an organization id"),
        ("?target=%2B1", "expected an organization id"),
        ("?target=1%2F..%2F2", "expected an organization id"),
        ("?target=99999999999999999999", "expected an organization id"),
        ("?target=http://169.254.169.254/", "expected an organization id"),
        ("?target=1&target=2", "target is set more than once"),
        ("?target=1&url=http://localhost", "unknown parameter url"),
        ("?target=1&collect[]=useage", "unknown collector"),
        ("?target=1&collect[]=exporter", "/metrics"),
    ] {
        let (status, text) = answer(&exporter, &format!("/probe{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert!(text.contains(hint), "{query}: {text}");
    }
    assert_eq!(api.calls().await, 0);
    for query in ["?target=3", "?target=1&account=another"] {
        assert_eq!(answer(&exporter, &format!("/probe{query}")).await.0, StatusCode::NOT_FOUND, "{query}");
    }
    assert_eq!(answer(&exporter, "/probe?target=1&account=default").await.0, StatusCode::OK);
}

#[tokio::test]
async fn before_the_list_was_read_no_organization_is_reported_as_unknown() {
    let api = FakeApi::start().await;
    api.responds("/api/organizations", ResponseTemplate::new(503)).await;
    let exporter = Running::with_key(&api, &[]).await;
    for path in ["/sd", "/probe?target=1"] {
        let (status, text) = answer(&exporter, path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(text.contains("not known yet"), "{text}");
    }
    api.lists(&[1]).await;
    eventually(async || match answer(&exporter, "/sd").await {
        (StatusCode::OK, _) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!(targets(&exporter).await[0]["targets"], json!(["1"]));
    assert_eq!(answer(&exporter, "/probe?target=2").await.0, StatusCode::NOT_FOUND);
    assert_eq!(answer(&exporter, "/probe?target=1").await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_list_for_prometheus_names_what_relabelling_needs() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &[]).await;
    let list = targets(&exporter).await;
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|group| group["targets"].clone()).collect();
    // Two that the user is a member of, and two that only the white label sees.
    assert_eq!(ids, [json!(["1"]), json!(["2"]), json!(["31"]), json!(["32"])]);
    let labels = &list[0]["labels"];
    assert_eq!(labels["__meta_edgeimpulse_organization_id"], "1");
    assert_eq!(labels["__meta_edgeimpulse_account"], "default");
    let name = exporter.scrape().await;
    let info = name.series("edgeimpulse_organization_info", &[("organization_id", "1")]);
    assert_eq!(labels["__meta_edgeimpulse_organization_name"], *info[0].labels["organization_name"]);
}

#[tokio::test]
async fn the_last_good_list_stays_when_it_cannot_be_read_and_an_empty_one_is_served() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &[]).await;
    let list = targets(&exporter).await;
    api.responds("/api/user", ResponseTemplate::new(500)).await;
    assert_eq!(targets(&exporter).await, list);
    let nobody = json!({ "success": true, "id": 1, "organizations": [] });
    api.answers("/api/user", &nobody).await;
    eventually(async || match targets(&exporter).await {
        none if none == json!([]) => Ok(()),
        others => Err(others.to_string()),
    })
    .await;
}

#[tokio::test]
async fn targets_are_listed_when_every_account_is_known_so_that_prometheus_drops_none() {
    let api = FakeApi::start().await;
    api.refuses("/api/organizations", 401, "Invalid API key").await;
    api.lists_to("good", &[7]).await;
    let config = file("config.yaml", &with_accounts(&api.url(), &["bad", "good"], ""));
    let exporter = Running::serve(build(&config)).await;
    let (status, text) = answer(&exporter, "/sd").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "Prometheus keeps the targets that it has");
    assert!(text.contains("account bad") && text.contains("/sd?account=NAME"), "{text}");
    let (status, text) = answer(&exporter, "/sd?account=good").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains(r#""__meta_edgeimpulse_account":"good""#), "{text}");
    assert_eq!(answer(&exporter, "/probe?target=7").await.0, StatusCode::OK);
    // Whether the dead one has this organization is not known.
    assert_eq!(answer(&exporter, "/probe?target=8").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer(&exporter, "/probe?target=8&account=good").await.0, StatusCode::NOT_FOUND);
    assert_eq!(answer(&exporter, "/sd?account=bad").await.0, StatusCode::SERVICE_UNAVAILABLE);
    // A list that its credential may not read is known to be empty.
    std::fs::write(&config, with_accounts(&api.url(), &["member", "good"], "")).unwrap();
    let refused = json!({ "success": false, "error": "No permission" });
    let refused = ResponseTemplate::new(403).set_body_json(refused);
    api.responds_to_at("x-api-key", "member", "/api/organizations", refused).await;
    let exporter = Running::serve(build(&config)).await;
    assert_eq!(targets(&exporter).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn collectors_can_be_chosen_by_name() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &[]).await;
    let exporter_metrics = exporter.page("/metrics?collect[]=exporter").await;
    assert_eq!(api.calls().await, 0, "metrics of the exporter need no call");
    let families: Vec<_> = exporter_metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert!(families.len() > 10);
    let is_own = |family: &&str| family.starts_with("edgeimpulse_exporter_") || family.starts_with("process_");
    assert!(families.iter().all(is_own), "{families:?}");

    let usage = exporter.page("/metrics?collect[]=usage&collect[]=trials").await;
    assert!(usage.contains("edgeimpulse_organization_storage_used_bytes"));
    assert!(usage.contains("edgeimpulse_trial_"));
    assert!(!usage.contains("edgeimpulse_organization_users{") && !usage.contains("edgeimpulse_exporter_"));
    assert!(!usage.contains("collector=\"user\""), "the list is read, and not reported");
    assert!(api.requests("/api/organizations/1").await.is_empty());

    let (status, text) = answer(&exporter, "/metrics?collect[]=useage").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("useage") && text.contains("whitelabel_user"), "{text}");
}

#[tokio::test]
async fn collectors_of_a_white_label_can_be_chosen_without_the_one_that_knows_its_id() {
    let api = FakeApi::with_samples("typical").await;
    for exporter in [
        Running::with_jwt(&api, &["--no-collector.whitelabel"]).await,
        Running::with_key(&api, &["--whitelabel.organization-id=1", "--organization-id=1"]).await,
    ] {
        for (collector, metric) in [
            ("whitelabel_users", "edgeimpulse_whitelabel_users"),
            ("whitelabel_activity", "edgeimpulse_whitelabel_projects_active"),
            ("whitelabel_organizations", "edgeimpulse_whitelabel_organizations"),
        ] {
            let page = exporter.page(&format!("/metrics?collect[]={collector}")).await;
            let metrics = Exposition::of_prometheus_text(&page);
            assert!(!metrics.series(metric, &[("whitelabel_id", "7")]).is_empty(), "{page}");
            let results = metrics.series("edgeimpulse_scrape_collector_success", &[]);
            assert!(results.iter().all(|result| result.labels["collector"] == collector), "{results:?}");
            assert!(metrics.series("edgeimpulse_whitelabel_info", &[]).is_empty(), "{page}");
        }
    }
}

/// One account's key is refused, another one's API answers to nobody in time.
#[tokio::test]
async fn a_dead_account_and_a_slow_one_change_nothing_for_the_third() {
    let api = FakeApi::start().await;
    let ids: Vec<u64> = (1..=20).collect();
    api.refuses("/api/organizations", 401, "Invalid API key").await;
    api.lists_to("slow", &ids).await;
    api.lists_to("good", &[77]).await;
    for id in &ids {
        for path in ["", "/metrics", "/jobs"] {
            let path = format!("/api/organizations/{id}{path}");
            api.dawdles(&path, Duration::from_mins(1), &json!({})).await;
        }
    }
    let usage = json!({ "success": true, "metrics": { "totalStorage": 5 } });
    api.answers("/api/organizations/77/metrics", &usage).await;
    api.answers("/api/organizations/77", &json!({ "success": true, "organization": { "id": 77 } })).await;

    let config =
        file("config.yaml", &with_accounts(&api.url(), &["dead", "slow", "good"], "cache: {ttl: 0s}\n"));
    let exporter = Running::serve(build(&config)).await;
    for scrape in 1..=3 {
        let metrics = exporter.scrape_within("2").await;
        for (account, up) in [("dead", 0.0), ("slow", 0.0), ("good", 1.0)] {
            assert_eq!(
                metrics.value("edgeimpulse_up", &[("account", account)]),
                Some(up),
                "{account} in {scrape}"
            );
        }
        let series = metrics.series("edgeimpulse_scrape_collector_success", &[("account", "good")]);
        let failed: Vec<_> = series.iter().filter(|sample| sample.value == 0.0).collect();
        assert!(failed.iter().all(|sample| !sample.labels.contains_key("organization_id")), "{failed:?}");
        assert_eq!(
            metrics.value("edgeimpulse_organization_storage_used_bytes", &[("organization_id", "77")]),
            Some(5.0)
        );
        // Each account has a share of the concurrent calls.
        assert_eq!(api.requests("/api/organizations/77").await.len(), scrape);
    }
}

#[tokio::test]
async fn a_probe_that_has_to_read_the_list_first_answers_within_its_timeout_all_the_same() {
    let api = FakeApi::start().await;
    api.responds("/api/organizations", list(&[1]).set_delay(Duration::from_secs(3))).await;
    for path in ["/api/organizations/1", "/api/organizations/1/metrics"] {
        api.dawdles(path, Duration::from_mins(1), &json!({})).await;
    }
    let exporter = Running::with_key(&api, &[]).await;
    let request = exporter.request(Method::GET, "/probe?target=1");
    let request = request.header("X-Prometheus-Scrape-Timeout-Seconds", "5").send();
    let response = tokio::time::timeout(Duration::from_secs(6), request).await.expect("not the timeout twice");
    assert_eq!(response.unwrap().status(), StatusCode::OK);
}
