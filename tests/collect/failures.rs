//! A failing collector affects its own facts only, and reports the reason.

use std::time::Instant;

use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{Exposition, FakeApi, ONE_CALL_EACH, Program, Running, eventually, file};

/// The usage call of organization 1, which the tests here make fail.
const USAGE: &str = "/api/organizations/1/metrics";

async fn scrape_with(fail: impl AsyncFn(&FakeApi)) -> Exposition {
    let api = FakeApi::with_samples("typical").await;
    fail(&api).await;
    Running::with_key(&api, &["--organization-id=1"]).await.scrape().await
}

#[tokio::test]
async fn a_failure_has_its_reason_and_costs_its_own_facts_only() {
    for (status, error, reason) in [
        (401, "Invalid API key", "unauthorized"),
        (404, "No such organization", "not_found"),
        (429, "Slow down", "rate_limited"),
        (500, "Oops", "server_error"),
        (503, "Maintenance", "server_error"),
        (301, "Elsewhere", "http_status"),
        (418, "Teapot", "http_status"),
        (498, "Expired", "http_status"),
        (200, "Invalid API key", "unauthorized"),
        (200, "Something went wrong", "api_error"),
    ] {
        let metrics = scrape_with(async |api| api.refuses(USAGE, status, error).await).await;
        assert_eq!(metrics.failures(), [(reason, 1.0)], "{status} {error}");
        assert!(metrics.series("edgeimpulse_organization_storage_used_bytes", &[]).is_empty());
        assert_eq!(metrics.series("edgeimpulse_organization_users", &[]).len(), 4, "the rest is there");
        let usage = [("collector", "usage")];
        assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &usage), Some(0.0));
        assert_eq!(metrics.value("edgeimpulse_scrape_collector_supported", &usage), Some(1.0));
        assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0), "another call succeeded");
        let code = if status == 498 { "other".to_owned() } else { status.to_string() };
        let labels = [("endpoint", "/api/organizations/{organizationId}/metrics"), ("code", &*code)];
        assert_eq!(metrics.value("edgeimpulse_exporter_api_requests_total", &labels), Some(1.0));
    }
}

#[tokio::test]
async fn what_is_not_permitted_is_not_supported() {
    for (status, error) in [(403, "Forbidden"), (200, "You don't have permission to view this")] {
        let api = FakeApi::with_samples("typical").await;
        api.refuses(USAGE, status, error).await;
        let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
        let metrics = exporter.scrape().await;
        assert_eq!(metrics.failures(), [("forbidden", 1.0)]);
        let usage = [("collector", "usage")];
        assert_eq!(metrics.value("edgeimpulse_scrape_collector_supported", &usage), Some(0.0));
        assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &usage), Some(0.0));
        exporter.scrape().await;
        assert_eq!(api.requests(USAGE).await.len(), 1, "the call is not made at every scrape");
    }
}

