//! `check`: which calls succeed, which are permitted, which role they need, and when the credential expires.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::{build, with_accounts};
use crate::support::running::{KEY, jwt};
use crate::support::{FakeApi, Program, Running, file};

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
        let row = |line: &&str| line.split_whitespace().nth(1) == Some(collector);
        let row = ended.stdout.lines().find(row).unwrap();
        row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(ended.stdout.starts_with("Account default: API keys carry no expiry date.\nOrganizations: "));
    assert_eq!(row("usage")[..3], ["ok", "usage", "2"]);
    assert!(row("usage")[3].starts_with("in "));
    assert_eq!(row("user"), ["skipped", "user", "0", "needs a JWT"]);
    assert_eq!(row("whitelabel")[3], "nothing configured, or no organization found");
    let off = "off by default, enable it with --collector.finished_jobs";
    assert_eq!(row("finished_jobs"), ["skipped", "finished_jobs", "0", off]);
    let verdict =
        "\n\nVerdict: ok. 11 calls made, 11 succeeded.\nNext: start the exporter with the same options.\n";
    assert!(ended.stdout.ends_with(verdict), "{}", ended.stdout);
    assert!(!ended.stdout.contains(KEY) && !ended.stderr.contains(KEY));
    for (arguments, variable, reason) in [
        (&[][..], "EDGEIMPULSE_JWT", "needs an API key"),
        (&["--organization-id=1"], "EDGEIMPULSE_API_KEY", "not needed, the organizations are configured"),
    ] {
        let url = api.url();
        let arguments = [&["check", "--api.url", &url], arguments].concat();
        let ended = Program::start(&arguments, &[(variable, "x")]).end().await;
        let row = format!("  skipped  organizations                 0  {reason}\n");
        assert!(ended.stdout.contains(&row), "{}", ended.stdout);
    }
    let arguments = ["check", "--api.url", &api.url(), "--collector.finished_jobs"];
    let ended = Program::ends(&arguments, &[("EDGEIMPULSE_API_KEY", KEY)], 0).await;
    assert!(ended.stdout.contains("\n  ok       finished_jobs                 2  in "), "{}", ended.stdout);
    assert_eq!(ended.stdout.matches("off by default").count(), 1, "{}", ended.stdout);
}

#[tokio::test]
async fn check_names_organizations_and_failures_first_and_ends_with_a_verdict_on_100_columns() {
    let api = FakeApi::start().await;
    api.lists(&(1..=30).collect::<Vec<_>>()).await;
    let organization = json!({ "success": true, "organization": { "id": 1, "name": "Org 1" } });
    api.answers("/api/organizations/1", &organization).await;
    let long = format!("You do not have permission, {}", "not found, ".repeat(20));
    for id in 1..=30 {
        api.refuses(&format!("/api/organizations/{id}/metrics"), 403, &long).await;
    }
    let ended = Program::ends(&["check", "--api.url", &api.url()], &[("EDGEIMPULSE_API_KEY", KEY)], 1).await;
    let wide: Vec<_> = ended.stdout.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    let words = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "Organizations: Org 1 (1), Org 2 (2), ",
        ", Org 20 (20) and 10 more.",
        "failed organization 29 GET /api/organizations/2 and 28 more: not_found: not found (HTTP 404)",
        "refused usage 30 GET /api/organizations/1/metrics and 29 more: not permitted for this credential (HTTP 403): \
         You do not have permission, not found, not found",
        "; needs an admin or member of the organization",
        "Verdict: failed. 151 calls made, 92 succeeded, 29 failed, 30 refused. \
         What to do about organization: Check the ids in the configuration and the URL of the API. \
         What to do about usage: Use a credential with the role",
    ] {
        assert!(words.contains(said), "{said} is missing in {}", ended.stdout);
    }
    let results: Vec<_> =
        ended.stdout.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let severity =
        |result: &str| ["RESULT", "failed", "refused", "ok", "skipped", ""].iter().position(|it| *it == result);
    let severities: Vec<_> = results.into_iter().filter(|result| !result.is_empty()).map(severity).collect();
    assert!(severities.is_sorted() && severities[0] == Some(0), "{}", ended.stdout);
}

