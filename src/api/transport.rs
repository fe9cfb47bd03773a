//! Connections to the API: timeouts, proxies, and their errors.

use std::cell::Cell;
use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use h2::Reason;
use hyper::http::Extensions;
use hyper_util::client::legacy::{
    self,
    connect::{Connection, HttpInfo},
};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HOST, HeaderValue};
use reqwest::{Proxy, Request, Response};
use rustls::ClientConfig;
use tower::util::MapResponseLayer;
use url::Url;

use super::error_text::printable;
use super::{Error, tls};
use crate::config::{ApiOptions, OptionError, proxy};

/// Connect timeout: a host that does not accept a connection in this time will not answer a scrape in time either.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

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

/// `User-Agent` of requests.
const USER_AGENT: &str = concat!("edgeimpulse-exporter/", env!("CARGO_PKG_VERSION"));

tokio::task_local! {
    /// Local address of the connection that was opened for the request that this task sends.
    static OPENED: Cell<Option<SocketAddr>>;
}

/// Sends requests to the API. Clones share the connections.
#[derive(Clone)]
pub struct Transport {
    connector: Arc<Connector>,
    pool: Arc<Mutex<Pool>>,
}

/// Connections that requests share.
#[derive(Clone)]
pub(super) struct Pool {
    number: u64,
    client: reqwest::Client,
}

/// How connections are opened.
struct Connector {
    tls: ClientConfig,
    proxy: Option<Proxy>,
    /// Name that TLS requests and verifies, if it is not the host of the URL.
    server_name: Option<String>,
    /// Host and port of the API, and the proxy, for errors.
    target: String,
    /// Host of the API, without brackets.
    host: String,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The proxy's URL may have a password.
        formatter.debug_struct("Transport").field("target", &self.connector.target).finish_non_exhaustive()
    }
}

impl Transport {
    /// Makes the HTTP client of all calls, without connecting.
    ///
    /// # Errors
    /// If certificates cannot be loaded, options contradict each other, or a variable for the proxy cannot be used.
    pub fn new(options: &ApiOptions) -> Result<Self, OptionError> {
        let ApiOptions { url, tls_server_name, .. } = options;
        if tls_server_name.is_some() && url.scheme() != "https" {
            let what = "not possible with an API whose URL is not https";
            return Err(OptionError::about("api.tls-server-name", what));
        }
        let proxy = proxy(options)?;
        let uses_tls = [Some(url), proxy.as_ref()].into_iter().flatten().any(|url| url.scheme() == "https");
        let mut tls = tls::client_config(options.ca_file.as_deref(), uses_tls)?;
        if tls_server_name.is_none() {
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        let mut target = host_and_port(url);
        if let Some(proxy) = &proxy {
            target = format!("{target} through the proxy {}", host_and_port(proxy));
        }
        let proxy = proxy.map(with_credential).transpose().map_err(|error| innermost(&error))?;
        let server_name = tls_server_name.clone();
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let connector = Connector { tls, proxy, server_name, target, host };
        let client = connector.client().map_err(|error| innermost(&error))?;
        let pool = Pool { number: 0, client };
        Ok(Self { connector: Arc::new(connector), pool: Arc::new(Mutex::new(pool)) })
    }

    /// Returns host and port of the API, and the proxy, for errors.
    pub(super) fn target(&self) -> &str {
        &self.connector.target
    }

    /// Returns the connections that requests use now.
    pub(super) fn pool(&self) -> Pool {
        self.pool.lock().clone()
    }

    /// Replaces `pool`: requests that are sent from now on open new connections. Those under way keep theirs.
    pub(super) fn replace(&self, pool: &mut Pool) {
        let mut current = self.pool.lock();
        if current.number == pool.number
            && let Ok(client) = self.connector.client()
        {
            *current = Pool { number: pool.number + 1, client };
        }
        pool.clone_from(&current);
    }

    /// Sends a GET request, and again on a new connection if one that was open before ends without a response, or the
    /// server refuses further requests on it.
    /// Returns whether a connection was opened for it, too.
    pub(super) async fn send(&self, mut request: Request, pool: &mut Pool) -> (Result<Response, Error>, bool) {
        if let Some(name) = &self.connector.server_name {
            // The resolver returns the addresses of the URL's host.
            let host = HeaderValue::from_str(request.url().authority());
            request.headers_mut().extend(host.map(|host| (HOST, host)));
            let _ = request.url_mut().set_host(Some(name));
        }
        let again = request.try_clone();
        let (mut result, mut is_new) = execute(&pool.client, request).await;
        let has_ended = !is_new && result.as_ref().is_err_and(has_ended);
        if let Some(request) = again
            && (has_ended || result.as_ref().is_err_and(is_refused))
        {
            if has_ended {
                // The others are idle for as long.
                self.replace(pool);
            }
            // Connections of the pool may have become idle already, and end too.
            if let Ok(client) = self.connector.client() {
                (result, is_new) = execute(&client, request).await;
            }
        }
        (result.map_err(|error| classify(error, self.target())), is_new)
    }
}

/// Sends a request. Returns whether a connection was opened for it, too. If another one became idle in the meantime, the
/// HTTP client uses that.
async fn execute(client: &reqwest::Client, request: Request) -> (reqwest::Result<Response>, bool) {
    let executed = async { (client.execute(request).await, OPENED.with(Cell::get)) };
    let (result, opened) = OPENED.scope(Cell::new(None), executed).await;
    let used = match &result {
        Ok(response) => local_address(response.extensions()),
        Err(error) => causes(error).find_map(|cause| {
            let mut extensions = Extensions::new();
            cause.downcast_ref::<legacy::Error>()?.connect_info()?.get_extras(&mut extensions);
            local_address(&extensions)
        }),
    };
    let is_new = match used {
        Some(used) => opened == Some(used),
        // No connection could be opened.
        None => opened.is_none() && result.as_ref().is_err_and(reqwest::Error::is_connect),
    };
    (result, is_new)
}

fn local_address(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get().map(HttpInfo::local_addr)
}

/// Records a connection that was opened for the request of this task.
fn opened<C: Connection>(connection: C) -> C {
    let mut extensions = Extensions::new();
    connection.connected().get_extras(&mut extensions);
    let _ = OPENED.try_with(|opened| opened.set(local_address(&extensions)));
    connection
}

impl Connector {
    /// Makes a client that has no connection yet.
    fn client(&self) -> reqwest::Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .user_agent(USER_AGENT)
            // A redirect would send the credential to a host that is not configured.
            .redirect(reqwest::redirect::Policy::none())
            // Bodies are decompressed in `body`.
            .no_gzip()
            // Proxies of the environment are in `proxy`.
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            // The connection is opened in the task of the request.
            .connector_layer(MapResponseLayer::new(opened))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_keepalive(Duration::from_secs(30))
            .http1_max_headers(MAX_HEADERS)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http2_max_header_list_size(MAX_HEADER_SIZE)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(true);
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        }
        if self.server_name.is_some() {
            // An HTTP/2 request has one host only, the one that TLS verifies.
            builder = builder.dns_resolver(FixedHost(self.host.clone())).http1_only();
        }
        builder.build()
    }
}

