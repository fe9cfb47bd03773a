//! Routes: metrics, service discovery, status page, probes and reload.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONNECTION, CONTENT_SECURITY_POLICY, HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::map_response;
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

/// Returns `app` with a header that keeps browsers from guessing types of responses.
pub(super) fn without_sniffing(app: Router) -> Router {
    app.layer(map_response(async |mut response: Response| {
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }))
}

/// Returns the response to every request without TLS at an address that requires it.
pub(super) fn https_only() -> Router {
    let text = "this address requires TLS: use https:// in the URL, and scheme: https in Prometheus\n";
    without_sniffing(
        Router::new().fallback(async move || (StatusCode::BAD_REQUEST, [(CONNECTION, "close")], text)),
    )
}

async fn serve_metrics(request: ScrapeRequest) -> Result<Response, ErrorResponse> {
    let (collectors, with_telemetry) = request.collectors()?;
    let selection = Selection { collectors, organization: None };
    Ok(request.run(&request.exporter.accounts, &selection, with_telemetry).await)
}

async fn reload(
    State(live): State<Arc<ReloadableExporter>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<&'static str, ErrorResponse> {
    let exporter = live.exporter();
    if !exporter.web().enable_lifecycle {
        let option = exporter.configuration.sources.name("web.enable-lifecycle");
        let text = format!("reload over HTTP is disabled: start with {option}, or send SIGHUP\n");
        return Err((StatusCode::FORBIDDEN, text));
    }
    if is_cross_site(&uri, &headers) {
        let text = "reload refused: the request comes from a page of another site\n";
        return Err((StatusCode::FORBIDDEN, text.to_owned()));
    }
    live.reload().await.map(|()| "Reloaded.\n").map_err(|error| {
        let text = format!("reload failed, the previous configuration stays in use: {error}\n");
        (StatusCode::INTERNAL_SERVER_ERROR, text)
    })
}

/// Returns true if a browser sent the request for a page of another site, such as a form. Programs send neither header.
fn is_cross_site(uri: &Uri, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(ORIGIN).map(HeaderValue::as_bytes) else { return false };
    // HTTP/2 has the host in the URI.
    let host = uri.authority().map(|authority| authority.as_str().as_bytes());
    let host = host.or_else(|| headers.get(HOST).map(HeaderValue::as_bytes)).unwrap_or_default();
    origin != [b"http://", host].concat() && origin != [b"https://", host].concat()
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
    (
        [(CONTENT_SECURITY_POLICY, policy)],
        Html(page::render(&live.exporter(), encrypted.is_some(), page.unwrap_or(1)).into_string()),
    )
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
