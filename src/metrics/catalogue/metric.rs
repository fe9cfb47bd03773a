//! A row of the catalogue.

use crate::metrics::Samples;

/// The type of a metric, as in `TYPE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A value that only goes up.
    Counter,
    /// A distribution.
    Histogram,
}

impl Kind {
    /// Returns the word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// Which versions may change the name or meaning of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    /// New major versions.
    Stable,
    /// Any version; the changelog lists the change.
    Experimental,
}

impl Stability {
    /// Returns the word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Experimental => "experimental",
        }
    }
}

/// The description of a metric.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its full name, with `_total` if it is a counter.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its `HELP`.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// The collectors that read its values; empty for metrics of the exporter.
    pub collectors: &'static [&'static str],
    /// Which versions may change it.
    pub stability: Stability,
    /// Whether the daily records of the API contain past values.
    pub has_past: bool,
}

/// A metric and the function that returns its samples for a `T`.
pub struct Metric<T: 'static> {
    /// Name, type, help and labels.
    pub description: Description,
    pub(in crate::metrics) samples: fn(&T, &mut Samples<'_>),
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

pub(super) const fn gauge<T>(
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    collectors: &'static [&'static str],
    samples: fn(&T, &mut Samples<'_>),
) -> Metric<T> {
    metric(Kind::Gauge, name, help, labels, collectors, samples)
}

pub(super) const fn counter<T>(
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    samples: fn(&T, &mut Samples<'_>),
) -> Metric<T> {
    metric(Kind::Counter, name, help, labels, &[], samples)
}

pub(super) const fn histogram<T>(
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    samples: fn(&T, &mut Samples<'_>),
) -> Metric<T> {
    metric(Kind::Histogram, name, help, labels, &[], samples)
}

impl<T> Metric<T> {
    /// Marks a metric whose name or meaning may change.
    pub(super) const fn experimental(mut self) -> Self {
        self.description.stability = Stability::Experimental;
        self
    }

    /// Marks a metric whose past values the `history` command writes.
    pub(super) const fn with_past(mut self) -> Self {
        self.description.has_past = true;
        self
    }
}