#[tokio::test]
async fn a_name_does_not_change_the_terminal() {
    let name = "a\u{1b}]0;b\u{7}\u{9b}31m\u{202e}c\n\u{2066}株式会社";
    let organization = json!({ "success": true, "organization": { "id": 1, "name": name } });
    let api = FakeApi::with_organization(&organization).await;
    let arguments = ["check", "--api.url", &api.url(), "--organization-id=1"];
    let ended = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", KEY)]).end().await;
    assert!(ended.stdout.contains("\nOrganizations: a?]0;b??31m?c ?株式会社 (1).\n"), "{}", ended.stdout);
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
    assert_eq!(refused["calls"], 1);
    assert!(refused["what_to_do"].as_str().unwrap().starts_with("Write a new credential"), "{refused}");
    assert_eq!(find(&report, "wrong", "user")["calls"], 0, "a skipped call is not made");
    assert_eq!(report[0]["organizations"].as_array().unwrap().len(), 2);
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

#[tokio::test]
async fn check_and_the_log_report_once_that_compute_times_have_different_units() {
    let api = FakeApi::with_samples("typical").await;
    let usage = json!({ "success": true, "metrics": { "cpuComputeTimeCurrentContract": 7200,
        "gpuComputeTimeCurrentContract": 1800, "jobsComputeTimeCurrentYear": 150 } });
    for id in 1..=2 {
        api.answers(&format!("/api/organizations/{id}/metrics"), &usage).await;
    }
    let (url, key) = (api.url(), [("EDGEIMPULSE_API_KEY", KEY)]);
    for (options, said) in [(&[][..], 1), (&["--api.compute-time-total-unit=minutes"], 0)] {
        let arguments = [&["check", "--api.url", &url], options].concat();
        let table = Program::ends(&arguments, &key, 0).await;
        assert_eq!(table.stdout.matches("Compute time: usage contradicts itself").count(), said, "{table:?}");
        assert_eq!(table.stderr.matches("usage contradicts itself").count(), said, "{table:?}");
        let report = Program::ends(&[&arguments[..], &["--format=json"]].concat(), &key, 0).await;
        let report: Value = serde_json::from_str(&report.stdout).unwrap();
        assert_eq!(report[0]["compute_time_unit_mismatch"], said == 1);
    }
    let mut program =
        Program::start(&["--api.url", &url, "--web.listen-address=127.0.0.1:0", "--cache.ttl=0s"], &key);
    let url = format!("http://{}/metrics", program.address().await);
    for _ in 0..2 {
        crate::support::get_text(&url).await;
    }
    let ended = program.stop().await;
    assert_eq!(ended.stderr.matches("usage contradicts itself").count(), 1, "{}", ended.stderr);
}

#[tokio::test]
async fn what_to_do_names_the_option_as_it_was_set_or_can_be_set() {
    let api = FakeApi::start().await;
    api.lists(&[1]).await;
    let organization = json!({ "success": true, "organization": { "id": 1 } });
    api.dawdles("/api/organizations/1", Duration::from_mins(2), &organization).await;
    let (url, key) = (api.url(), ("EDGEIMPULSE_API_KEY", KEY));
    let rest = "  timeout: 1s\ncollectors: {disabled: [usage]}\n";
    let config = file("config.yaml", &with_accounts(&url, &["one"], rest));
    let flags = ["check", "--api.url", &url, "--no-collector.usage"];
    let flag = [&flags[..], &["--api.timeout=1s"]].concat();
    let variable = [key, ("EDGEIMPULSE_API_TIMEOUT", "1s")];
    for (arguments, environment, name) in [
        (&flag[..], &[key][..], "--api.timeout"),
        (&flags, &variable, "EDGEIMPULSE_API_TIMEOUT"),
        (&["check", "--config.file", &config], &[], "api.timeout"),
    ] {
        let ended = Program::ends(arguments, environment, 1).await;
        let advice = format!(" if the API is slow, raise {name}.");
        let text = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&advice), "{text}");
        assert_eq!(text.matches("--api.").count(), usize::from(name.starts_with('-')), "{text}");
    }
    let exporter = Running::serve(build(&config)).await;
    exporter.scrape().await;
    let page = exporter.page("/").await;
    assert!(page.contains(" if the API is slow, raise api.timeout."), "{page}");
}