/// Resolves every name to the addresses of this host.
struct FixedHost(String);

impl Resolve for FixedHost {
    fn resolve(&self, _: Name) -> Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Returns whether the connection ended, not only the request, or another one did that the HTTP client waited for.
fn has_ended(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        let client = cause.downcast_ref::<legacy::Error>();
        let http = cause.downcast_ref::<hyper::Error>();
        client.is_some_and(|error| {
            let is_handshake =
                error.source().and_then(|source| source.downcast_ref::<hyper::Error>()).is_some();
            error.connect_info().is_none() && !is_handshake
        }) || http.is_some_and(|error| {
            error.is_incomplete_message() || error.is_closed() || error.is_canceled() || error.is_timeout()
        }) || cause.is::<std::io::Error>()
    })
}

/// Returns whether the server ends the connection, and says that it has not read the request. The HTTP client sends such
/// a request again, but on a connection that it shares with others: that is not enough for a server without keep-alive.
fn is_refused(error: &reqwest::Error) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<h2::Error>()).any(|error| {
        let is_end = error.is_go_away() && error.reason() == Some(Reason::NO_ERROR);
        let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        error.is_remote() && (is_end || is_refused)
    })
}

/// Returns a proxy with the bytes of its credential. Of the URL's, the HTTP client would replace those that are not UTF-8.
fn with_credential(url: Url) -> reqwest::Result<Proxy> {
    let decode = |text| percent_decode_str(text).collect::<Vec<_>>();
    let credential = [decode(url.username()), decode(url.password().unwrap_or_default())].join(&b':');
    let header = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(&credential)));
    let proxy = Proxy::all(url)?;
    Ok(match header {
        Ok(mut header) if credential != b":" => {
            header.set_sensitive(true);
            proxy.custom_http_auth(header)
        }
        _ => proxy,
    })
}

fn host_and_port(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// Converts an error of the HTTP client; `target` names the API, and the proxy.
pub(super) fn classify(error: reqwest::Error, target: &str) -> Error {
    // The log has the endpoint; the URL would be noise.
    let error = error.without_url();
    let text = printable(&innermost(&error));
    if causes(&error).any(is_tls) {
        Error::Tls(format!("{target}: {text}"))
    } else if error.is_connect() {
        Error::Connect(format!("{target}: {text}"))
    } else {
        Error::Transport(text)
    }
}

/// Tells whether TLS failed. An I/O error may contain the TLS error without returning it as its source.
fn is_tls(cause: &(dyn std::error::Error + 'static)) -> bool {
    let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    cause.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner))
}

/// Returns the sources of an error of the HTTP client.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| (**cause).source())
}

/// Returns the text of the innermost source, which has the reason.
fn innermost(error: &reqwest::Error) -> String {
    let text = causes(error).last().map_or_else(|| error.to_string(), ToString::to_string);
    let Some((text, _)) = text.split_once(" (os error ") else { return text };
    // The system's texts begin with a capital letter.
    let first = text.chars().next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(text.chars().skip(1)).collect()
}
