//! Middleware: rate limit, basic authentication and response headers.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use super::config::WebConfig;
use super::users::Verdict;
use super::watcher::WebConfigWatcher;
use crate::serve::connection::Origin;

/// Health checks cannot send a password, so these paths are exempt from authentication and rate limit.
const PROBE_PATHS: [&str; 2] = ["/-/healthy", "/-/ready"];

/// Adds rate limit, basic authentication and response headers of the web configuration to `app`.
pub(in crate::serve) fn authenticated(app: Router, web_config: Arc<WebConfigWatcher>) -> Router {
    app.layer(middleware::from_fn_with_state(web_config, authenticate))
}

async fn authenticate(
    State(web_config): State<Arc<WebConfigWatcher>>,
    request: Request,
    next: Next,
) -> Response {
    let config = web_config.current().await;
    let rejection = if is_probe(&request) {
        None
    } else {
        let origin = request.extensions().get().cloned().unwrap_or_default();
        rejection(&config, request.headers().get(AUTHORIZATION), &origin).await
    };
    let mut response = match rejection {
        Some(rejection) => rejection,
        None => next.run(request).await,
    };
    response.headers_mut().extend(config.headers.iter().cloned());
    response
}

/// Restricts `app` to the paths of health checks.
pub(in crate::serve) fn probes_only(app: Router) -> Router {
    app.layer(middleware::from_fn(async |request: Request, next: Next| {
        if is_probe(&request) {
            return next.run(request).await;
        }
        let text = format!("Not found: this address serves only {}.\n", PROBE_PATHS.join(" and "));
        (StatusCode::NOT_FOUND, text).into_response()
    }))
}

/// Returns true for the paths of health checks.
pub(in crate::serve) fn is_probe<B>(request: &axum::http::Request<B>) -> bool {
    PROBE_PATHS.contains(&request.uri().path())
}

/// Returns the response to a request that is not allowed. The rate limit comes first, so that it applies to wrong
/// passwords as well.
async fn rejection(
    config: &WebConfig,
    authorization: Option<&HeaderValue>,
    origin: &Origin,
) -> Option<Response> {
    if let Some(wait) = config.rate_limit.as_ref().and_then(|limit| limit.take(Instant::now()).err()) {
        let seconds = HeaderValue::from(wait.as_secs() + 1);
        let text = "Rate limit exceeded: retry later.\n";
        return Some((StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)], text).into_response());
    }
    match config.users.as_ref()?.authenticate(authorization, origin).await {
        Verdict::Granted => None,
        Verdict::Denied => {
            let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"edgeimpulse-exporter\"")];
            let text = "Unauthorized: a valid user name and password are required.\n";
            Some((StatusCode::UNAUTHORIZED, challenge, text).into_response())
        }
        Verdict::Busy => {
            let text = "Too many password checks are pending: retry later.\n";
            Some((StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], text).into_response())
        }
    }
}
