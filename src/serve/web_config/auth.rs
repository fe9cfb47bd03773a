//! What every request passes by: limits, passwords, headers.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use super::config::WebConfig;
use super::users::Verdict;
use super::watcher::WebConfigWatcher;

/// The pages of those who look whether the process lives: they know no password, and must not be kept away.
const PROBES: [&str; 2] = ["/-/healthy", "/-/ready"];

/// Lets in whom the configuration lets in.
pub(in crate::serve) fn authenticated(app: Router, live: Arc<WebConfigWatcher>) -> Router {
    app.layer(middleware::from_fn_with_state(live, guard))
}

/// Leaves nothing of `app` but the pages of probes.
pub(in crate::serve) fn probes_only(app: Router) -> Router {
    app.layer(middleware::from_fn(async |request: Request, next: Next| {
        if is_probe(request.uri()) {
            return next.run(request).await;
        }
        let text = format!("Only {} are here.\n", PROBES.join(" and "));
        (StatusCode::NOT_FOUND, text).into_response()
    }))
}

fn is_probe(uri: &Uri) -> bool {
    PROBES.contains(&uri.path())
}

async fn guard(State(live): State<Arc<WebConfigWatcher>>, request: Request, next: Next) -> Response {
    let config = live.current();
    let refusal = if is_probe(request.uri()) {
        None
    } else {
        refusal(&config, request.headers().get(AUTHORIZATION)).await
    };
    let mut response = match refusal {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    for (name, value) in &config.headers {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

/// Returns why a request is not let in. The limit comes first, as it also limits who guesses.
async fn refusal(config: &WebConfig, authorization: Option<&HeaderValue>) -> Option<Response> {
    if let Some(wait) = config.rate.as_ref().and_then(|rate| rate.take(Instant::now()).err()) {
        let seconds = HeaderValue::from(wait.as_secs() + 1);
        let text = "More requests than rate_limit allows.\n";
        return Some((StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)], text).into_response());
    }
    match config.users.as_ref()?.verdict(authorization).await {
        Verdict::Welcome => None,
        Verdict::Unknown => {
            let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"edgeimpulse-exporter\"")];
            Some(
                (StatusCode::UNAUTHORIZED, challenge, "A user and the right password are needed.\n")
                    .into_response(),
            )
        }
        Verdict::Busy => {
            let text = "Too many passwords wait to be verified.\n";
            Some((StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], text).into_response())
        }
    }
}
