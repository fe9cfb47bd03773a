//! What a request asks for: collectors, format, compression and time.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use crate::collect::exporter::MAX_SCRAPE_TIME;
use crate::collect::{Account, Exporter, Selection};
use crate::metrics::Format;
use crate::metrics::exposition::{Encoding, Writer};
use crate::model::Collector;

/// The header by which Prometheus says how long it will wait, in seconds.
const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// An answer that says why there is no other.
pub(crate) struct Refusal(pub(crate) StatusCode, pub(crate) String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

/// Returns the parameters of a request, decoded.
pub(crate) fn parameters(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

/// What the parameters `collect[]` of a request ask for.
pub(crate) struct Collect {
    /// Only these collectors.
    pub(crate) collectors: Option<BTreeSet<Collector>>,
    /// Whether the exporter's own metrics are asked for.
    pub(crate) with_exporter: bool,
}

impl Collect {
    pub(crate) fn parse(uri: &Uri) -> Result<Self, Refusal> {
        let names: Vec<_> =
            parameters(uri).filter(|(name, _)| name == "collect[]").map(|(_, value)| value).collect();
        if names.is_empty() {
            return Ok(Self { collectors: None, with_exporter: true });
        }
        let mut collect = Self { collectors: Some(BTreeSet::new()), with_exporter: false };
        for name in names {
            let collector = Collector::ALL.into_iter().find(|collector| collector.name() == name);
            match (collector, &mut collect.collectors) {
                (Some(collector), Some(collectors)) => _ = collectors.insert(collector),
                _ if name == "exporter" => collect.with_exporter = true,
                _ => {
                    let names = Collector::ALL.map(Collector::name).join(", ");
                    let text = format!("There is no collector {name:?}: expected exporter, {names}.\n");
                    return Err(Refusal(StatusCode::BAD_REQUEST, text));
                }
            }
        }
        Ok(collect)
    }

    /// Tells whether nothing but the exporter's own metrics is asked for.
    pub(crate) fn with_exporter_alone(&self) -> bool {
        self.collectors.as_ref().is_some_and(BTreeSet::is_empty)
    }
}

/// How a scrape is to be answered, and in what time.
pub(crate) struct Scrape {
    encoding: Encoding,
    /// When it is to be answered, whatever has to be found out before.
    deadline: Instant,
    head_only: bool,
}

impl Scrape {
    pub(crate) fn of(exporter: &Exporter, method: &Method, headers: &HeaderMap) -> Self {
        let accept = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
        let timeout = headers.get(SCRAPE_TIMEOUT).and_then(|value| value.to_str().ok()?.parse().ok());
        let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let timeout = timeout.filter(|timeout| !timeout.is_zero());
        let budget = exporter.configuration.common.scrape.budget(timeout);
        Self {
            encoding: Encoding { format: format(accept), gzip: accepts_gzip(headers) },
            deadline: Instant::now() + budget.min(MAX_SCRAPE_TIME),
            head_only: *method == Method::HEAD,
        }
    }

    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(crate) async fn run(
        &self,
        exporter: &Exporter,
        accounts: &[Arc<Account>],
        selection: &Selection,
        with_own: bool,
    ) -> Response {
        let head = [(CONTENT_TYPE, self.encoding.format.content_type()), (VARY, "Accept, Accept-Encoding")];
        // Whoever wants the header only gets it without a call to the API.
        if self.head_only {
            return head.into_response();
        }
        let budget = self.deadline.saturating_duration_since(Instant::now());
        let snapshot = exporter.scrape(accounts, selection, budget).await;
        if exporter.fails(&snapshot, selection) {
            let text = "Not all could be read, and --web.fail-scrape asks to fail then: see the log and the page at /.\n";
            return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
        }
        let own = exporter.telemetry_if(with_own);
        // What is only asked for in part would take the place of what Prometheus asks for.
        let passing = Writer::default();
        let writer = if selection.is_everything() { &exporter.writer } else { &passing };
        match writer.write(&snapshot, own.as_ref(), self.encoding) {
            Ok(bytes) if self.encoding.gzip => (head, [(CONTENT_ENCODING, "gzip")], bytes).into_response(),
            Ok(bytes) => (head, bytes).into_response(),
            Err(error) => {
                tracing::error!(%error, "metrics could not be written");
                (StatusCode::INTERNAL_SERVER_ERROR, "Metrics could not be written.\n").into_response()
            }
        }
    }
}

/// Chooses what the `Accept` headers of a request prefer; the Prometheus text format where they do not say.
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

/// Tells whether a request may be answered with gzip.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let quality = quality.trim().strip_prefix("q=").and_then(|quality| quality.trim().parse().ok());
        name.trim().eq_ignore_ascii_case("gzip") && quality.is_some_and(|quality: f64| quality > 0.0)
    })
}
