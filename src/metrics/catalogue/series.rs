//! Metrics of the exposition itself.

use crate::metrics::encode::SeriesCounts;

catalogue! { pub static SERIES: SeriesCounts, |c, s|
    Gauge(&[], &[]) edgeimpulse_exporter_series
        "Number of series in this response, without the metrics of the exporter itself." =>
        s.count([], c.series);
    Gauge(&["reason"], &[]) edgeimpulse_exporter_dropped_series
        "Number of series left out of this response: duplicate (same labels as another series) or dataset_limit (see --collector.organization.most-datasets)." => {
            s.count(["duplicate".into()], c.duplicate);
            s.count(["dataset_limit".into()], c.dataset_limit);
        };
}
