//! `check`: which calls succeed, which are permitted, which role they need, and when the credential expires.

use serde_json::{Value, json};

use crate::config::with_accounts;
use crate::support::running::{KEY, jwt};
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
    let ended = Program::ends(&["check", "--api.url", &api.url()], &[("EDGEIMPULSE_API_KEY", KEY)], 0).await;
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
    let ended = Program::ends(&["check", "--format=json", "--config.file", &config], &[], 1).await;
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let refused = find(&report, "wrong", "organizations");
    assert_eq!(refused["reason"], "unauthorized");
    assert_eq!(refused["permitted"], Value::Null);
    assert_eq!(refused["endpoint"], "/api/organizations");
    let checks = report[0]["checks"].as_array().unwrap().iter();
    let usage: Vec<_> = checks.filter(|check| check["collector"] == "usage").collect();
    assert_eq!(usage.len(), 2, "one organization is permitted, one is not");
    assert!(usage.iter().any(|check| check["permitted"] == true && check["answered"] == true));
    let refused = usage.iter().find(|check| check["permitted"] == false).unwrap();
    assert_eq!(refused["needs"], "an admin or member of the organization");
    assert!(refused["error"].as_str().unwrap().contains("You need to be a member"));

    Program::ends(&["check"], &[], 2).await;
}

#[tokio::test]
async fn check_reports_the_expiry_of_a_credential() {
    let api = FakeApi::with_samples("typical").await;
    // No duration can hold the second expiry.
    for (expiry, report) in [(1e9, "the JWT has expired.\n"), (1e300, "the JWT expires in ")] {
        let arguments = ["check", "--api.url", &api.url()];
        let ended = Program::start(&arguments, &[("EDGEIMPULSE_JWT", &jwt(expiry))]).end().await;
        assert!(ended.stdout.starts_with(&format!("Account default: {report}")), "{ended:?}");
        assert!(!ended.stderr.contains("panic"), "{ended:?}");
    }
}
