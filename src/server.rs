//! What the exporter answers over HTTP.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use tokio::time::Instant;
use tower_http::compression::CompressionLayer;

use crate::account::Account;
use crate::collector::Collector;
use crate::exporter::{self, Exporter};
use crate::exposition::{Encoding, Writer};
use crate::listener::Encrypted;
use crate::reload::Live;
use crate::scrape::Selection;
use crate::{metrics, page, targets};

/// The header by which Prometheus says how long it will wait, in seconds.
const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// An answer that says why there is no other.
pub(crate) struct Refusal(pub(crate) StatusCode, pub(crate) String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

/// Builds the routes.
pub fn app(live: Arc<Live>) -> Router {
    let telemetry_path = live.exporter().web().telemetry_path.clone();
    Router::new()
        .route(&telemetry_path, get(serve_metrics))
        .route("/probe", get(targets::probe))
        .route("/sd", get(targets::sd))
        .route("/", get(serve_page))
        .route("/-/healthy", get(async || "Healthy.\n"))
        .route("/-/ready", get(async || "Ready.\n"))
        .route("/-/reload", post(reload).put(reload))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(CompressionLayer::new().gzip(true))
        .with_state(live)
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
            encoding: Encoding { format: Format::negotiate(accept), gzip: accepts_gzip(headers) },
            deadline: Instant::now() + budget.min(exporter::LONGEST_SCRAPE),
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
        let snapshot = exporter.read(accounts, selection, budget).await;
        if exporter.fails(&snapshot) {
            let text = "Not all could be read, and --web.fail-scrape asks to fail then: see the log and the page at /.\n";
            return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
        }
        let own = exporter.own_if(with_own);
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

async fn serve_metrics(
    State(live): State<Arc<Live>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let exporter = live.exporter();
    let Collect { collectors, with_exporter } = Collect::parse(&uri)?;
    let selection = Selection { collectors, organization: None };
    Ok(Scrape::of(&exporter, &method, &headers)
        .run(&exporter, &exporter.accounts, &selection, with_exporter)
        .await)
}

async fn reload(State(live): State<Arc<Live>>) -> Result<&'static str, Refusal> {
    if !live.exporter().web().enable_lifecycle {
        let text = "Reloading over HTTP is off: start with --web.enable-lifecycle, or send SIGHUP.\n";
        return Err(Refusal(StatusCode::FORBIDDEN, text.to_owned()));
    }
    live.reload().map(|()| "Reloaded.\n").map_err(|error| {
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, format!("The configuration stays as it was: {error}\n"))
    })
}

async fn serve_page(
    State(live): State<Arc<Live>>,
    uri: Uri,
    encrypted: Option<Extension<Encrypted>>,
) -> Response {
    // Whatever else is asked for is answered by the first page.
    let page = parameters(&uri).find(|(name, _)| name == "page").and_then(|(_, page)| page.parse().ok());
    // The page shows names of organizations, which others choose; it needs nothing but its own style.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let head = [(CONTENT_SECURITY_POLICY, policy), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (head, Html(page::render(&live.exporter(), encrypted.is_some(), page.unwrap_or(1)).into_string()))
        .into_response()
}

async fn not_found(State(live): State<Arc<Live>>, uri: Uri) -> Response {
    let text =
        format!("There is no {}. Metrics are at {}.\n", uri.path(), live.exporter().web().telemetry_path);
    (StatusCode::NOT_FOUND, text).into_response()
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let allowed = if uri.path() == "/-/reload" { "POST" } else { "GET or HEAD" };
    let text = format!("{method} is not possible at {}: use {allowed}.\n", uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, text).into_response()
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

/// The two formats that metrics are served in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0
    OpenMetrics,
    /// The Prometheus text format 0.0.4
    PrometheusText,
}

impl Format {
    /// Chooses what the `Accept` headers of a request prefer; the Prometheus text format where they do not say.
    pub fn negotiate<'a>(accept: impl Iterator<Item = &'a str>) -> Self {
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
            Self::OpenMetrics
        } else {
            Self::PrometheusText
        }
    }

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
            Self::PrometheusText => metrics::to_prometheus_text(&open_metrics),
        }
    }
}
