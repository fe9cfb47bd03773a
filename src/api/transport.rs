//! Connections to the API and the requests on them, and their errors.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::http::Extensions;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::sync::Notify;

use super::Error;
use super::connector::{Connector, Opened, innermost};
use super::tls;
use crate::config::{ApiOptions, proxy};

/// How long an idle connection stays open: load balancers commonly close theirs after 60 seconds, and a request that
/// is sent meanwhile is lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// A connection of HTTP/2 is pinged after this time without a frame, also while it is idle. What acknowledges the bytes
/// may be a load balancer whose server is gone.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// A connection whose ping is not answered in this time is closed.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of header lines of a response; gateways and content delivery networks add many.
const MAX_HEADERS: usize = 256;

/// Maximum size of the header lines of a response of HTTP/2, in bytes.
const MAX_HEADER_SIZE: u32 = 64 * 1024;

/// Maximum number of interim responses, such as `103 Early Hints`, before the response.
const MAX_INTERIM_RESPONSES: usize = 16;

/// `User-Agent` of requests.
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("edgeimpulse-exporter/", env!("CARGO_PKG_VERSION")));

type HttpClient = Client<Connector, Empty<Bytes>>;

/// Sends requests to the API. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Transport {
    pooled: HttpClient,
    /// Opens a connection for each request.
    unpooled: HttpClient,
    headers: HeaderMap,
}

/// The connection of a request, once there is one.
#[derive(Debug, Default)]
pub(super) struct UsedConnection(Option<CaptureConnection>);

impl UsedConnection {
    /// Makes sure that no other request is sent on the connection.
    pub(super) fn discard(&self) {
        if let Some(connection) = &self.0
            && let Some(connected) = &*connection.connection_metadata()
        {
            connected.poison();
        }
    }

    /// Returns whether the connection was open before `instant`.
    fn was_open_at(&self, instant: Instant) -> bool {
        let mut extras = Extensions::new();
        if let Some(connection) = &self.0
            && let Some(connected) = &*connection.connection_metadata()
        {
            connected.get_extras(&mut extras);
        }
        extras.get().is_some_and(|Opened(opened)| *opened < instant)
    }
}

impl Transport {
    /// Makes the HTTP clients of all calls, without connecting.
    ///
    /// # Errors
    /// If certificates cannot be loaded, or options or variables for proxies are invalid.
    pub fn new(options: &ApiOptions) -> Result<Self, String> {
        let ApiOptions { url, tls_server_name, .. } = options;
        if tls_server_name.is_some() && url.scheme() != "https" {
            return Err("--api.tls-server-name: expected an https URL in --api.url".to_owned());
        }
        let invalid = |_| "--api.tls-server-name: expected a host name".to_owned();
        let server_name = tls_server_name.clone().map(ServerName::try_from).transpose().map_err(invalid)?;
        let proxy = proxy(options)?;
        let uses_tls = url.scheme() == "https"
            || proxy.as_ref().is_some_and(|proxy| proxy.url.scheme_str() == Some("https"));
        let mut config = tls::client_config(options.ca_file.as_deref(), uses_tls)?;
        let proxy_config = config.clone();
        if server_name.is_none() {
            // A server may refuse a request of HTTP/2 for a host that is not in its certificate.
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        let mut connector = Connector::new(config, server_name);
        let mut headers = HeaderMap::from_iter([(USER_AGENT, AGENT)]);
        if let Some(proxy) = proxy {
            if let Some(authorization) = proxy.authorization.clone().filter(|_| url.scheme() == "http") {
                headers.insert(PROXY_AUTHORIZATION, authorization);
            }
            connector = connector.through(proxy, Connector::new(proxy_config, None));
        }
        let client = |idle_connections| {
            Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE_TIMEOUT)
                .pool_max_idle_per_host(idle_connections)
                .http1_max_headers(MAX_HEADERS)
                .http1_allow_obsolete_multiline_headers_in_responses(true)
                .http1_allow_spaces_after_header_name_in_responses(true)
                .http2_max_header_list_size(MAX_HEADER_SIZE)
                .http2_keep_alive_interval(PING_INTERVAL)
                .http2_keep_alive_timeout(PING_TIMEOUT)
                .http2_keep_alive_while_idle(true)
                .build(connector.clone())
        };
        Ok(Self { pooled: client(usize::MAX), unpooled: client(0), headers })
    }