#[tokio::test]
async fn only_the_api_says_that_a_call_is_forbidden_or_a_thing_unknown() {
    let firewall = "<html><title>403 Forbidden</title></html>";
    for (status, body) in [
        (403, firewall),
        (403, ""),
        (403, r#"{"error":"Forbidden"}"#),
        (403, r#"{"success":true}"#),
        (404, "default backend - 404"),
    ] {
        let api = FakeApi::with_samples("typical").await;
        api.responds(USAGE, ResponseTemplate::new(status).set_body_raw(body, "text/html")).await;
        let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
        let metrics = exporter.scrape().await;
        assert_eq!(metrics.failures(), [("http_status", 1.0)], "{status} {body}");
        let supported = metrics.value("edgeimpulse_scrape_collector_supported", &[("collector", "usage")]);
        assert_eq!(supported, Some(1.0), "{status} {body}");
        eventually(async || {
            exporter.scrape().await;
            if api.requests(USAGE).await.len() > 1 { Ok(()) } else { Err("not tried again".to_owned()) }
        })
        .await;
    }
    for status in [200, 400, 403] {
        let metrics = scrape_with(async |api| api.refuses(USAGE, status, "JWT token has expired").await).await;
        assert_eq!(metrics.failures(), [("unauthorized", 1.0)], "{status}");
    }
}

#[tokio::test]
async fn an_account_of_which_every_call_is_refused_is_a_warning() {
    let api = FakeApi::with_samples("typical").await;
    api.refuses(USAGE, 403, "No").await;
    let url = api.url();
    let arguments = ["scrape", "--api.url", &url, "--organization-id=1"];
    for (others_are_refused, code) in [(false, 0), (true, 1)] {
        if others_are_refused {
            for path in ["", "/buckets", "/pipelines"] {
                api.refuses(&format!("/api/organizations/1{path}"), 403, "No").await;
            }
        }
        let ended = Program::ends(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")], code).await;
        let warnings = ended.stderr.lines().filter(|line| line.contains("WARN")).collect::<Vec<_>>();
        assert_eq!(warnings.len(), usize::from(others_are_refused), "{}", ended.stderr);
        assert!(warnings.iter().all(|line| line.contains("every call is forbidden")), "{warnings:?}");
    }
}

#[tokio::test]
async fn a_failure_is_believed_for_a_while_however_many_clients_scrape() {
    for (ttl, seconds) in [("--cache.ttl=0s", 1), ("--cache.ttl=10s", 10), ("--cache.ttl=1h", 30)] {
        let api = FakeApi::start().await;
        api.refuses("/api/organizations", 500, "Out of order").await;
        let exporter = Running::with_key(&api, &[ttl]).await;
        let began = Instant::now();
        let scrapes = async || {
            for _ in 0..50 {
                let metrics = exporter.scrape().await;
                assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(0.0), "all see the same");
            }
        };
        tokio::join!(scrapes(), scrapes(), scrapes(), scrapes());
        let most = began.elapsed().as_secs() / seconds + 1;
        let calls = api.calls().await as u64;
        assert!((1..=most).contains(&calls), "{calls} calls with {ttl}, expected at most {most}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_a_failure() {
    for body in [
        "",
        "<html><body>502 Bad Gateway</body></html>",
        "null",
        "[]",
        "{\"success\":true}",
        "{\"success\":true,\"metrics\":{\"totalStorage\":1}",
        "{\"success\":true,\"metrics\":{\"totalStorage\":1}}}",
        "{\"success\":true,\"metrics\":{\"totalStorage\":1},}x",
        "{\"metrics\":{\"totalStorage\":1}}",
        "{\"success\":\"yes\",\"metrics\":{\"totalStorage\":1}}",
        "{\"success\":true,\"metrics\":5}",
        "{\"success\":true \"metrics\":{}}",
    ] {
        let metrics = scrape_with(async |api| api.answers_text(USAGE, body).await).await;
        assert_eq!(metrics.failures(), [("decode", 1.0)], "{body}");
        assert!(metrics.series("edgeimpulse_organization_storage_used_bytes", &[]).is_empty(), "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_a_failure() {
    let long = format!("{{\"success\":true,\"padding\":\"{}\",\"metrics\":{{}}}}", "x".repeat(200_000));
    let api = FakeApi::with_samples("typical").await;
    api.answers_text(USAGE, &long).await;
    let options = ["--organization-id=1", "--api.max-response-size=100KiB"];
    assert_eq!(Running::with_key(&api, &options).await.scrape().await.failures(), [("too_large", 1.0)]);
    assert_eq!(Running::with_key(&api, &options[..1]).await.scrape().await.failures(), []);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_a_failure() {
    let api = FakeApi::with_samples("typical").await;
    api.dawdles(USAGE, std::time::Duration::from_mins(1), &json!({})).await;
    let metrics = Running::with_key(&api, &["--organization-id=1", "--api.timeout=200ms"]).await.scrape().await;
    assert_eq!(metrics.failures(), [("timeout", 1.0)]);
    let unanswered = [("code", "none"), ("account", "default")];
    assert_eq!(metrics.value("edgeimpulse_exporter_api_requests_total", &unanswered), Some(1.0));
}

#[tokio::test]
async fn an_api_that_is_not_there_leaves_the_exporter_up() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", socket.local_addr().unwrap());
    drop(socket);
    let metrics = Running::with_key_at(&url, &[]).await.scrape().await;
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(0.0));
    assert_eq!(metrics.failures(), [("connect", 1.0)]);
}

#[tokio::test]
async fn an_api_that_does_not_speak_tls_is_a_tls_failure() {
    let api = FakeApi::start().await;
    let url = api.url().replace("http://", "https://");
    let metrics = Running::with_key_at(&url, &[]).await.scrape().await;
    assert_eq!(metrics.failures(), [("tls", 1.0)]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (api, elsewhere) = (FakeApi::with_samples("typical").await, FakeApi::with_samples("typical").await);
    let to = format!("{}{USAGE}", elsewhere.url());
    api.responds(USAGE, ResponseTemplate::new(302).insert_header("Location", to.as_str())).await;
    let metrics = Running::with_key(&api, &["--organization-id=1"]).await.scrape().await;
    assert_eq!(metrics.failures(), [("http_status", 1.0)]);
    assert_eq!(elsewhere.calls().await, 0, "the key went nowhere else");
}

#[tokio::test]
async fn one_bad_field_costs_its_own_sample() {
    let api = FakeApi::with_organization(&json!({
        "success": true,
        "organization": {
            "id": 1, "name": 7, "created": "yesterday", "isDeveloperProfile": "no",
            "users": [{ "role": "admin", "pending": "perhaps" }, { "role": "member", "pending": true }],
            "projects": "none",
        },
        "entitlementLimits": { "totalStorage": "12", "numberOfUsers": -1, "numberOfProjects": 8 },
        "defaultComputeLimits": { "requestsCpu": "many", "limitsCpu": 2.5 },
        "datasets": [{ "totalFileSize": 1 }, 5, { "dataset": "good", "totalFileSize": [], "totalFileCount": 3 }],
    }))
    .await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    let of = |name: &str| metrics.value(&format!("edgeimpulse_organization_{name}"), &[]);
    assert_eq!(of("created_timestamp_seconds"), None);
    assert_eq!((of("storage_limit_bytes"), of("users_limit"), of("projects_limit")), (None, None, Some(8.0)));
    assert_eq!((of("default_job_cpu_request_cores"), of("default_job_cpu_limit_cores")), (None, Some(2.5)));
    assert_eq!(of("users_pending"), None, "one of the two did not say");
    assert_eq!(metrics.series("edgeimpulse_organization_users", &[]).len(), 4);
    let known = metrics.labels("edgeimpulse_organization_entitlement_limited", "entitlement");
    assert_eq!(known, ["compute", "gpu_compute", "projects"], "of the other two nothing is known");
    assert_eq!(metrics.value("edgeimpulse_dataset_files", &[("dataset", "good")]), Some(3.0));
    assert!(metrics.series("edgeimpulse_dataset_size_bytes", &[]).is_empty());
    assert_eq!(metrics.failures(), [("not_found", 1.0)], "usage is not there; the response itself is fine");
    let fields = metrics.labels("edgeimpulse_exporter_decode_errors_total", "field");
    let names = "created dataset datasets isDeveloperProfile name numberOfUsers pending projects requestsCpu \
                          totalFileSize totalStorage";
    assert_eq!(fields.join(" "), names);
    assert_eq!(metrics.values("edgeimpulse_exporter_decode_errors_total", &[]), [1.0; 11]);
}

#[tokio::test]
async fn a_failed_discovery_costs_no_other_collector_its_facts() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &[]).await;
    exporter.scrape().await;
    api.refuses("/api/user", 500, "down").await;
    let metrics = exporter.scrape().await;
    for id in ["1", "2"] {
        let labels = [("organization_id", id)];
        assert!(metrics.value("edgeimpulse_organization_storage_used_bytes", &labels).is_some());
    }
    assert!(
        metrics.series("edgeimpulse_organization_admins", &[]).is_empty(),
        "only in the response for the user"
    );
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
}

#[tokio::test]
async fn a_failed_call_is_one_log_line_without_secrets() {
    let api = FakeApi::with_samples("typical").await;
    api.refuses(USAGE, 500, "key ei_canary of\njan@example.com is not welcome").await;
    let key = file("key", "ei_canary\n");
    let url = api.url();
    let arguments = [
        "scrape",
        "--api.url",
        &url,
        "--api.key-file",
        &key,
        "--organization-id=1",
        "--log.level=trace",
        "--log.format=json",
    ];
    let ended = Program::ends(&arguments, &[], 0).await;
    let lines: Vec<serde_json::Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect();
    let failures: Vec<_> = lines.iter().filter(|line| line["level"] == "WARN").collect();
    assert_eq!(failures.len(), 1, "{}", ended.stderr);
    let failure = failures[0];
    assert_eq!(failure["endpoint"], "/api/organizations/{organizationId}/metrics");
    assert_eq!((&failure["reason"], &failure["status"]), (&json!("server_error"), &json!(500)));
    assert_eq!((&failure["organization_id"], &failure["account"]), (&json!(1), &json!("default")));
    assert!(failure["duration_seconds"].is_number());
    assert_eq!(failure["message"], "API server error (HTTP 500): key [credential] of [e-mail] is not welcome");
    for secret in ["ei_canary", "@example.com", "Org 1", "user1"] {
        assert!(!ended.stderr.contains(secret), "{secret} is in {}", ended.stderr);
    }
}

#[tokio::test]
async fn a_log_level_shows_what_it_is_for_and_nothing_of_connections() {
    let api = FakeApi::with_samples("typical").await;
    api.answers(USAGE, &json!({ "success": true, "metrics": { "totalStorage": "much" } })).await;
    api.refuses("/api/organizations/1", 500, "no").await;
    let url = api.url();
    for (level, shown) in [
        ("error", [false, false]),
        ("warn", [true, false]),
        ("info", [true, false]),
        ("debug", [true, true]),
        ("trace", [true, true]),
    ] {
        let level = format!("--log.level={level}");
        let arguments = ["scrape", "--api.url", &url, "--organization-id=1", &level];
        let ended = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")]).end().await;
        let found = ["API server error", "invalid values"].map(|text| ended.stderr.contains(text));
        assert_eq!(found, shown, "{level}: {}", ended.stderr);
        let query = "/organizations/1/metrics?excludeEdgeImpulseUsers=true&projectVisibility=private";
        let exchange =
            ["request: GET http://", query, "response: HTTP/1.1 200 ", "content-type: application/json"];
        let is_traced = exchange.map(|text| ended.stderr.contains(text));
        assert_eq!(is_traced, [level.ends_with("trace"); 4], "{level}: {}", ended.stderr);
        let own = ["API server error", "invalid values", "call succeeded", "scrape", "request: ", "response: "];
        let other: Vec<_> =
            ended.stderr.lines().filter(|line| !own.iter().any(|text| line.contains(text))).collect();
        assert!(other.is_empty(), "{level}: {other:#?}");
    }
}

/// Returns an API with 40 organizations whose usage fails in that way.
async fn with_40_organizations_down(answer: ResponseTemplate) -> FakeApi {
    let api = FakeApi::start().await;
    let ids: Vec<u64> = (1..=40).collect();
    api.lists(&ids).await;
    for id in ids {
        api.responds(&format!("/api/organizations/{id}/metrics"), answer.clone()).await;
    }
    api
}

#[tokio::test]
async fn forty_failures_of_a_scrape_are_one_warning_and_a_line_for_each_call_at_debug() {
    let api = with_40_organizations_down(ResponseTemplate::new(500)).await;
    let url = api.url();
    let options = ["--api.url", &url, "--log.format=json", "--log.level=debug"];
    let arguments =
        [&["scrape"], &options[..], ONE_CALL_EACH, &["--no-collector.organization", "--collector.usage"]];
    let ended = Program::ends(&arguments.concat(), &[("EDGEIMPULSE_API_KEY", "ei_x")], 1).await;
    let lines: Vec<serde_json::Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect();
    let at = |level: &str| lines.iter().filter(|line| line["level"] == level).collect::<Vec<_>>();
    let warnings = at("WARN");
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert_eq!((&warnings[0]["failed"], &warnings[0]["reasons"]), (&json!(40), &json!("server_error 40")));
    let message = warnings[0]["message"].as_str().unwrap();
    assert!(message.starts_with("40 calls failed: /api/organizations/"), "{message}");
    assert!(message.ends_with("/metrics and 35 more; the first: API server error (HTTP 500)"), "{message}");

    let is_call = |line: &&&serde_json::Value| line["endpoint"].is_string();
    let debug = at("DEBUG");
    let calls: Vec<_> = debug.iter().filter(is_call).collect();
    assert_eq!(calls.len(), 41, "the list and 40 usages: {calls:#?}");
    let list = calls[0];
    assert_eq!((&list["message"], &list["endpoint"]), (&json!("call succeeded"), &json!("/api/organizations")));
    assert_eq!(
        (&list["status"], &list["connection"], &list["requests"]),
        (&json!(200), &json!("new"), &json!(1))
    );
    assert!(list["bytes"].as_u64() > Some(1000) && list["duration_seconds"].is_number(), "{list}");
    let failed = |line: &&&&serde_json::Value| line["message"] == "call failed: API server error (HTTP 500)";
    assert_eq!(calls.iter().filter(failed).count(), 40);
    assert!(calls.iter().any(|line| line["connection"] == "reused"), "{calls:#?}");
    let ids: std::collections::BTreeSet<_> =
        calls.iter().filter_map(|line| line["organization_id"].as_u64()).collect();
    assert_eq!(ids.len(), 40);
    let scrapes: Vec<_> = debug.iter().filter(|line| line["message"] == "scrape").collect();
    assert_eq!(scrapes.len(), 1, "{scrapes:#?}");
    assert_eq!((&scrapes[0]["calls"], &scrapes[0]["failed"]), (&json!(41), &json!(40)));
}

#[tokio::test]
async fn a_pause_of_many_calls_is_one_line() {
    let api = with_40_organizations_down(ResponseTemplate::new(429)).await;
    let url = api.url();
    let arguments = ["scrape", "--api.url", &url, "--no-collector.organization"];
    let ended = Program::ends(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")], 1).await;
    assert_eq!(ended.stderr.matches("pausing calls for 30s").count(), 1, "{}", ended.stderr);
}

#[tokio::test]
async fn calls_that_fail_after_their_scrape_are_one_warning_too() {
    let never = ResponseTemplate::new(200).set_delay(std::time::Duration::from_mins(10));
    let api = with_40_organizations_down(never).await;
    let url = api.url();
    let arguments = [
        "--api.url",
        &url,
        "--no-collector.organization",
        "--api.concurrency=40",
        "--api.timeout=3s",
        "--scrape.timeout-default=500ms",
        "--web.listen-address=127.0.0.1:0",
    ];
    let mut program = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")]);
    let address = program.address().await;
    crate::support::get_text(format!("http://{address}/metrics")).await;
    let line = program.says("WARN").await;
    assert!(line.contains("40 calls failed: ") && line.contains("timed out after 3s"), "{line}");
    let rest = program.stop().await;
    assert!(!rest.stderr.contains("WARN"), "{}", rest.stderr);
}
