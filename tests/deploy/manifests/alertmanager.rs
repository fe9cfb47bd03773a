//! Alertmanager: routes and inhibitions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rules;
use crate::support::peers::{ALERTMANAGER, Release};
use crate::support::repository::{path, read, succeed};
use crate::support::{Program, eventually, file, free_port};

#[test]
#[ignore = "needs amtool (Debian: prometheus-alertmanager), promtool's rules, and python3 with PyYAML (PyPI)"]
fn amtool_accepts_the_configuration_and_it_mutes_alerts_that_exist() {
    let rules = rules();
    let groups = rules["groups"].as_array().unwrap().iter();
    let alerts: BTreeSet<_> = groups
        .flat_map(|group| group["rules"].as_array().unwrap())
        .filter_map(|rule| rule["alert"].as_str())
        .collect();
    let configuration = read("deploy/alertmanager/alertmanager.yml");
    let named: BTreeSet<_> = configuration
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.starts_with("EdgeImpulse") && *word != "EdgeImpulse")
        .collect();
    let short =
        ["ExporterAbsent", "AccountDown", "CredentialRejected"].map(|name| format!("EdgeImpulse{name}"));
    let named: BTreeSet<_> = named.into_iter().chain(short.iter().map(String::as_str)).collect();
    assert!(named.is_subset(&alerts), "{:?} are no alerts", named.difference(&alerts));
    for release in ALERTMANAGER.releases() {
        let _tested = release.tested("`amtool check-config`, and the receiver of each severity");
        let amtool = release.program("amtool");
        succeed(&amtool, &["check-config", "deploy/alertmanager/alertmanager.yml"]);
        for (severity, receiver) in [("critical", "on-call"), ("warning", "team"), ("info", "team")] {
            let severity = format!("severity={severity}");
            let routes =
                ["config", "routes", "test", "--config.file=deploy/alertmanager/alertmanager.yml", &severity];
            assert_eq!(succeed(&amtool, &routes).trim(), receiver);
        }
    }
}

#[tokio::test]
#[ignore = "needs prometheus-alertmanager and amtool (Debian: prometheus-alertmanager)"]
async fn alertmanager_mutes_what_another_alert_says_already() {
    for release in ALERTMANAGER.releases() {
        let _tested = release.tested("receivers and inhibitions of posted alerts");
        check_inhibitions(&release).await;
    }
}

async fn check_inhibitions(release: &Release) {
    let port = free_port();
    let storage = file("alertmanager", "");
    let mut command = tokio::process::Command::new(release.program("alertmanager"));
    let amtool = &release.program("amtool");
    command.args([
        format!("--config.file={}", path("deploy/alertmanager/alertmanager.yml")),
        format!("--storage.path={storage}.data"),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
    ]);
    let mut alertmanager = Program::run(command);
    alertmanager.says("Listening on").await;
    let url = format!("--alertmanager.url=http://127.0.0.1:{port}");
    let fire = |alert: &str, labels: &[&str]| {
        let name = format!("alertname=EdgeImpulse{alert}");
        succeed(amtool, &[&[url.as_str(), "alert", "add", &name], labels].concat());
    };
    let active = || {
        let alerts = succeed(amtool, &[&url, "--output=json", "alert", "query", "--active"]);
        let alerts: Value = serde_json::from_str(&alerts).unwrap();
        let name = |alert: &Value| {
            let of = ["alertname", "organization_id", "entitlement"];
            of.map(|label| alert["labels"][label].as_str().unwrap_or("-")).join(" ").replace("EdgeImpulse", "")
        };
        alerts.as_array().unwrap().iter().map(name).collect::<BTreeSet<_>>()
    };
    // Alertmanager applies inhibitions a moment after it receives an alert.
    let hears = async |expected: &[&str], why: &str| {
        let expected: BTreeSet<_> = expected.iter().map(|&alert| alert.to_owned()).collect();
        eventually(async || {
            let active = active();
            if active == expected { Ok(()) } else { Err(format!("{why}: {active:?} instead of {expected:?}")) }
        })
        .await;
    };

    let job = "job=edgeimpulse";
    for (organization, entitlement) in [("1", "storage"), ("1", "users"), ("2", "storage")] {
        let labels = [job, &format!("organization_id={organization}"), &format!("entitlement={entitlement}")];
        fire("EntitlementAlmostFull", &labels);
    }
    fire("EntitlementExceeded", &[job, "organization_id=1", "entitlement=storage"]);
    let quotas =
        ["EntitlementAlmostFull 1 users", "EntitlementAlmostFull 2 storage", "EntitlementExceeded 1 storage"];
    hears(&quotas, "one limit of one organization says nothing of the others").await;

    fire("AccountDown", &["job=another"]);
    hears(&[&quotas[..], &["AccountDown - -"]].concat(), "another job is another exporter").await;

    fire("CredentialRejected", &[job]);
    fire("AccountDown", &[job]);
    hears(&["AccountDown - -", "CredentialRejected - -"], "why the account is down is left").await;

    fire("ExporterAbsent", &[job]);
    hears(&["AccountDown - -", "ExporterAbsent - -"], "the account of the other job is left").await;
}
