//! The client of an account.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderName, HeaderValue};
use reqwest::{Method, Response};
use url::Url;

use super::budget::Share;
use super::credential::Credential;
use super::decode::DecodeOptions;
use super::limits::MAX_TRANSFORMATION_JOBS;
use super::request::Request;
use super::traffic::Traffic;
use super::transport::{Pool, Transport};
use super::{Error, pagination};
use crate::metrics::telemetry::Telemetry;
use crate::model::{Call, Collector, Facts, UnixTime};

/// Settings of a [`Client`].
#[derive(Clone)]
pub struct Settings {
    /// Base URL, without the paths of the endpoints.
    pub url: Url,
    /// Maximum duration of a request, up to the last byte of its response.
    pub timeout: Duration,
    /// Maximum size of a response after decompression, in bytes.
    pub max_response_size: u64,
    /// Query of the usage call.
    pub usage_query: Vec<(&'static str, &'static str)>,
    /// How responses are decoded; each call sets its own `now`.
    pub decode: DecodeOptions,
    /// Receives a copy of each response.
    pub tap: Option<Tap>,
}

/// A function that receives a copy of each complete response.
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
    /// The credential of the request.
    pub secret: &'a str,
}

/// Calls the API for one account. Accounts may share connections.
#[derive(Debug)]
pub struct Client {
    pub(super) http: Transport,
    pub(super) settings: Settings,
    pub(super) telemetry: Arc<Telemetry>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Settings").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client that uses the connections of `http`.
    #[must_use]
    pub const fn new(http: Transport, settings: Settings, telemetry: Arc<Telemetry>) -> Self {
        Self { http, settings, telemetry }
    }

    /// Returns the settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Makes `call` for `account`, at the time `now`. A paginated call sends several requests, one after another; the
    /// timeout applies to each of them, and each is counted. The facts take no more of the account's limits than `share` has.
    ///
    /// # Errors
    /// See [`Error`]; none contains the credential.
    pub async fn get(
        &self,
        account: &str,
        call: &Call,
        credential: &Credential,
        share: &Share,
        now: UnixTime,
    ) -> Result<Facts, Error> {
        let began = Instant::now();
        let traffic = Traffic::default();
        let endpoint = call.collector.endpoint();
        let traffic = &traffic;
        let request = Request { client: self, account, call, endpoint, credential, share, now, traffic };
        let owner = call.owner.unwrap_or_default();
        let result = match call.collector {
            Collector::WhitelabelOrganizations => pagination::organizations(&request, owner).await,
            Collector::WhitelabelUsers => pagination::users(&request, owner).await,
            Collector::WhitelabelActivity => pagination::activity(&request, owner).await,
            Collector::FinishedJobs => {
                pagination::finished_jobs(&request, call.organization_id.unwrap_or_default()).await
            }
            _ => request.send(&[]).await.map(|success| success.facts),
        };
        traffic.log(account, call, &result, began.elapsed());
        result
    }

    /// Sends a GET request. Returns whether a connection was opened for it, too.
    pub(super) async fn http_get(
        &self,
        url: Url,
        credential: &Credential,
        pool: &mut Pool,
    ) -> (Result<Response, Error>, bool) {
        let mut request = reqwest::Request::new(Method::GET, url);
        request.headers_mut().extend([
            (HeaderName::from_static(credential.kind.header()), credential.header()),
            (ACCEPT, HeaderValue::from_static("application/json")),
            (ACCEPT_ENCODING, HeaderValue::from_static("gzip")),
        ]);
        self.http.send(request, pool).await
    }

    /// Returns the URL of a request of `call` to `endpoint`.
    pub(super) fn request_url(&self, call: &Call, endpoint: &str, query: &[(&'static str, String)]) -> Url {
        let mut url = self.settings.url.clone();
        let path = format!("{}{}", url.path().trim_end_matches('/'), call.path(endpoint));
        url.set_path(&path);
        match call.collector {
            Collector::Usage if !self.settings.usage_query.is_empty() => {
                url.query_pairs_mut().extend_pairs(&self.settings.usage_query);
            }
            // With projects, which are not read, the response is large.
            Collector::User => url.set_query(Some("excludeProjects=true")),
            Collector::TransformationJobs => {
                url.query_pairs_mut().append_pair("limit", &MAX_TRANSFORMATION_JOBS.to_string());
            }
            // A job that another one started would be counted beside it.
            Collector::Jobs => url.set_query(Some("rootOnly=true")),
            _ => {}
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}
