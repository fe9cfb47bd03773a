//! One request, and its response.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, UNIX_EPOCH};

use futures_util::{StreamExt, TryStreamExt};
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use url::Url;

use super::budget::Share;
use super::client::{Client, TappedResponse};
use super::credential::Credential;
use super::decode::{DecodeOptions, PageInfo, decode};
use super::error::ErrorDetail;
use super::error_text::printable;
use super::fields::read_fields;
use super::stream::{BYTE_ORDER_MARK, Envelope, Parts};
use super::traffic::Traffic;
use super::transport::Pool;
use super::values::DecodeErrors;
use super::{Error, body};
use crate::model::{Call, Collector, Facts, UnixTime};

/// Maximum size of a response with an error status that is read, in bytes.
const MAX_FAILURE_SIZE: usize = 64 * 1024;

/// Maximum wait for the body of a response with an error status: the status is known, and must not be lost.
const FAILURE_TIMEOUT: Duration = Duration::from_secs(2);

/// A request of a call.
pub(super) struct Request<'a> {
    pub(super) client: &'a Client,
    pub(super) account: &'a str,
    pub(super) call: &'a Call,
    /// That of the call, unless the call needs two.
    pub(super) endpoint: &'static str,
    pub(super) credential: &'a Credential,
    pub(super) share: &'a Share,
    pub(super) now: UnixTime,
    pub(super) traffic: &'a Traffic,
}

/// A successful response.
pub(super) struct Success {
    pub(super) facts: Facts,
    pub(super) page: PageInfo,
    /// Whether elements of the list were left out because of a limit.
    pub(super) is_cut: bool,
}

