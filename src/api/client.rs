//! One request to the API, and the facts in its answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use futures_util::StreamExt;
use reqwest::header::{ACCEPT, HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use url::Url;

use super::credential::Credential;
use super::decode::{self, DecodeOptions, Listed};
use super::error::ErrorDetail;
use super::stream::Parts;
use super::transport::{causes, innermost, target};
use super::values::{Convert, Unusable, fields};
use super::{Error, pagination};
use crate::metrics::telemetry::Telemetry;
use crate::model::{Call, Collector};
use crate::model::{Facts, UnixTime};

/// How much of an answer that reports a failure is read for its error text.
const FAILURE_SIZE: usize = 64 * 1024;

/// Parts of this size take longer to read than another thread takes to wake up.
const LARGE_PART: usize = 128 * 1024;

/// Longest wait for that text: the status has told what matters, and must not be lost over it.
const FAILURE_PATIENCE: Duration = Duration::from_secs(2);

/// How the API is asked, and how its answers are understood.
#[derive(Clone)]
pub struct Settings {
    /// Base URL, to which the paths of the endpoints are added.
    pub url: Url,
    /// The name that TLS asks for and checks, where it is not the URL's.
    pub tls_server_name: Option<String>,
    /// Longest time from sending a request to the last byte of its answer.
    pub timeout: Duration,
    /// Longest answer that is read, in bytes, after decompression.
    pub max_response_size: u64,
    /// Query of the usage call.
    pub usage_query: Vec<(&'static str, &'static str)>,
    /// How answers are understood; its `now` is that of each call.
    pub terms: DecodeOptions,
    /// Is given a copy of each response.
    pub tap: Option<Tap>,
}

/// A function that is given a copy of each complete response.
pub type Tap = Arc<dyn Fn(&TappedResponse<'_>) + Send + Sync>;

/// A complete response of the API.
#[derive(Debug)]
pub struct TappedResponse<'a> {
    /// Name of the account.
    pub account: &'a str,
    /// Path below the base URL, with the query.
    pub request: String,
    /// HTTP status.
    pub status: u16,
    /// The body, decompressed.
    pub body: &'a [u8],
    /// The secret that the request carried.
    pub secret: &'a str,
}

/// Speaks to the API, for one account; accounts share their connections.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    settings: Settings,
    /// Base URL of requests.
    url: Url,
    /// `Host` of requests, where it is not that of the URL.
    host: Option<String>,
    own: Arc<Telemetry>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Settings").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client that sends through `http`.
    #[must_use]
    pub fn new(http: reqwest::Client, settings: Settings, own: Arc<Telemetry>) -> Self {
        let (url, host) = target(&settings.url, settings.tls_server_name.as_deref());
        Self { http, settings, url, host, own }
    }

    /// Returns how the API is asked.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Makes `call` with `credential`, on behalf of `account`; `now` is the time of the call. A call may take several
    /// requests, one after the other; each may take as long as one may, and is counted.
    ///
    /// # Errors
    /// See [`Error`]; none of them holds the credential.
    pub async fn get(
        &self,
        account: &str,
        call: &Call,
        credential: &Credential,
        now: UnixTime,
    ) -> Result<Facts, Error> {
        let asking = Request { client: self, account, call, credential, now };
        let owner = call.owner.unwrap_or_default();
        match call.collector {
            Collector::WhitelabelOrganizations => pagination::organizations(&asking, owner).await,
            Collector::WhitelabelUsers => pagination::users(&asking, owner).await,
            _ => Ok(asking.ask(&[]).await?.facts),
        }
    }

    async fn exchange(
        &self,
        asking: &Request<'_>,
        query: &[(&'static str, String)],
        status: &mut Option<u16>,
    ) -> Result<Answer, Error> {
        let Request { call, credential, now, account, .. } = *asking;
        let url = self.url(call, query);
        let mut request = self
            .http
            .get(url.clone())
            .header(credential.kind.header(), credential.header())
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(host) = &self.host {
            request = request.header(HOST, host);
        }
        let response = request.send().await.map_err(of_reqwest)?;
        let code = response.status().as_u16();
        *status = Some(code);
        let copy = self.settings.tap.as_ref().map(|_| Arc::new(Mutex::new(Vec::new())));
        let is_success = response.status() == StatusCode::OK;
        let retry_after = retry_after(response.headers(), now);
        let parts = self.parts(call, response, copy.clone());
        let result = if is_success {
            let terms = DecodeOptions { now, ..self.settings.terms };
            let decoded = decode::decode(parts, call, &terms, credential.expose()).await;
            self.count(call, &decoded.unusable);
            decoded.facts.map(|facts| Answer { facts, listed: decoded.listed })
        } else {
            let text = self.failure(parts).await;
            Err(Error::of_status(ErrorDetail::new(code, text.as_deref(), credential.expose()), retry_after))
        };
        // Timed-out responses do not come this far: they would look complete.
        if let (Some(tap), Some(copy)) = (&self.settings.tap, copy) {
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            let body = copy.lock().unwrap_or_else(PoisonError::into_inner);
            let secret = credential.expose();
            tap(&TappedResponse {
                account,
                request: format!("{call}{query}"),
                status: code,
                body: &body,
                secret,
            });
        }
        result
    }

    /// Reads why the API did not answer with 200.
    async fn failure(&self, mut parts: impl Parts) -> Option<String> {
        fields!(
            /// `GenericApiResponse`
            FailureFields { error: "error" }
        );
        let mut body = Vec::new();
        let reading = async {
            while body.len() < FAILURE_SIZE
                && let Some(Ok(part)) = parts.next().await
            {
                body.extend_from_slice(&part);
            }
        };
        // Half of what the whole call may take, so that the call itself does not run out of time meanwhile.
        let _ = tokio::time::timeout(FAILURE_PATIENCE.min(self.settings.timeout / 2), reading).await;
        let json = FailureFields::convert(body.trim_ascii());
        json.and_then(|json| json.error.read::<String>(&mut Unusable::default()))
    }

    /// Returns the parts of an answer's body as they arrive, up to the size that is allowed; `copy` is given them too.
    fn parts(&self, call: &Call, response: Response, copy: Option<Arc<Mutex<Vec<u8>>>>) -> impl Parts + use<> {
        let limit = self.settings.max_response_size;
        let own = Arc::clone(&self.own);
        let endpoint = call.collector.endpoint();
        let whole = response.content_length();
        let mut size = 0;
        Box::pin(response.bytes_stream()).map(move |part| {
            let part = part.map_err(of_reqwest)?;
            size += part.len() as u64;
            if part.len() >= LARGE_PART && whole != Some(size) {
                // Before this part is read, whoever receives the next one is woken, as the last task on this thread: no
                // other thread takes that one until there is one behind it.
                drop(tokio::spawn(std::future::ready(())));
            }
            own.received(endpoint, part.len() as u64);
            if size > limit {
                return Err(Error::TooLarge { limit });
            }
            if let Some(copy) = &copy {
                copy.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&part);
            }
            Ok(part)
        })
    }

    fn url(&self, call: &Call, query: &[(&'static str, String)]) -> Url {
        let mut url = self.url.clone();
        let path = format!("{}{call}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        match call.collector {
            Collector::Usage if !self.settings.usage_query.is_empty() => {
                url.query_pairs_mut().extend_pairs(&self.settings.usage_query);
            }
            // The answer is large with projects, and nothing of them is read here.
            Collector::User => url.set_query(Some("excludeProjects=true")),
            _ => {}
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn count(&self, call: &Call, unusable: &BTreeMap<&'static str, u64>) {
        for (field, times) in unusable {
            self.own.decode_errors(call.collector.endpoint(), field, *times);
        }
        if !unusable.is_empty() {
            let fields: Vec<_> = unusable.keys().copied().collect();
            tracing::debug!(
                endpoint = call.collector.endpoint(),
                organization_id = call.organization_id,
                user_id = call.user_id,
                fields = fields.join(","),
                "the answer holds values that cannot be used; their samples are missing"
            );
        }
    }
}

/// A call on its way: on whose behalf, and when it began.
pub(super) struct Request<'a> {
    client: &'a Client,
    account: &'a str,
    call: &'a Call,
    credential: &'a Credential,
    now: UnixTime,
}

/// The answer to one request of a call.
pub(super) struct Answer {
    pub(super) facts: Facts,
    pub(super) listed: Listed,
}

impl Request<'_> {
    /// Makes one request of the call, with that query, and counts it.
    pub(super) async fn ask(&self, query: &[(&'static str, String)]) -> Result<Answer, Error> {
        let Client { settings, own, .. } = self.client;
        let began = Instant::now();
        let timeout = settings.timeout;
        let mut status = None;
        let exchange = self.client.exchange(self, query, &mut status);
        let answer = tokio::time::timeout(timeout, exchange).await;
        let result = answer.unwrap_or(Err(Error::Timeout { after: timeout }));
        let endpoint = self.call.collector.endpoint();
        own.request(self.account, endpoint, status, began.elapsed());
        if let Err(error) = &result {
            own.api_error(self.account, endpoint, error.reason());
        }
        result
    }
}

/// Reads `Retry-After`, which is a number of seconds or a date.
fn retry_after(headers: &HeaderMap, now: UnixTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    value.parse().map(Duration::from_secs).ok().or_else(|| {
        let until = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
        Duration::try_from_secs_f64(until.as_secs_f64() - now).ok()
    })
}

/// Sorts an error of the HTTP client.
fn of_reqwest(error: reqwest::Error) -> Error {
    // The URL is known from the endpoint; without it the text stays one sentence.
    let error = error.without_url();
    let text = innermost(&error);
    if causes(&error).any(is_tls) {
        Error::Tls(text)
    } else if error.is_connect() {
        Error::Connect(text)
    } else if error.is_decode() && !causes(&error).any(<dyn std::error::Error>::is::<hyper::Error>) {
        // Every body is seen through the decompressor; what hyper reports broke before it came that far.
        Error::Decode(format!("its compression is broken: {text}"))
    } else {
        Error::Transport(text)
    }
}

/// Tells whether TLS failed. An I/O error may hold the reason without naming it as its source.
fn is_tls(cause: &(dyn std::error::Error + 'static)) -> bool {
    let held = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    cause.is::<rustls::Error>() || held.is_some_and(|held| is_tls(held))
}
