//! The catalogue of metrics: names, help, references and renamed metrics.

use std::collections::BTreeSet;

use edgeimpulse_exporter::cli::metric_reference;
use edgeimpulse_exporter::metrics::catalogue::{self, Renamed};
use edgeimpulse_exporter::metrics::{Description, Kind};

use crate::support::peers::PROMETHEUS;
use crate::support::repository::{files_below, read, succeed};
use crate::support::{Program, file};

fn metrics() -> impl Iterator<Item = &'static Description> {
    catalogue::sections().into_iter().flat_map(|section| section.metrics)
}

#[test]
fn names_are_unique_and_end_as_their_type_and_unit_demand() {
    let mut names = BTreeSet::new();
    for metric in metrics() {
        let name = metric.name;
        assert!(names.insert(name), "{name} comes once");
        assert!(name.starts_with("edgeimpulse_") || name.starts_with("process_"), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
        assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
        for taken in ["_bucket", "_sum", "_count", "_created"] {
            assert!(!name.ends_with(taken), "{name} ends like a part of another type");
        }
        for unit in ["milli", "minutes", "hours", "days", "kilobyte", "megabyte", "percent", "_ms"] {
            assert!(!name.contains(unit), "{name} has a base unit");
        }
        assert_eq!(name.contains("timestamp"), name.ends_with("_timestamp_seconds"), "{name}");
    }
}

#[test]
fn help_is_a_sentence_that_needs_no_escapes() {
    for metric in metrics() {
        let help = metric.help;
        assert!(help.starts_with(|c: char| c.is_ascii_uppercase()) || help.starts_with("1 if "), "{help}");
        assert!(help.ends_with('.') && !help.ends_with(".."), "{help}");
        assert!(!help.contains(['\n', '\\', '"']), "{help}");
    }
}

#[test]
fn labels_are_names_and_an_info_metric_has_more_of_them_than_the_rest() {
    for metric in metrics() {
        let unique: BTreeSet<_> = metric.labels.iter().collect();
        assert_eq!(unique.len(), metric.labels.len(), "{}", metric.name);
        assert!(metric.labels.iter().all(|label| label.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
        assert!(!metric.labels.iter().any(|label| ["job", "instance", "le", "quantile"].contains(label)));
        let may_have_names = metric.name.ends_with("_info");
        let has_name = metric.labels.iter().any(|label| label.ends_with("_name"));
        assert!(!has_name || may_have_names, "{}: a rename would break the series", metric.name);
    }
}

#[test]
fn the_reference_is_fresh() {
    let fresh = read("docs/metrics.md") == metric_reference::markdown();
    assert!(fresh, "docs/metrics.md is out of date: cargo run -- metrics > docs/metrics.md");
}

#[test]
fn the_reference_for_machines_names_every_metric() {
    let json: serde_json::Value = serde_json::from_str(&metric_reference::json()).unwrap();
    let listed = json.as_array().unwrap().iter().map(|metric| metric["name"].as_str().unwrap());
    assert!(listed.eq(metrics().map(|metric| metric.name)), "{json}");
}

#[test]
fn a_former_name_leads_to_a_metric_that_exists_and_is_not_used_again() {
    let names: BTreeSet<_> = metrics().map(|metric| metric.name).collect();
    let mut former = BTreeSet::new();
    for Renamed { old, new, since } in catalogue::RENAMED {
        assert!(names.contains(new), "{new}, in which {old} lives on, is a metric");
        assert!(!names.contains(old) && former.insert(old), "{old} is one thing only");
        let is_version = |since: &str| since.split('.').filter(|part| part.parse::<u32>().is_ok()).count() == 3;
        assert!(is_version(since), "{old}: {since}");
    }
}

#[test]
#[ignore = "needs promtool (Debian: prometheus)"]
fn promtool_takes_the_rules_for_former_names() {
    const HISTOGRAM: &str = "edgeimpulse_exporter_api_request_duration_seconds";
    let made_up = Renamed { old: "edgeimpulse_exporter_call_seconds", new: HISTOGRAM, since: "9.1.0" };
    for (renamed, count) in [(catalogue::RENAMED, catalogue::RENAMED.len()), (&[made_up], 3)] {
        let rules = file("former-names.yaml", &metric_reference::rules(renamed));
        for release in PROMETHEUS.releases() {
            let output = succeed(&release.program("promtool"), &["check", "rules", &rules]);
            assert!(output.contains(&format!("{count} rules found")), "{output}");
        }
    }
}

#[tokio::test]
async fn the_program_writes_the_rules_for_former_names() {
    let ended = Program::start(&["metrics", "--format", "rules"], &[]).end().await;
    assert_eq!((ended.code, ended.stdout), (Some(0), metric_reference::rules(catalogue::RENAMED)));
}

#[test]
fn the_tests_that_the_documentation_names_exist() {
    let page = read("docs/reliability.md");
    let is_test = |word: &&str| word.matches('_').count() > 3 && !word.starts_with("edgeimpulse_");
    let named: BTreeSet<_> =
        page.split('`').filter(|word| !word.contains([' ', '\n'])).filter(is_test).collect();
    assert!(named.len() > 50, "they are found: {named:?}");
    let files = files_below("src").into_iter().chain(files_below("tests"));
    let files = files.filter(|file| file.extension() == Some("rs".as_ref()));
    let sources: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let missing: Vec<_> = named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}
