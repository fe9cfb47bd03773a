//! `check`: which calls succeed, which are permitted, which role they need, and when the credential expires.

use serde_json::{Value, json};

use crate::config::with_accounts;
use crate::support::running::KEY;
use crate::support::{FakeApi, Program, file};

fn find<'a>(report: &'a Value, account: &str, collector: &str) -> &'a Value {
    let accounts = report.as_array().unwrap();
    let checks =
        accounts.iter().find(|found| found["account"] == account).unwrap()["checks"].as_array().unwrap();
    let found: Vec<_> = checks.iter().filter(|check| check["collector"] == collector).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]
}

#[tokio::test]
async fn check_succeeds_if_every_permitted_call_succeeds() {
    let api = FakeApi::with_samples("typical").await;
    let ended =
        Program::start(&["check", "--api.url", &api.url()], &[("EDGEIMPULSE_API_KEY", KEY)]).end().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let row = |collector: &str| {
        let row = |line: &&str| line.trim_start().split(' ').next() == Some(collector);
        let row = ended.stdout.lines().find(row).unwrap();
        row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(ended.stdout.starts_with("Account default: API keys carry no expiry date.\n"));
    assert_eq!(row("usage")[..4], ["usage", "2", "yes", "an admin or member of the organization"]);
    assert!(row("usage")[4].starts_with("ok, in "));
    assert_eq!(row("user"), ["user", "1", "no", "a JWT", "skipped: needs a JWT"]);
    assert_eq!(row("whitelabel")[4], "skipped: nothing configured, or no organization found");
    assert!(!ended.stdout.contains(KEY) && !ended.stderr.contains(KEY));
}

#[tokio::test]
async fn check_reports_failures_per_account_with_exit_code_1() {
    let api = FakeApi::with_samples("typical").await;
    api.refuses("/api/organizations/2/metrics", 403, "You need to be a member").await;
    let refusal =
        wiremock::ResponseTemplate::new(401).set_body_json(json!({ "success": false, "error": "No" }));
    api.responds_to("x-api-key", "wrong", refusal).await;
    let config = file("config.yaml", &with_accounts(&api.url(), &["right", "wrong"], ""));
    let ended = Program::start(&["check", "--format=json", "--config.file", &config], &[]).end().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let refused = find(&report, "wrong", "organizations");
    assert_eq!(refused["reason"], "unauthorized");
    assert_eq!(refused["permitted"], Value::Null);
    assert_eq!(refused["endpoint"], "/api/organizations");
    let usage: Vec<_> = report[0]["checks"].as_array().unwrap().iter().collect();
    let usage: Vec<_> = usage.into_iter().filter(|check| check["collector"] == "usage").collect();
    assert_eq!(usage.len(), 2, "one organization is permitted, one is not");
    assert!(usage.iter().any(|check| check["permitted"] == true && check["answered"] == true));
    let refused = usage.iter().find(|check| check["permitted"] == false).unwrap();
    assert_eq!(refused["needs"], "an admin or member of the organization");
    assert!(refused["error"].as_str().unwrap().contains("You need to be a member"));

    let ended = Program::start(&["check"], &[]).end().await;
    assert_eq!(ended.code, Some(2), "no credential at all: {ended:?}");
}

#[tokio::test]
async fn check_reports_the_expiry_of_a_credential() {
    let api = FakeApi::with_samples("typical").await;
    // {"alg":"none"} . {"exp":1000000000}
    let jwt = "eyJhbGciOiJub25lIn0.eyJleHAiOjEwMDAwMDAwMDB9.c2ln";
    let ended = Program::start(&["check", "--api.url", &api.url()], &[("EDGEIMPULSE_JWT", jwt)]).end().await;
    assert!(ended.stdout.starts_with("Account default: the JWT has expired.\n"), "{ended:?}");
}

#[tokio::test]
async fn check_handles_an_expiry_that_no_duration_can_hold() {
    use base64::Engine as _;
    let api = FakeApi::with_samples("typical").await;
    let part = |json: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
    let token = format!("{}.{}.c2ln", part("{}"), part("{\"exp\":1e300}"));
    let ended = Program::start(&["check", "--api.url", &api.url()], &[("EDGEIMPULSE_JWT", &token)]).end().await;
    assert!(ended.stdout.starts_with("Account default: the JWT expires in "), "{ended:?}");
    assert!(!ended.stderr.contains("panic"), "{ended:?}");
}
