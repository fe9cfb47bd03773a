//! Metrics and labels that PromQL expressions may name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use edgeimpulse_exporter::metrics::{Description, Kind, catalogue};

use super::promql::Uses;

/// Labels that Prometheus adds to every series.
const TARGET_LABELS: [&str; 3] = ["job", "instance", "pod"];

/// Every metric, by name.
pub static CATALOGUE: LazyLock<BTreeMap<&str, &Description>> = LazyLock::new(|| {
    let metrics = catalogue::sections().into_iter().flat_map(|section| section.metrics);
    metrics.map(|metric| (metric.name, metric)).collect()
});

/// Returns the metric of the catalogue that a sample name belongs to.
pub fn described(name: &str) -> Option<&'static Description> {
    let of_histogram = || {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix))?;
        CATALOGUE.get(base).filter(|metric| metric.kind == Kind::Histogram)
    };
    let plain = CATALOGUE.get(name).filter(|metric| metric.kind != Kind::Histogram);
    plain.or_else(of_histogram).copied()
}

/// The series that Prometheus writes about alerts, with the labels that the rules give them.
pub const ALERTS: &str = "ALERTS";
const ALERT_LABELS: [&str; 7] =
    ["alertname", "alertstate", "severity", "organization_id", "entitlement", "account", "collector"];

/// Returns the labels of a metric, including those that Prometheus adds.
pub fn labels(name: &str) -> BTreeSet<&'static str> {
    if name == ALERTS {
        return ALERT_LABELS.into_iter().collect();
    }
    let described = described(name).into_iter().flat_map(|metric| metric.labels).copied();
    described.chain(TARGET_LABELS).chain(name.ends_with("_bucket").then_some("le")).collect()
}

/// Checks that an expression names at least one metric, and only metrics and labels that exist. `recorded` are the
/// series that rules record.
pub fn check(uses: &Uses, recorded: &BTreeSet<String>) -> Result<(), String> {
    if uses.selectors.is_empty() {
        return Err("it names no metric".to_owned());
    }
    for selector in uses.selectors.iter().filter(|selector| !recorded.contains(&selector.metric)) {
        let metric = &selector.metric;
        if described(metric).is_none() && metric != ALERTS {
            return Err(format!("there is no metric {metric}"));
        }
        let labels = labels(metric);
        if let Some(matcher) = selector.matchers.iter().find(|matcher| !labels.contains(&*matcher.name)) {
            return Err(format!("{metric} has no label {}", matcher.name));
        }
    }
    for grouping in uses.groupings.iter().filter(|grouping| grouping.metrics.is_disjoint(recorded)) {
        let known: BTreeSet<_> = grouping.metrics.iter().flat_map(|metric| labels(metric)).collect();
        let is_known = |label: &&String| known.contains(&***label) || grouping.written.contains(*label);
        if let Some(label) = grouping.labels.iter().find(|label| !is_known(label)) {
            return Err(format!("no label {label} in {:?}", grouping.metrics));
        }
    }
    Ok(())
}
