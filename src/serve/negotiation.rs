//! The parts of a request that select metrics, format and deadline.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::Instant;

use crate::collect::exporter::MAX_SCRAPE_TIME;
use crate::collect::{Account, Exporter, Selection};
use crate::metrics::Format;
use crate::metrics::exposition::Writer;
use crate::model::Collector;

/// The scrape timeout of Prometheus, in seconds.
const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// A response with an error status and the reason as text.
pub(crate) struct ErrorResponse(pub(crate) StatusCode, pub(crate) String);

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

/// Returns the decoded query parameters of a request.
pub(crate) fn parameters(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

/// The collectors selected with `collect[]` parameters.
pub(crate) struct CollectorSelection {
    /// The selected collectors; `None` without such a parameter, which selects all.
    pub(crate) collectors: Option<BTreeSet<Collector>>,
    /// Whether the telemetry of the exporter is selected.
    pub(crate) with_telemetry: bool,
}

impl CollectorSelection {
    /// Reads the `collect[]` parameters.
    ///
    /// # Errors
    /// Status 400 if a collector does not exist.
    pub(crate) fn parse(uri: &Uri) -> Result<Self, ErrorResponse> {
        let names: Vec<_> =
            parameters(uri).filter(|(name, _)| name == "collect[]").map(|(_, value)| value).collect();
        if names.is_empty() {
            return Ok(Self { collectors: None, with_telemetry: true });
        }
        let mut collectors = BTreeSet::new();
        let mut with_telemetry = false;
        for name in names {
            if name == "exporter" {
                with_telemetry = true;
            } else if let Some(collector) = Collector::ALL.into_iter().find(|known| known.name() == name) {
                collectors.insert(collector);
            } else {
                let names = Collector::ALL.map(Collector::name).join(", ");
                let text = format!("unknown collector {name:?} in collect[]: use exporter, {names}\n");
                return Err(ErrorResponse(StatusCode::BAD_REQUEST, text));
            }
        }
        Ok(Self { collectors: Some(collectors), with_telemetry })
    }

    /// Returns true if only the telemetry is selected.
    pub(crate) fn is_telemetry_only(&self) -> bool {
        self.collectors.as_ref().is_some_and(BTreeSet::is_empty)
    }
}

/// A request for metrics: format, deadline and method.
pub(crate) struct ScrapeRequest {
    format: Format,
    deadline: Instant,
    head_only: bool,
}

impl ScrapeRequest {
    /// Reads the headers of a request. The deadline includes everything that is done before the response.
    pub(crate) fn new(exporter: &Exporter, method: &Method, headers: &HeaderMap) -> Self {
        let accept = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
        let timeout = headers.get(SCRAPE_TIMEOUT).and_then(|value| value.to_str().ok()?.parse().ok());
        let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let timeout = timeout.filter(|timeout| !timeout.is_zero());
        let budget = exporter.configuration.common.scrape.budget(timeout);
        Self {
            format: format(accept),
            deadline: Instant::now() + budget.min(MAX_SCRAPE_TIME),
            head_only: *method == Method::HEAD,
        }
    }

    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Collects the selection and returns the response. A HEAD request is answered without collecting.
    pub(crate) async fn run(
        &self,
        exporter: &Exporter,
        accounts: &[Arc<Account>],
        selection: &Selection,
        with_telemetry: bool,
    ) -> Response {
        let headers = [(CONTENT_TYPE, self.format.content_type()), (VARY, "Accept, Accept-Encoding")];
        if self.head_only {
            return headers.into_response();
        }
        let budget = self.deadline.saturating_duration_since(Instant::now());
        let snapshot = exporter.scrape(accounts, selection, budget).await;
        if exporter.fails(&snapshot, selection) {
            let text = "API calls failed and --web.fail-scrape is set: see the log and the status page at / for reasons\n";
            return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
        }
        let telemetry = exporter.telemetry_if(with_telemetry);
        // A partial exposition must not replace the text kept for full scrapes.
        let partial = Writer::default();
        let writer = if selection.is_everything() { &exporter.writer } else { &partial };
        match writer.write(&snapshot, telemetry.as_ref(), self.format) {
            Ok(parts) => {
                let length = parts.iter().map(bytes::Bytes::len).sum::<usize>();
                let body = Body::from_stream(stream::iter(parts.map(Ok::<_, std::convert::Infallible>)));
                (headers, [(CONTENT_LENGTH, length)], body).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "metrics could not be encoded");
                (StatusCode::INTERNAL_SERVER_ERROR, "metrics could not be encoded\n").into_response()
            }
        }
    }
}

/// Returns the format that the `Accept` headers of a request prefer, by default the Prometheus text format.
pub fn format<'a>(accept: impl Iterator<Item = &'a str>) -> Format {
    let mut open_metrics = 0.0_f64;
    let mut prometheus_text = 0.0_f64;
    for range in accept.flat_map(|accept| accept.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (mut quality, mut version) = (1.0, None);
        for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = value.trim().parse().unwrap_or(0.0),
                "version" => version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        match (media_type.as_str(), version) {
            ("application/openmetrics-text", None | Some("1.0.0")) => {
                open_metrics = open_metrics.max(quality);
            }
            ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", None) => {
                prometheus_text = prometheus_text.max(quality);
            }
            _ => {}
        }
    }
    if open_metrics > 0.0 && open_metrics >= prometheus_text {
        Format::OpenMetrics
    } else {
        Format::PrometheusText
    }
}
