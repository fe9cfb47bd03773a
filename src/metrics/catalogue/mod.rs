//! Every metric: one row each.
//!
//! The reference in `docs/metrics.md` is written from these tables, and tests hold names, help, dashboards and rules
//! against them. To add a metric, add a row to the table of the thing that it describes.

mod entities;
mod exporter;
mod organization;
mod renamed;
mod whitelabel;

pub use entities::{DATASET, PROJECT, TRIAL, USER};
pub use exporter::{ACCOUNT, COLLECTION, EXPOSED, OWN, OWN_ACCOUNT, PROCESS};
pub use organization::ORGANIZATION;
pub use renamed::{RENAMED, Renamed};
pub use whitelabel::WHITELABEL;

use super::{Description, Kind, Metric, Samples, Stability};

/// A part of the metrics reference.
#[derive(Debug)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What its metrics have in common.
    pub about: &'static str,
    /// Its metrics.
    pub metrics: Vec<&'static Description>,
}

/// Returns all metrics, in the order of the exposition.
#[must_use]
pub fn sections() -> Vec<Section> {
    fn of<T>(title: &'static str, about: &'static str, tables: &[&'static [Metric<T>]]) -> Section {
        let metrics = tables.iter().copied().flatten().map(|metric| &metric.description).collect();
        Section { title, about, metrics }
    }
    vec![
        of(
            "Organizations",
            "One series per organization that the credential sees. What the API does not say has no sample.",
            &[ORGANIZATION],
        ),
        of("Trials", "One series per enterprise trial of the users that are read; a JWT is needed.", &[TRIAL]),
        of(
            "Datasets",
            "Sizes come from an index of storage buckets: datasets may overlap, so never sum them.",
            &[DATASET],
        ),
        of("Projects", "One series per project: off unless `--collector.projects` is given.", &[PROJECT]),
        of(
            "Users",
            "The credential's own user and the configured ones only. Never a name or an e-mail.",
            &[USER],
        ),
        of(
            "White labels",
            "One series per white label that the credential administers, once its id is known: from the user or from the white label itself.",
            &[WHITELABEL],
        ),
        of("Accounts", "One series per configured credential.", &[ACCOUNT]),
        of("Collectors", "How each call of the last scrape went. Always present.", &[COLLECTION]),
        Section {
            metrics: [
                of("", "", &[OWN_ACCOUNT]).metrics,
                of("", "", &[OWN]).metrics,
                of("", "", &[EXPOSED]).metrics,
                of("", "", &[PROCESS]).metrics,
            ]
            .concat(),
            ..of::<()>(
                "The exporter",
                "The exporter's own work; left out with `--web.disable-exporter-metrics`.",
                &[],
            )
        },
    ]
}

const fn metric<T>(
    kind: Kind,
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    collectors: &'static [&'static str],
    samples: fn(&T, &mut Samples<'_>),
) -> Metric<T> {
    let stability = Stability::Stable;
    Metric {
        description: Description { name, kind, help, labels, collectors, stability, has_past: false },
        samples,
    }
}

const fn gauge<T>(
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    collectors: &'static [&'static str],
    samples: fn(&T, &mut Samples<'_>),
) -> Metric<T> {
    metric(Kind::Gauge, name, help, labels, collectors, samples)
}

const fn counter<T>(
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    samples: fn(&T, &mut Samples<'_>),
) -> Metric<T> {
    metric(Kind::Counter, name, help, labels, &[], samples)
}

impl<T> Metric<T> {
    /// Marks a metric whose meaning is not settled.
    const fn experimental(mut self) -> Self {
        self.description.stability = Stability::Experimental;
        self
    }

    /// Marks a metric of which the API keeps daily records: `history` writes them.
    const fn with_past(mut self) -> Self {
        self.description.has_past = true;
        self
    }
}
