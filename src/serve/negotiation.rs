//! The parts of a request that select metrics, format and deadline.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::Instant;

use super::clients::Kept;
use super::reload::ReloadableExporter;
use crate::collect::exporter::MAX_SCRAPE_TIME;
use crate::collect::{Account, Exporter, Selection};
use crate::metrics::{Exposition, Format};
use crate::model::Collector;

/// The scrape timeout of Prometheus, in seconds.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";

/// An error status and the reason as text.
pub(super) type ErrorResponse = (StatusCode, String);

/// Returns the decoded query parameters of a request.
pub(super) fn parameters(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

/// A request for metrics or targets.
pub(super) struct ScrapeRequest {
    /// The exporter in use when the request was received.
    pub(super) exporter: Arc<Exporter>,
    pub(super) uri: Uri,
    /// Includes everything that is done before the response.
    pub(super) deadline: Instant,
    format: Format,
    /// The escaping scheme of names that the client asked for.
    escaping: &'static str,
}

impl FromRequestParts<Arc<ReloadableExporter>> for ScrapeRequest {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        live: &Arc<ReloadableExporter>,
    ) -> Result<Self, Self::Rejection> {
        let exporter = live.exporter();
        let accept = || parts.headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
        let timeout = parts.headers.get(SCRAPE_TIMEOUT).and_then(|value| value.to_str().ok()?.parse().ok());
        let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let budget = exporter.configuration.common.scrape.budget(timeout.filter(|timeout| !timeout.is_zero()));
        Ok(Self {
            uri: parts.uri.clone(),
            deadline: Instant::now() + budget.min(MAX_SCRAPE_TIME),
            format: format(accept()),
            escaping: escaping(accept()),
            exporter,
        })
    }
}

impl ScrapeRequest {
    /// Returns the collectors of the `collect[]` parameters, or `None` for all, and whether the telemetry of the
    /// exporter is selected.
    pub(super) fn collectors(&self) -> Result<(Option<BTreeSet<Collector>>, bool), ErrorResponse> {
        let (mut collectors, mut with_telemetry) = (None, None);
        for (_, name) in parameters(&self.uri).filter(|(name, _)| name == "collect[]") {
            let collectors = collectors.get_or_insert_with(BTreeSet::new);
            let with_telemetry = with_telemetry.get_or_insert(false);
            if name == "exporter" {
                *with_telemetry = true;
            } else if let Some(collector) = Collector::ALL.into_iter().find(|known| known.name() == name) {
                collectors.insert(collector);
            } else {
                let names = Collector::ALL.map(Collector::name).join(", ");
                let text = format!("unknown collector {name:?} in collect[]: use exporter, {names}\n");
                return Err((StatusCode::BAD_REQUEST, text));
            }
        }
        Ok((collectors, with_telemetry.unwrap_or(true)))
    }

    /// Returns the names of the `name[]` parameters, or `None` for all metrics.
    fn names(&self) -> Option<BTreeSet<String>> {
        let names = parameters(&self.uri).filter(|(name, _)| name == "name[]");
        Some(names.map(|(_, name)| name.into_owned()).collect()).filter(|names: &BTreeSet<_>| !names.is_empty())
    }

    fn content_type(&self) -> String {
        match self.format {
            Format::OpenMetrics => format!("{}; escaping={}", self.format.content_type(), self.escaping),
            Format::PrometheusText => self.format.content_type().to_owned(),
        }
    }

    /// Collects the selection and returns the response. The server leaves the body out for HEAD.
    pub(super) async fn run(
        &self,
        accounts: &[Arc<Account>],
        selection: &Selection,
        with_telemetry: bool,
    ) -> Response {
        let exporter = &self.exporter;
        let headers = [(CONTENT_TYPE, self.content_type()), (VARY, "Accept, Accept-Encoding".to_owned())];
        let budget = self.deadline.saturating_duration_since(Instant::now());
        let snapshot = exporter.scrape(accounts, selection, budget).await;
        if exporter.fails(&snapshot, selection) {
            let option = exporter.configuration.sources.name("web.fail-scrape");
            let text = format!(
                "API calls failed and {option} is set: see the log and the status page at / for reasons\n"
            );
            return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
        }
        let telemetry = exporter.telemetry_if(with_telemetry);
        let kept = Extension(Kept(snapshot.size()));
        let parts = Exposition::new(self.format, snapshot, telemetry).only(self.names());
        (kept, headers, in_parts(parts)).into_response()
    }
}

/// Returns a body whose parts are made when the client has read those before.
pub(super) fn in_parts(parts: impl Iterator<Item = String> + Send + 'static) -> Body {
    let mut parts = parts.peekable();
    let first = parts.next().unwrap_or_default();
    // The length of the whole is known only if there is one part.
    match parts.peek() {
        None => Body::from(first),
        Some(_) => Body::from_stream(stream::iter(iter::once(first).chain(parts).map(Ok::<_, Infallible>))),
    }
}

/// Returns the format that the `Accept` headers of a request prefer, by default the Prometheus text format.
pub fn format<'a>(accept: impl Iterator<Item = &'a str>) -> Format {
    let (mut open_metrics, mut text) = (0.0_f64, 0.0_f64);
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
            ("application/openmetrics-text", None | Some("1.0.0")) => open_metrics = open_metrics.max(quality),
            ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", None) => text = text.max(quality),
            _ => {}
        }
    }
    let is_open_metrics = open_metrics > 0.0 && open_metrics >= text;
    if is_open_metrics { Format::OpenMetrics } else { Format::PrometheusText }
}

/// Schemes for names that the Prometheus text format 0.0.4 does not allow. No metric here has such a name, so that every
/// scheme gives the same text.
const ESCAPING_SCHEMES: [&str; 4] = ["underscores", "allow-utf-8", "dots", "values"];

/// Returns the escaping scheme that the `Accept` headers of a request ask for, by default `underscores`.
fn escaping<'a>(accept: impl Iterator<Item = &'a str>) -> &'static str {
    // A range of another version is not the one that is served.
    let is_served = |range: &&str| format(iter::once(*range)) == Format::OpenMetrics;
    let ranges = accept.flat_map(|accept| accept.split(',')).filter(is_served);
    let schemes = ranges.flat_map(|range| range.split(';')).filter_map(|parameter| parameter.split_once('='));
    let mut schemes = schemes.filter(|(name, _)| name.trim().eq_ignore_ascii_case("escaping"));
    let known =
        schemes.find_map(|(_, value)| ESCAPING_SCHEMES.into_iter().find(|known| *known == value.trim()));
    known.unwrap_or("underscores")
}
