//! Routes: metrics, service discovery, status page, probes and reload.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use super::connection::Encrypted;
use super::negotiation::{ErrorResponse, ScrapeRequest, parameters};
use super::reload::ReloadableExporter;
use super::targets;
use crate::collect::Selection;
use crate::page;

/// Returns the routes of the exporter in use.
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
        .layer(CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest))
        .with_state(live)
}

async fn serve_metrics(request: ScrapeRequest) -> Result<Response, ErrorResponse> {
    let (collectors, with_telemetry) = request.collectors()?;
    let selection = Selection { collectors, organization: None };
    Ok(request.run(&request.exporter.accounts, &selection, with_telemetry).await)
}

async fn reload(State(live): State<Arc<ReloadableExporter>>) -> Result<&'static str, ErrorResponse> {
    if !live.exporter().web().enable_lifecycle {
        let text = "reload over HTTP is disabled: start with --web.enable-lifecycle, or send SIGHUP\n";
        return Err((StatusCode::FORBIDDEN, text.to_owned()));
    }
    live.reload().await.map(|()| "Reloaded.\n").map_err(|error| {
        let text = format!("reload failed, the previous configuration stays in use: {error}\n");
        (StatusCode::INTERNAL_SERVER_ERROR, text)
    })
}

async fn serve_page(
    State(live): State<Arc<ReloadableExporter>>,
    uri: Uri,
    encrypted: Option<Extension<Encrypted>>,
) -> Response {
    // An invalid page number shows the first page.
    let page = parameters(&uri).find(|(name, _)| name == "page").and_then(|(_, page)| page.parse().ok());
    // Names of organizations are input from other people, and the page needs no resources but its inline style.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let head = [(CONTENT_SECURITY_POLICY, policy), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (head, Html(page::render(&live.exporter(), encrypted.is_some(), page.unwrap_or(1)).into_string()))
        .into_response()
}

async fn not_found(State(live): State<Arc<ReloadableExporter>>, uri: Uri) -> ErrorResponse {
    let text = format!("not found: {}; metrics are at {}\n", uri.path(), live.exporter().web().telemetry_path);
    (StatusCode::NOT_FOUND, text)
}

async fn wrong_method(method: Method, uri: Uri) -> ErrorResponse {
    let allowed = if uri.path() == "/-/reload" { "POST" } else { "GET or HEAD" };
    let text = format!("method {method} is not allowed for {}: use {allowed}\n", uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, text)
}
