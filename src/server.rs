//! What the exporter answers over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tokio::time::Instant;
use tower_http::compression::CompressionLayer;

use crate::account::Account;
use crate::clock::Clock;
use crate::config::{FailScrape, ScrapeOptions};
use crate::listener::Encrypted;
use crate::own::Own;
use crate::snapshot::Snapshot;
use crate::{metrics, page, scrape};

/// The header by which Prometheus says how long it will wait, in seconds.
const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// Most time for a scrape, whoever asks for more: no call lasts that long, and no clock overflows.
const LONGEST_SCRAPE: Duration = Duration::from_hours(1);

/// Everything that requests share.
#[derive(Debug)]
pub struct Exporter {
    /// The accounts, in the order of configuration.
    pub accounts: Vec<Arc<Account>>,
    /// The exporter's counters.
    pub own: Arc<Own>,
    /// The time of day.
    pub clock: Clock,
    /// How long a scrape may take.
    pub scrape: ScrapeOptions,
    /// Path of the metrics.
    pub telemetry_path: String,
    /// Whether the exporter's own metrics are shown.
    pub exporter_metrics: bool,
    /// When a scrape is answered with a failure.
    pub fail_scrape: FailScrape,
    /// Base URL of the API, for people to see.
    pub api_url: String,
}

impl Exporter {
    /// Reads all accounts within `budget` and returns the metrics as OpenMetrics text.
    ///
    /// # Errors
    /// See [`metrics::open_metrics`].
    pub async fn collect(&self, budget: Duration) -> Result<(String, Arc<Snapshot>), std::fmt::Error> {
        let deadline = Instant::now() + budget.min(LONGEST_SCRAPE);
        let snapshot = Arc::new(scrape::collect(&self.accounts, deadline, self.clock.now()).await);
        let own = self.exporter_metrics.then(|| Arc::clone(&self.own));
        Ok((metrics::open_metrics(Arc::clone(&snapshot), own)?, snapshot))
    }

    /// Tells whether a scrape with this result is to be answered with a failure.
    fn fails(&self, snapshot: &Snapshot) -> bool {
        match self.fail_scrape {
            FailScrape::Never => false,
            FailScrape::All => !snapshot.accounts.iter().any(|account| account.up),
            FailScrape::Any => snapshot.collections.iter().any(|call| call.supported && !call.success),
        }
    }
}

/// Builds the routes.
pub fn app(exporter: Arc<Exporter>) -> Router {
    Router::new()
        .route(&exporter.telemetry_path, get(serve_metrics))
        .route("/", get(serve_page))
        .route("/-/healthy", get(async || "Healthy.\n"))
        .route("/-/ready", get(async || "Ready.\n"))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(CompressionLayer::new().gzip(true))
        .with_state(exporter)
}

async fn serve_metrics(State(exporter): State<Arc<Exporter>>, method: Method, headers: HeaderMap) -> Response {
    let format = Format::negotiate(headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok()));
    let head = [(CONTENT_TYPE, format.content_type()), (VARY, "Accept, Accept-Encoding")];
    // Whoever wants the header only gets it without a call to the API.
    if method == Method::HEAD {
        return head.into_response();
    }
    let timeout = headers.get(SCRAPE_TIMEOUT).and_then(|value| value.to_str().ok()?.parse().ok());
    let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = timeout.filter(|timeout| !timeout.is_zero());
    match exporter.collect(exporter.scrape.budget(timeout)).await {
        Ok((_, snapshot)) if exporter.fails(&snapshot) => {
            let text = "Not all could be read, and --web.fail-scrape asks to fail then: see the log and the page at /.\n";
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
        Ok((text, _)) => (head, format.write(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "Metrics could not be written.\n").into_response()
        }
    }
}

async fn serve_page(
    State(exporter): State<Arc<Exporter>>,
    encrypted: Option<Extension<Encrypted>>,
) -> Response {
    // The page shows names of organizations, which others choose; it needs nothing but its own style.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let head = [(CONTENT_SECURITY_POLICY, policy), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (head, Html(page::render(&exporter, encrypted.is_some()).into_string())).into_response()
}

async fn not_found(State(exporter): State<Arc<Exporter>>, uri: Uri) -> Response {
    let text = format!("There is no {}. Metrics are at {}.\n", uri.path(), exporter.telemetry_path);
    (StatusCode::NOT_FOUND, text).into_response()
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let text = format!("{method} is not possible at {}: use GET or HEAD.\n", uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, text).into_response()
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
