//! What a call sent and received, for the log.

use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::{self, HeaderName};
use reqwest::{Response, Version};
use url::Url;

use super::Error;
use super::credential::Credential;
use super::error_text::printable;
use crate::config::redact;
use crate::model::Call;

/// Response headers whose values are logged. Others may contain secrets, such as cookies.
const LOGGED_HEADERS: [HeaderName; 10] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::DATE,
    header::RETRY_AFTER,
    header::SERVER,
    header::VIA,
];

/// What a call sent and received.
#[derive(Debug, Default)]
pub(super) struct Traffic(Mutex<Totals>);

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    requests: u32,
    /// Status of the last response.
    status: Option<u16>,
    /// Size of the responses, after decompression.
    bytes: u64,
    /// Whether the last response came over a connection that this request opened.
    is_new: bool,
}

impl Traffic {
    /// Runs a request up to the response's headers, and records and logs both. The request returns whether a connection was
    /// opened for it, too.
    pub(super) async fn observe(
        &self,
        url: &Url,
        credential: &Credential,
        request: impl Future<Output = (Result<Response, Error>, bool)>,
    ) -> Result<Response, Error> {
        // The query is of this program; the base URL, which has none, may contain a secret in its path.
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = redact(url.as_str().trim_end_matches(query.as_str()));
        tracing::trace!(credential = credential.kind.header(), "request: GET {path}{query}");
        self.update(|totals| (totals.requests, totals.status) = (totals.requests + 1, None));
        let (response, is_new) = request.await;
        if let Ok(response) = &response {
            let status = response.status().as_u16();
            self.update(|totals| (totals.status, totals.is_new) = (Some(status), is_new));
            trace_response(response, credential);
        }
        response
    }

    /// Adds bytes of a response.
    pub(super) fn received(&self, bytes: u64) {
        self.update(|totals| totals.bytes += bytes);
    }

    /// Logs the call and its result.
    pub(super) fn log<T>(&self, account: &str, call: &Call, result: &Result<T, Error>, duration: Duration) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let Totals { requests, status, bytes, is_new } = self.update(|totals| *totals);
        let error = result.as_ref().err();
        let message =
            error.map_or_else(|| "call succeeded".to_owned(), |error| format!("call failed: {error}"));
        tracing::debug!(
            account,
            endpoint = call.collector.endpoint(),
            whitelabel_organization_id = call.owner,
            organization_id = call.organization_id,
            user_id = call.user_id,
            reason = error.map(Error::reason),
            status,
            requests,
            bytes,
            duration_seconds = duration.as_secs_f64(),
            connection = status.map(|_| if is_new { "new" } else { "reused" }),
            "{message}"
        );
    }

    fn update<R>(&self, change: impl FnOnce(&mut Totals) -> R) -> R {
        change(&mut self.0.lock())
    }
}

/// Logs status and headers of a response.
fn trace_response(response: &Response, credential: &Credential) {
    if !tracing::enabled!(tracing::Level::TRACE) {
        return;
    }
    let value = |name: &HeaderName, value: &[u8]| {
        let text = LOGGED_HEADERS.contains(name).then(|| String::from_utf8_lossy(value));
        // A header may repeat the credential, as error texts may.
        let secret = credential.expose().to_ascii_lowercase();
        text.map(|text| printable(&text)).filter(|text| !text.to_ascii_lowercase().contains(&secret))
    };
    let headers = response.headers().iter().map(|(name, content)| match value(name, content.as_bytes()) {
        Some(value) => format!("{name}: {value}"),
        None => format!("{name}: [hidden]"),
    });
    let headers = headers.collect::<Vec<_>>().join("; ");
    let version = if response.version() == Version::HTTP_2 { "HTTP/2" } else { "HTTP/1.1" };
    tracing::trace!(headers, "response: {version} {}", response.status().as_u16());
}
