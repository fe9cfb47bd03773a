//! The metrics reference, written from the catalogue.

use std::fmt::Write as _;

use serde_json::json;

use crate::metrics::Description;
use crate::metrics::catalogue;

/// Writes the reference as a page for people: what `docs/metrics.md` holds.
#[must_use]
pub fn markdown() -> String {
    let mut page = "\
# Metrics

<!-- Written by `edgeimpulse-exporter metrics`; a test holds it against the catalogue. -->

A label that does not apply to a series is left out. Dates are seconds since 1970 of the event itself, never days that
are left. What the API does not say has no sample; 0 means zero. An experimental metric may change with any version that
says so in the changelog; any other only with a new major version. Of a metric that has a past, the API keeps a year of
daily records: [history](history.md) writes them.
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
