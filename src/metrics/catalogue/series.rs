//! Metrics of the exposition itself.

use super::metric::{Metric, gauge};
use crate::metrics::encode::SeriesCounts;

/// One row per metric.
pub static SERIES: &[Metric<SeriesCounts>] = &[
    gauge(
        "edgeimpulse_exporter_series",
        "Number of series in this response, without the metrics of the exporter itself.",
        &[],
        &[],
        |c, s| s.count([], c.series),
    ),
    gauge(
        "edgeimpulse_exporter_dropped_series",
        "Number of series left out of this response: duplicate (same labels as another series) or dataset_limit (see --collector.organization.most-datasets).",
        &["reason"],
        &[],
        |c, s| {
            s.count(["duplicate".into()], c.duplicate);
            s.count(["dataset_limit".into()], c.dataset_limit);
        },
    ),
];
