//! Alertmanager: routes and inhibitions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rules;
use crate::support::peers::{ALERTMANAGER, Release};
use crate::support::repository::{path, read, succeed};
use crate::support::{Program, eventually, file, free_port, get_text};

#[test]
#[ignore = "needs amtool (Debian: prometheus-alertmanager), promtool's rules, and python3 with PyYAML (PyPI)"]
fn amtool_accepts_the_configuration_and_it_mutes_alerts_that_exist() {
    let rules = rules();
    let groups = rules["groups"].as_array().unwrap().iter();
    let alerts: BTreeSet<_> = groups
        .flat_map(|group| group["rules"].as_array().unwrap())
        .filter_map(|rule| rule["alert"].as_str())
        .collect();
    // Names are listed as EdgeImpulse(First|Second).
    let configuration = read("deploy/alertmanager/alertmanager.yml");
    let lists = configuration.split("EdgeImpulse").skip(1).map(|rest| rest.split('"').next().unwrap());
    let named: BTreeSet<_> = lists
        .flat_map(|list| list.split(['(', '|', ')']).filter(|name| !name.is_empty()))
        .map(|name| format!("EdgeImpulse{name}"))
        .collect();
    assert!(named.len() > 5, "{named:?}");
    let unknown: Vec<_> = named.iter().filter(|name| !alerts.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?} are no alerts");
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
    let suppressed = || {
        let alerts = succeed(amtool, &[&url, "--output=json", "alert", "query", "--inhibited"]);
        let alerts: Value = serde_json::from_str(&alerts).unwrap();
        let name = |alert: &Value| {
            assert_eq!(alert["status"]["state"], "suppressed", "{alert}");
            let of = ["alertname", "account", "organization_id", "entitlement", "pipeline_id", "severity"];
            let labels = of.iter().filter_map(|label| alert["labels"][label].as_str());
            labels.collect::<Vec<_>>().join(" ").replace("EdgeImpulse", "")
        };
        alerts.as_array().unwrap().iter().map(name).collect::<BTreeSet<_>>()
    };
    // Alertmanager applies inhibitions a moment after it receives an alert.
    let mutes = async |expected: &[&str], why: &str| {
        let expected: BTreeSet<_> = expected.iter().map(|&alert| alert.to_owned()).collect();
        eventually(async || {
            let found = suppressed();
            if found == expected { Ok(()) } else { Err(format!("{why}: {found:?} instead of {expected:?}")) }
        })
        .await;
    };

    let organization = |alert: &str, id: u8, entitlement: &str, severity: &str| {
        let [id, entitlement, severity] = [
            format!("organization_id={id}"),
            format!("entitlement={entitlement}"),
            format!("severity={severity}"),
        ];
        fire(alert, &[&id, &entitlement, &severity]);
    };
    for (id, entitlement) in [(1, "storage"), (1, "users"), (2, "storage"), (3, "compute")] {
        organization("EntitlementAlmostFull", id, entitlement, "warning");
    }
    organization("StorageFillingUp", 1, "storage", "critical");
    organization("StorageFillingUp", 2, "storage", "critical");
    organization("StorageFillingUp", 2, "storage", "warning");
    organization("ComputeOverPace", 3, "compute", "warning");
    mutes(
        &["StorageFillingUp 2 storage warning"],
        "almost full mutes the days that are left, if they are many",
    )
    .await;

    organization("EntitlementExceeded", 1, "storage", "critical");
    organization("EntitlementExceeded", 3, "compute", "critical");
    let quotas = [
        "ComputeOverPace 3 compute warning",
        "EntitlementAlmostFull 1 storage warning",
        "EntitlementAlmostFull 3 compute warning",
        "StorageFillingUp 1 storage critical",
        "StorageFillingUp 2 storage warning",
    ];
    mutes(&quotas, "one limit of one organization says nothing of the others").await;

    let pipeline = |alert: &str, id: u8| {
        fire(alert, &["organization_id=6", &format!("pipeline_id={id}"), "severity=warning"]);
    };
    for id in [1, 2] {
        pipeline("PipelineOverdue", id);
    }
    pipeline("PipelineFailing", 1);
    let quotas = [&quotas[..], &["PipelineOverdue 6 1 warning"]].concat();
    mutes(&quotas, "a pipeline that cannot start is overdue, another one is not muted").await;

    // Everything that can fire while one of two accounts is down.
    let account =
        |alert: &str, job: &str, name: &str| fire(alert, &[&format!("job={job}"), &format!("account={name}")]);
    for name in ["dead", "alive"] {
        for alert in ["CollectorFailing", "DataStale", "CredentialRejected"] {
            account(alert, "edgeimpulse", name);
        }
    }
    account("CollectorFailing", "another", "dead");
    organization("TrialDeletionImminent", 4, "", "critical");
    fire("OrganizationGone", &["organization_id=5", "severity=warning"]);
    account("AccountDown", "edgeimpulse", "dead");
    let of_the_dead = [&quotas[..], &["CollectorFailing dead", "DataStale dead"]].concat();
    mutes(&of_the_dead, "one dead key mutes its own collectors: not its cause, no organization, no other job")
        .await;

    fire("ExporterAbsent", &["job=edgeimpulse"]);
    let of_the_exporter =
        [&of_the_dead[..], &["AccountDown dead", "CollectorFailing alive", "DataStale alive"]].concat();
    mutes(&of_the_exporter, "an absent exporter mutes its own alerts, and no organization").await;

    organization("EntitlementAlmostFull", 6, "users", "info");
    check_receivers(port).await;
}

/// Checks that the alerts of each severity have its receiver.
async fn check_receivers(port: u16) {
    let expected = [("", "team"), ("critical", "on-call"), ("info", "team"), ("warning", "team")]
        .map(|(severity, receiver)| (severity.to_owned(), format!("[{{\"name\":\"{receiver}\"}}]")));
    eventually(async || {
        let alerts = get_text(format!("http://127.0.0.1:{port}/api/v2/alerts")).await;
        let alerts: Vec<Value> = serde_json::from_str(&alerts).unwrap();
        let severity = |alert: &Value| alert["labels"]["severity"].as_str().unwrap_or_default().to_owned();
        let found: BTreeSet<_> =
            alerts.iter().map(|alert| (severity(alert), alert["receivers"].to_string())).collect();
        if found == expected.clone().into() {
            Ok(())
        } else {
            Err(format!("receivers of severities: {found:?}"))
        }
    })
    .await;
}
