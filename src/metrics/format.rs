//! Formats of the exposition.

use super::to_prometheus_text;

/// The two formats that metrics are served in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0
    OpenMetrics,
    /// The Prometheus text format 0.0.4
    PrometheusText,
}

impl Format {
    /// Returns the value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::PrometheusText => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Converts OpenMetrics text to this format.
    #[must_use]
    pub fn write(self, open_metrics: String) -> String {
        match self {
            Self::OpenMetrics => open_metrics,
            Self::PrometheusText => to_prometheus_text(&open_metrics),
        }
    }
}
