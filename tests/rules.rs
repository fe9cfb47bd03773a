//! Rules: each alert fires when it should and only then, and its runbook exists.

use std::collections::BTreeSet;
use std::process::Command;

const FILES: [&str; 2] = ["rules.yaml", "rules-hygiene.yaml"];

fn path(file: &str) -> String {
    format!("{}/deploy/prometheus/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool").args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Returns the names of all alerts, in their order.
fn alerts() -> Vec<String> {
    let names = FILES.iter().flat_map(|file| {
        let text = std::fs::read_to_string(path(file)).unwrap();
        let names = text.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
        names.map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

#[test]
fn every_alert_has_a_name_that_fits_and_a_runbook_of_four_parts() {
    let root = env!("CARGO_MANIFEST_DIR");
    let page = std::fs::read_to_string(format!("{root}/docs/runbooks.md")).unwrap();
    let mut sections = page.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap());
    let alerts = alerts();
    assert_eq!(alerts.len(), 23);
    for alert in &alerts {
        assert!(alert.starts_with("EdgeImpulse") && alert.len() <= 40, "{alert}");
        let (title, section) = sections.next().unwrap_or_else(|| panic!("no runbook of {alert}"));
        assert_eq!(title, alert, "runbooks stand in the order of the rules");
        for part in ["**Meaning.**", "**Impact.**", "**Diagnosis.**", "**Mitigation.**"] {
            assert!(section.contains(part), "{alert} has no {part}");
        }
    }
    assert_eq!(sections.next(), None, "a runbook of no alert");
}

#[test]
fn every_alert_links_to_its_runbook() {
    let rules: String = FILES.iter().map(|file| std::fs::read_to_string(path(file)).unwrap()).collect();
    for alert in alerts() {
        let link = format!("runbook_url: docs/runbooks.md#{}\n", alert.to_lowercase());
        assert_eq!(rules.matches(&link).count(), 1, "{alert}");
    }
}

#[test]
fn every_alert_is_tested_to_fire_and_to_stay_silent() {
    let tests = std::fs::read_to_string(path("rules.test.yaml")).unwrap();
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
    let files = FILES.map(path);
    promtool(&["check", "rules", "--lint=all", "--lint-fatal", &files[0], &files[1]]);
}

#[test]
#[ignore = "needs promtool (Debian: prometheus)"]
fn every_alert_fires_in_time_and_only_then() {
    promtool(&["test", "rules", &path("rules.test.yaml")]);
}
