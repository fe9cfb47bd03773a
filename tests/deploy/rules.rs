//! Alerting rules: they are tested to fire and to stay silent, and each has a runbook.

mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::support::peers::PROMETHEUS;
use crate::support::repository::{path, read, succeed};

const FILES: [&str; 2] = ["rules.yaml", "rules-hygiene.yaml"];

/// Returns the path of a file of rules, in the repository.
fn rules(file: &str) -> String {
    format!("deploy/prometheus/{file}")
}

/// Returns all rules, in order.
pub fn all() -> Vec<Value> {
    let groups = FILES.iter().flat_map(|file| {
        let rules: Value = serde_saphyr::from_str(&read(&rules(file))).unwrap();
        rules["groups"].as_array().unwrap().clone()
    });
    groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// Returns the names of all alerts, in order; an alert has one or more rules, with different severities.
fn alerts() -> Vec<String> {
    let rules = all();
    let mut names: Vec<_> = rules.iter().filter_map(|rule| rule["alert"].as_str()).map(str::to_owned).collect();
    names.dedup();
    names
}

#[test]
fn every_alert_has_a_name_that_fits_and_a_runbook_of_four_parts() {
    let page = read("docs/runbooks.md");
    let mut sections = page.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap());
    let alerts = alerts();
    assert_eq!(alerts.len(), 40);
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
fn table(page: &str) -> String {
    let mut table = "| alert | severity | after | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    let rules = all();
    for name in alerts() {
        let rules = rules.iter().filter(|rule| rule["alert"] == *name);
        let (severities, waits): (Vec<_>, Vec<_>) = rules
            .map(|rule| (rule["labels"]["severity"].as_str().unwrap(), rule["for"].as_str().unwrap()))
            .unzip();
        let (_, section) = page.split_once(&format!("\n## {name}\n")).unwrap();
        let meaning = section.split_once("**Meaning.** ").unwrap().1.lines().next().unwrap();
        let sentence = meaning.split_inclusive(". ").next().unwrap().trim_end();
        let _ = writeln!(
            table,
            "| [{name}](#{}) | {} | {} | {sentence} |",
            name.to_lowercase(),
            severities.join(", "),
            waits[0]
        );
    }
    table
}

#[test]
fn the_runbooks_begin_with_a_table_of_all_alerts() {
    let page = read("docs/runbooks.md");
    let (head, rest) = page.split_once("| alert |").unwrap();
    let (old, rest) = rest.split_once("\n\n").unwrap();
    let (old, new) = (format!("| alert |{old}\n"), table(&page));
    if std::env::var_os("UPDATE_RUNBOOKS").is_some() {
        std::fs::write(path("docs/runbooks.md"), format!("{head}{new}\n{rest}")).unwrap();
    } else {
        assert_eq!(old, new, "UPDATE_RUNBOOKS=1 cargo test rules");
    }
}

#[test]
fn every_alert_links_to_its_runbook_and_to_a_dashboard() {
    // Rendered, the links are absolute: rules.test.yaml has them.
    for rule in all().iter().filter(|rule| rule["alert"].is_string()) {
        let (name, annotations) = (rule["alert"].as_str().unwrap(), &rule["annotations"]);
        let runbook = annotations["runbook_url"].as_str().unwrap();
        assert!(runbook.ends_with(&format!("{{{{ end }}}}#{}", name.to_lowercase())), "{name}: {runbook}");
        let dashboard = annotations["dashboard_url"].as_str().unwrap();
        assert!(dashboard.contains("/d/edgeimpulse-"), "{name}: {dashboard}");
        if annotations["summary"].as_str().unwrap().contains("$labels.organization_id | query") {
            let of_it = "?var-organization={{ $labels.organization_id }}";
            assert!(dashboard.ends_with(of_it), "{name}: {dashboard}");
        }
    }
    // The base of each is written once.
    let rules = FILES.map(|file| read(&rules(file))).concat();
    assert_eq!(rules.matches("://").count(), 2);
}

/// Returns the thresholds of the rules by the name in their comment, such as `>= 0.95 # almostFull`.
pub fn thresholds() -> BTreeMap<String, f64> {
    let mut thresholds = BTreeMap::new();
    for rule in all() {
        for line in rule["expr"].as_str().unwrap().lines() {
            let Some((before, name)) = line.split_once(" # ") else { continue };
            let value = before.rsplit(' ').next().unwrap().parse().unwrap();
            let known = *thresholds.entry(name.to_owned()).or_insert(value);
            assert_eq!(known, value, "{name} has one value in all rules");
        }
    }
    thresholds
}

#[test]
fn rules_and_dashboards_have_the_same_thresholds() {
    let thresholds = thresholds();
    let steps =
        [thresholds["near"], thresholds["almostFull"], 1.0].map(|share| format!("\"value\": {share}\n"));
    for name in ["organization", "overview"] {
        let dashboard = read(&format!("dashboards/{name}.json"));
        for step in &steps {
            assert!(dashboard.contains(step.as_str()), "{name} has no {step}");
        }
    }
    let days =
        ["fillingUpDays", "fillingUpCriticalDays"].map(|name| format!("\"value\": {}\n", thresholds[name]));
    for day in days {
        assert!(read("dashboards/overview.json").contains(&day), "{day}");
    }
}

#[test]
fn every_alert_is_tested_to_fire_and_to_stay_silent() {
    let tests = read("deploy/prometheus/rules.test.yaml");
    assert!(tests.matches("      - expr: 'ALERTS'\n").count() >= 4, "good days are silent");
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
