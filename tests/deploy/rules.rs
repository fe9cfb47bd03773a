//! Alerting rules: they are tested to fire and to stay silent, and each has a runbook.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::support::peers::PROMETHEUS;
use crate::support::repository::{path, read, succeed};

const FILES: [&str; 2] = ["rules.yaml", "rules-hygiene.yaml"];

/// Returns the path of a file of rules, in the repository.
fn rules(file: &str) -> String {
    format!("deploy/prometheus/{file}")
}

/// Returns the names of all alerts, in order.
fn alerts() -> Vec<String> {
    let names = FILES.iter().flat_map(|file| {
        let text = read(&rules(file));
        let names = text.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
        names.map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

#[test]
fn every_alert_has_a_name_that_fits_and_a_runbook_of_four_parts() {
    let page = read("docs/runbooks.md");
    let mut sections = page.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap());
    let alerts = alerts();
    assert_eq!(alerts.len(), 25);
    for alert in &alerts {
        assert!(alert.starts_with("EdgeImpulse") && alert.len() <= 40, "{alert}");
        let (title, section) = sections.next().unwrap_or_else(|| panic!("no runbook of {alert}"));
        assert_eq!(title, alert, "runbooks are in the order of the rules");
        for part in ["**Meaning.**", "**Impact.**", "**Diagnosis.**", "**Mitigation.**"] {
            assert!(section.contains(part), "{alert} has no {part}");
        }
    }
    assert_eq!(sections.next(), None, "a runbook without an alert");
}

/// Returns the table of alerts at the start of `docs/runbooks.md`.
fn table() -> String {
    let mut table = "| alert | severity | after | summary |\n| --- | --- | --- | --- |\n".to_owned();
    for file in FILES {
        let rules: Value = serde_saphyr::from_str(&read(&rules(file))).unwrap();
        let groups = rules["groups"].as_array().unwrap();
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        for rule in rules.filter(|rule| rule["alert"].is_string()) {
            let [name, wait] = ["alert", "for"].map(|key| rule[key].as_str().unwrap());
            let severity = rule["labels"]["severity"].as_str().unwrap();
            let summary = rule["annotations"]["summary"].as_str().unwrap();
            let link = name.to_lowercase();
            let _ = writeln!(table, "| [{name}](#{link}) | {severity} | {wait} | {summary} |");
        }
    }
    table
}

#[test]
fn the_runbooks_begin_with_a_table_of_all_alerts() {
    let page = read("docs/runbooks.md");
    let (head, rest) = page.split_once("| alert |").unwrap();
    let (old, rest) = rest.split_once("\n\n").unwrap();
    let (old, new) = (format!("| alert |{old}\n"), table());
    if std::env::var_os("UPDATE_RUNBOOKS").is_some() {
        std::fs::write(path("docs/runbooks.md"), format!("{head}{new}\n{rest}")).unwrap();
    } else {
        assert_eq!(old, new, "UPDATE_RUNBOOKS=1 cargo test rules");
    }
}

#[test]
fn every_alert_links_to_its_runbook() {
    let rules: String = FILES.iter().map(|file| read(&rules(file))).collect();
    for alert in alerts() {
        let link = format!("runbook_url: docs/runbooks.md#{}\n", alert.to_lowercase());
        assert_eq!(rules.matches(&link).count(), 1, "{alert}");
    }
}

#[test]
fn every_alert_is_tested_to_fire_and_to_stay_silent() {
    let tests = read("deploy/prometheus/rules.test.yaml");
    let checks: Vec<_> = tests.split("alertname: ").skip(1).collect();
    let named = |silent: bool| -> BTreeSet<_> {
        let checks = checks.iter().filter(|check| check.contains("exp_alerts: []") == silent);
        checks.map(|check| check.lines().next().unwrap().to_owned()).collect()
    };
    let alerts: BTreeSet<_> = alerts().into_iter().collect();
    assert_eq!(alerts.difference(&named(false)).collect::<Vec<_>>(), Vec::<&String>::new(), "never fire");
    assert_eq!(alerts.difference(&named(true)).collect::<Vec<_>>(), Vec::<&String>::new(), "never stay silent");
}

#[test]
#[ignore = "needs promtool (Debian: prometheus)"]
fn promtool_finds_nothing_to_complain_about_in_the_rules() {
    let files = FILES.map(rules);
    for release in PROMETHEUS.releases() {
        let _tested = release.tested("`promtool check rules --lint=all`");
        let promtool = release.program("promtool");
        succeed(&promtool, &["check", "rules", "--lint=all", "--lint-fatal", &files[0], &files[1]]);
    }
}

#[test]
#[ignore = "needs promtool (Debian: prometheus)"]
fn every_alert_fires_in_time_and_only_then() {
    for release in PROMETHEUS.releases() {
        let _tested = release.tested("`promtool test rules`");
        succeed(&release.program("promtool"), &["test", "rules", "deploy/prometheus/rules.test.yaml"]);
    }
}