    /// Sends a GET request, and again on a new connection if one that was open before ends without a response.
    pub(super) async fn get(
        &self,
        uri: &Uri,
        mut headers: HeaderMap,
        connection: &mut UsedConnection,
    ) -> Result<Response<Incoming>, Error> {
        headers.extend(self.headers.clone());
        let began = Instant::now();
        let lost = |error: &ClientError, connection: &UsedConnection| {
            is_refused(error) || connection.was_open_at(began) && has_ended(error)
        };
        let mut result = send(&self.pooled, uri, &headers, connection).await?;
        if result.as_ref().is_err_and(|error| lost(error, connection)) {
            result = send(&self.unpooled, uri, &headers, connection).await?;
        }
        result.map_err(|error| classify(&error, uri))
    }
}

async fn send(
    client: &HttpClient,
    uri: &Uri,
    headers: &HeaderMap,
    connection: &mut UsedConnection,
) -> Result<Result<Response<Incoming>, ClientError>, Error> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers.clone();
    let (interim, too_many) = (AtomicUsize::new(0), Arc::new(Notify::new()));
    let notify = Arc::clone(&too_many);
    hyper::ext::on_informational(&mut request, move |_| {
        if interim.fetch_add(1, Ordering::Relaxed) >= MAX_INTERIM_RESPONSES {
            notify.notify_one();
        }
    });
    connection.0 = Some(capture_connection(&mut request));
    tokio::select! {
        result = client.request(request) => Ok(result),
        () = too_many.notified() => {
            Err(Error::Transport(format!("more than {MAX_INTERIM_RESPONSES} interim responses (HTTP 1xx)")))
        }
    }
}

/// Returns whether the server says that it did not look at the request.
fn is_refused(error: &ClientError) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<h2::Error>()).any(|error| {
        error.is_remote()
            && (error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR)
                || error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM))
    })
}

/// Returns whether the connection ended, not only the request.
fn has_ended(error: &ClientError) -> bool {
    causes(error).any(|cause| {
        let http = cause.downcast_ref::<hyper::Error>();
        http.is_some_and(|error| {
            error.is_incomplete_message() || error.is_closed() || error.is_canceled() || error.is_timeout()
        }) || cause.is::<std::io::Error>()
            || cause.downcast_ref::<h2::Error>().is_some_and(h2::Error::is_go_away)
    })
}

type Cause = dyn std::error::Error + 'static;

/// Converts an error of the HTTP client.
fn classify(error: &ClientError, uri: &Uri) -> Error {
    let host = || {
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        format!("{}:{port}: {}", uri.host().unwrap_or_default(), reason(error))
    };
    if causes(error).any(is_tls) {
        Error::Tls(host())
    } else if error.is_connect() {
        Error::Connect(host())
    } else {
        Error::Transport(reason(error))
    }
}

/// Converts an error of a body: of the connection, or of the compression.
pub(super) fn classify_body(error: &std::io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<hyper::Error>()) {
        Some(error) => Error::Transport(reason(error)),
        None => Error::Decode(format!("invalid compression: {}", reason(error))),
    }
}

/// Tells whether TLS failed. An I/O error may contain the TLS error without returning it as its source.
fn is_tls(cause: &Cause) -> bool {
    let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    cause.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner))
}

/// Returns the sources of an error.
fn causes(error: &ClientError) -> impl Iterator<Item = &Cause> {
    std::iter::successors(error.source(), |cause| (**cause).source())
}

/// Returns the text of the innermost source, which has the reason.
fn reason(error: &Cause) -> String {
    let text = innermost(error).to_string();
    let Some((text, _)) = text.split_once(" (os error ") else { return text };
    // The system's texts begin with a capital letter.
    let first = text.chars().next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(text.chars().skip(1)).collect()
}
