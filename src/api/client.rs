//! The client of an account.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HOST, HeaderValue};
use url::Url;

use super::credential::Credential;
use super::decode::DecodeOptions;
use super::request::Request;
use super::transport::target;
use super::{Error, pagination};
use crate::metrics::telemetry::Telemetry;
use crate::model::{Call, Collector, Facts, UnixTime};

/// Settings of a [`Client`].
#[derive(Clone)]
pub struct Settings {
    /// Base URL, without the paths of the endpoints.
    pub url: Url,
    /// Name that TLS requests and verifies, if it is not the host of the URL.
    pub tls_server_name: Option<String>,
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
    http: reqwest::Client,
    pub(super) settings: Settings,
    /// Base URL of requests.
    url: Url,
    /// `Host` header of requests, if it is not the host of `url`.
    host: Option<String>,
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
    pub fn new(http: reqwest::Client, settings: Settings, telemetry: Arc<Telemetry>) -> Self {
        let (url, host) = target(&settings.url, settings.tls_server_name.as_deref());
        Self { http, settings, url, host, telemetry }
    }

    /// Returns the settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Makes `call` for `account`, at the time `now`. A paginated call sends several requests, one after another; the
    /// timeout applies to each of them, and each is counted.
    ///
    /// # Errors
    /// See [`Error`]; none contains the credential.
    pub async fn get(
        &self,
        account: &str,
        call: &Call,
        credential: &Credential,
        now: UnixTime,
    ) -> Result<Facts, Error> {
        let request = Request { client: self, account, call, credential, now };
        let owner = call.owner.unwrap_or_default();
        match call.collector {
            Collector::WhitelabelOrganizations => pagination::organizations(&request, owner).await,
            Collector::WhitelabelUsers => pagination::users(&request, owner).await,
            _ => Ok(request.send(&[]).await?.facts),
        }
    }

    /// Sends a GET request.
    pub(super) async fn http_get(
        &self,
        url: Url,
        credential: &Credential,
    ) -> reqwest::Result<reqwest::Response> {
        let mut request = self
            .http
            .get(url)
            .header(credential.kind.header(), credential.header())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        if let Some(host) = &self.host {
            request = request.header(HOST, host);
        }
        request.send().await
    }

    /// Returns the URL of a request.
    pub(super) fn request_url(&self, call: &Call, query: &[(&'static str, String)]) -> Url {
        let mut url = self.url.clone();
        let path = format!("{}{call}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        match call.collector {
            Collector::Usage if !self.settings.usage_query.is_empty() => {
                url.query_pairs_mut().extend_pairs(&self.settings.usage_query);
            }
            // With projects, which are not read, the response is large.
            Collector::User => url.set_query(Some("excludeProjects=true")),
            _ => {}
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}