impl Request<'_> {
    /// Sends the request with a query, and decodes the response within the timeout; counts both.
    pub(super) async fn send(&self, query: &[(&'static str, String)]) -> Result<Success, Error> {
        let Client { http, settings, telemetry } = self.client;
        let began = Instant::now();
        let timeout = settings.timeout;
        let (mut status, mut pool) = (None, http.pool());
        let exchange = self.exchange(query, &mut status, &mut pool);
        let result = tokio::time::timeout(timeout, exchange).await;
        let result = result.unwrap_or_else(|_| {
            // A connection of HTTP/2 stays open, and its server may be gone.
            http.replace(&mut pool);
            Err(Error::Timeout { after: timeout })
        });
        telemetry.request(self.account, self.endpoint, status, began.elapsed());
        if let Err(error) = &result {
            telemetry.api_error(self.account, self.endpoint, error.reason());
        }
        result
    }

    async fn exchange(
        &self,
        query: &[(&'static str, String)],
        status: &mut Option<u16>,
        pool: &mut Pool,
    ) -> Result<Success, Error> {
        let Self { client, call, endpoint, credential, account, share, .. } = self;
        let settings = &client.settings;
        let url = client.request_url(call, endpoint, query);
        let response =
            self.traffic.observe(&url, credential, client.http_get(url.clone(), credential, pool)).await?;
        let code = response.status().as_u16();
        *status = Some(code);
        let mut copy = settings.tap.as_ref().map(|_| Vec::new());
        // A proxy that changed the body says so with 203.
        let is_success =
            matches!(response.status(), StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION);
        let (result, is_of_api) = if is_success {
            let options = DecodeOptions { now: self.now, ..settings.decode };
            let parts = self.body(response, copy.as_mut());
            let decoded = decode(parts, call, &options, Share::clone(share), credential.expose()).await;
            self.count_invalid(&decoded.errors);
            self.count_truncated(&decoded.truncated);
            let is_cut = ["organizations", "jobs"].iter().any(|list| decoded.truncated.contains_key(list));
            (decoded.facts.map(|facts| Success { facts, page: decoded.page, is_cut }), true)
        } else {
            let retry_after = retry_after(response.headers(), self.now);
            let redirect = redirect(response.headers(), &url);
            let parts = self.body(response, copy.as_mut());
            let (is_of_api, detail) = refusal(parts, code, credential.expose(), settings.timeout).await;
            (Err(Error::of_status(ErrorDetail { redirect, ..detail }, is_of_api, retry_after)), is_of_api)
        };
        // The API's document says that only users with a subscription may ask, and not what it answers to others.
        let result = match result {
            Err(error) if is_of_api && call.collector == Collector::Plan => Err(error.into_refusal()),
            result => result,
        };
        // Responses that timed out are not tapped: they would look complete.
        if let (Some(tap), Some(body)) = (&settings.tap, &copy) {
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            let request = call.path(endpoint) + &query;
            tap(&TappedResponse { account, request, status: code, body, secret: credential.expose() });
        }
        result
    }

    /// Returns the parts of a body as they arrive; counts them, and copies them to `copy`.
    fn body(&self, response: Response, mut copy: Option<&mut Vec<u8>>) -> impl Parts {
        let Client { http, settings, .. } = self.client;
        body::parts(response, settings.max_response_size, http.target()).inspect_ok(move |part| {
            self.client.telemetry.received(self.endpoint, part.len() as u64);
            self.traffic.received(part.len() as u64);
            if let Some(copy) = &mut copy {
                copy.extend_from_slice(part);
            }
        })
    }

    fn count_invalid(&self, errors: &BTreeMap<&'static str, u64>) {
        let endpoint = self.endpoint;
        for (field, count) in errors {
            self.client.telemetry.decode_errors(endpoint, field, *count);
        }
        if !errors.is_empty() {
            let fields: Vec<_> = errors.keys().copied().collect();
            tracing::debug!(
                endpoint,
                organization_id = self.call.organization_id,
                user_id = self.call.user_id,
                fields = fields.join(","),
                "the response has invalid values; their samples are missing"
            );
        }
    }

    /// Counts texts that were shortened and elements that were left out, by field; logs the first of a field.
    pub(super) fn count_truncated(&self, truncated: &BTreeMap<&'static str, u64>) {
        let endpoint = self.endpoint;
        for (field, count) in truncated {
            if self.client.telemetry.truncated(endpoint, field, *count) {
                tracing::warn!(
                    account = self.account,
                    endpoint,
                    field,
                    organization_id = self.call.organization_id,
                    user_id = self.call.user_id,
                    "a response exceeds a limit: texts are shortened, or elements of a list left out"
                );
            }
        }
    }
}

/// Returns whether a response with an error status is the API's own, with `success: false`, and its `error`, without
/// `secret`.
pub async fn refusal(
    mut parts: impl Parts,
    status: u16,
    secret: &str,
    timeout: Duration,
) -> (bool, ErrorDetail) {
    let mut body = Vec::new();
    let reading = async {
        while body.len() < MAX_FAILURE_SIZE
            && let Some(Ok(part)) = parts.next().await
        {
            body.extend_from_slice(&part);
        }
    };
    // Half of the request's timeout, so that the request does not time out meanwhile.
    let _ = tokio::time::timeout(FAILURE_TIMEOUT.min(timeout / 2), reading).await;
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
    let (envelope, _) = read_fields::<Envelope<'_>>(body).unwrap_or_default();
    let mut errors = DecodeErrors::default();
    let text = envelope.error.read(&mut errors);
    let detail = ErrorDetail::new(status, text.as_deref(), secret);
    (envelope.success.read(&mut errors) == Some(false), detail)
}

/// Returns `Retry-After`, which is a number of seconds, rounded up, or a date.
fn retry_after(headers: &HeaderMap, now: UnixTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && let Ok(seconds) = value.parse::<f64>()
    {
        // A number that is too large is a long pause too.
        return Some(Duration::try_from_secs_f64(seconds.ceil()).unwrap_or(Duration::MAX));
    }
    let until = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Duration::try_from_secs_f64(until.as_secs_f64() - now).ok()
}

/// Returns scheme, host and port of `Location`. Its path and query may hold secrets.
fn redirect(headers: &HeaderMap, url: &Url) -> Option<String> {
    let location = String::from_utf8_lossy(headers.get(LOCATION)?.as_bytes());
    let location = url.join(&location).ok()?;
    location.has_host().then(|| printable(&location.origin().ascii_serialization()))
}
