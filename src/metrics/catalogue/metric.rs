//! A row of the catalogue.

use std::sync::LazyLock;

use prometheus_client::registry::Unit;

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

impl Description {
    /// Returns the unit at the end of the name, if it is one.
    #[must_use]
    pub fn unit(&self) -> Option<&'static Unit> {
        static SECONDS: Unit = Unit::Seconds;
        static BYTES: Unit = Unit::Bytes;
        static CORES: LazyLock<Unit> = LazyLock::new(|| Unit::Other("cores".to_owned()));
        match self.name.trim_end_matches("_total").rsplit('_').next()? {
            "seconds" => Some(&SECONDS),
            "bytes" => Some(&BYTES),
            "cores" => Some(&CORES),
            _ => None,
        }
    }
}

/// A metric and the function that returns its samples for a `T`.
pub struct Metric<T: 'static> {
    /// Name, type, help and labels.
    pub description: Description,
    pub(in crate::metrics) samples: fn(&T, &mut Samples<'_>),
}

impl<T> Metric<T> {
    pub(super) const fn new(
        kind: Kind,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        collectors: &'static [&'static str],
        samples: fn(&T, &mut Samples<'_>),
    ) -> Self {
        let stability = Stability::Stable;
        let description = Description { name, kind, help, labels, collectors, stability, has_past: false };
        Self { description, samples }
    }

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

/// Declares a table of metrics, in rows of the form `KIND(LABELS, COLLECTORS) NAME HELP FLAGS => SAMPLES;`. The samples are
/// an expression of the two names in the head: a value of the table's type, and the [`Samples`] that it is added to.
macro_rules! catalogue {
    ($visibility:vis static $table:ident: $of:ty, |$value:ident, $samples:ident|
        $($kind:ident($labels:expr, $collectors:expr) $name:ident $help:literal $(.$flag:ident())* => $add:expr;)+) => {
        #[doc = concat!("Metrics of [`", stringify!($of), "`].")]
        $visibility static $table: &[$crate::metrics::Metric<$of>] = &[$(
            $crate::metrics::Metric::new(
                $crate::metrics::Kind::$kind,
                stringify!($name),
                $help,
                $labels,
                $collectors,
                |$value: &$of, $samples: &mut $crate::metrics::Samples<'_>| {
                    // A row may have no use for the value.
                    let _ = $value;
                    $add;
                },
            )$(.$flag())*
        ),+];
    };
}
