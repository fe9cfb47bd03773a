//! What the exporter answers over HTTP.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use tower_http::compression::CompressionLayer;

use super::negotiation::{Collect, Refusal, Scrape, parameters};
use super::targets;
use crate::collect::Selection;
use crate::page;
use crate::serve::listener::Encrypted;
use crate::serve::reload::ReloadableExporter;

/// Builds the routes.
pub fn app(live: Arc<ReloadableExporter>) -> Router {
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

async fn serve_metrics(
    State(live): State<Arc<ReloadableExporter>>,
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

async fn reload(State(live): State<Arc<ReloadableExporter>>) -> Result<&'static str, Refusal> {
    if !live.exporter().web().enable_lifecycle {
        let text = "Reloading over HTTP is off: start with --web.enable-lifecycle, or send SIGHUP.\n";
        return Err(Refusal(StatusCode::FORBIDDEN, text.to_owned()));
    }
    live.reload().map(|()| "Reloaded.\n").map_err(|error| {
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, format!("The configuration stays as it was: {error}\n"))
    })
}

async fn serve_page(
    State(live): State<Arc<ReloadableExporter>>,
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

async fn not_found(State(live): State<Arc<ReloadableExporter>>, uri: Uri) -> Response {
    let text =
        format!("There is no {}. Metrics are at {}.\n", uri.path(), live.exporter().web().telemetry_path);
    (StatusCode::NOT_FOUND, text).into_response()
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let allowed = if uri.path() == "/-/reload" { "POST" } else { "GET or HEAD" };
    let text = format!("{method} is not possible at {}: use {allowed}.\n", uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, text).into_response()
}
