//! The metrics reference, written from the catalogue.

use std::fmt::Write as _;

use serde_json::json;

use crate::metrics::catalogue::{self, Renamed};
use crate::metrics::{Description, Kind};

/// Writes the reference as a page for people: what `docs/metrics.md` holds.
#[must_use]
pub fn markdown() -> String {
    let mut page = "\
# Metrics

<!-- Written by `edgeimpulse-exporter metrics`; a test holds it against the catalogue. -->

A label that does not apply to a series is left out. Dates are seconds since 1970 of the event itself, never days that
are left. What the API does not say has no sample; 0 means zero. An experimental metric may change with any version that
says so in the changelog; any other only with a new major version: [stability](stability.md) tells more. Of a metric that
has a past, the API keeps a year of daily records: [history](history.md) writes them.
"
    .to_owned();
    for section in catalogue::sections() {
        // Writing to a `String` does not fail.
        let _ = write!(page, "\n## {}\n\n{}\n\n", section.title, section.about);
        page.push_str("| metric | type | labels | collectors | meaning |\n| --- | --- | --- | --- | --- |\n");
        for Description { name, kind, help, labels, collectors, stability, has_past } in section.metrics {
            let list =
                |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let note = match stability {
                crate::metrics::Stability::Stable => "",
                crate::metrics::Stability::Experimental => " *Experimental.*",
            };
            let past = if *has_past { " *Has a past.*" } else { "" };
            let _ = writeln!(
                page,
                "| `{name}` | {} | {} | {} | {help}{note}{past} |",
                kind.name(),
                list(labels),
                list(collectors)
            );
        }
    }
    page
}

/// Writes the reference as JSON.
#[must_use]
pub fn json() -> String {
    let metrics: Vec<_> = catalogue::sections()
        .iter()
        .flat_map(|section| section.metrics.iter().map(|metric| (section.title, *metric)))
        .map(|(section, Description { name, kind, help, labels, collectors, stability, has_past })| {
            json!({
                "name": name,
                "type": kind.name(),
                "help": help,
                "labels": labels,
                "collectors": collectors,
                "stability": stability.name(),
                "has_past": has_past,
                "section": section,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(metrics))
}

/// Writes Prometheus rules that record renamed metrics under their former names too, so that what asks for these goes
/// on working while it is changed.
#[must_use]
pub fn rules(renamed: &[Renamed]) -> String {
    const PARTS_OF_HISTOGRAM: &[&str] = &["_bucket", "_sum", "_count"];
    let mut page = "\
# Written by `edgeimpulse-exporter metrics --format rules`: metrics under the names that they had before.
"
    .to_owned();
    if renamed.is_empty() {
        page.push_str("groups: []\n");
        return page;
    }
    page.push_str("groups:\n  - name: edgeimpulse-former-names\n    rules:\n");
    let sections = catalogue::sections();
    for Renamed { old, new, since } in renamed {
        let mut metrics = sections.iter().flat_map(|section| &section.metrics);
        let is_histogram = metrics.any(|metric| metric.name == *new && metric.kind == Kind::Histogram);
        for part in if is_histogram { PARTS_OF_HISTOGRAM } else { &[""] } {
            let _ = write!(
                page,
                "      # Renamed in {since}.\n      - record: {old}{part}\n        expr: {new}{part}\n"
            );
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE_UP: [Renamed; 2] = [
        Renamed {
            old: "edgeimpulse_org_bytes",
            new: "edgeimpulse_organization_storage_used_bytes",
            since: "9.0.0",
        },
        Renamed {
            old: "edgeimpulse_exporter_call_seconds",
            new: "edgeimpulse_exporter_api_request_duration_seconds",
            since: "9.1.0",
        },
    ];

    #[test]
    fn a_renamed_metric_is_recorded_under_its_former_name_in_all_its_parts() {
        let rules = rules(&MADE_UP);
        let recorded: Vec<_> = rules
            .lines()
            .filter_map(|line| {
                line.trim().strip_prefix("- record: ").or_else(|| line.trim().strip_prefix("expr: "))
            })
            .collect();
        assert_eq!(
            recorded,
            [
                "edgeimpulse_org_bytes",
                "edgeimpulse_organization_storage_used_bytes",
                "edgeimpulse_exporter_call_seconds_bucket",
                "edgeimpulse_exporter_api_request_duration_seconds_bucket",
                "edgeimpulse_exporter_call_seconds_sum",
                "edgeimpulse_exporter_api_request_duration_seconds_sum",
                "edgeimpulse_exporter_call_seconds_count",
                "edgeimpulse_exporter_api_request_duration_seconds_count",
            ]
        );
        assert!(rules.contains("# Renamed in 9.0.0.\n      - record: edgeimpulse_org_bytes\n"), "{rules}");
    }
}
