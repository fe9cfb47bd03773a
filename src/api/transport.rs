//! Connections to the API: certificates, proxies, timeouts, and their errors.

use std::error::Error as _;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, ClientBuilder, Proxy};
use url::{Host, Url};

use super::Error;
use super::error_text::printable;
use crate::config::{ApiOptions, file_reader};

/// Connect timeout: a host that does not accept a connection in this time will not answer a scrape in time either.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an idle connection stays open: longer than the usual scrape intervals, so that scrapes reuse it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(150);

/// `User-Agent` of requests.
const USER_AGENT: &str = concat!("edgeimpulse-exporter/", env!("CARGO_PKG_VERSION"));

/// Makes the HTTP client of all calls, without connecting.
///
/// # Errors
/// If certificates cannot be loaded, or options contradict each other.
pub fn transport(options: &ApiOptions) -> Result<reqwest::Client, String> {
    // Fails if the process has a provider already, which is then used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ApiOptions { url, ca_file, proxy_url, tls_server_name, .. } = options;
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        // A redirect would send the credential to a host that is not configured.
        .redirect(reqwest::redirect::Policy::none())
        // Bodies are decompressed in `body`.
        .no_gzip()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_keepalive(Duration::from_secs(30));
    builder = match proxy_url {
        Some(proxy) => builder.proxy(Proxy::all(proxy.clone()).map_err(|error| innermost(&error))?),
        // A server on this machine is not behind the proxy of the environment.
        None if is_loopback(url) => builder.no_proxy(),
        None => builder,
    };
    if let Some(path) = ca_file {
        let certificates =
            certificates(path).map_err(|error| format!("--api.ca-file {}: {error}", path.display()))?;
        builder = builder.tls_certs_merge(certificates);
    }
    if url.scheme() == "http" {
        // Without TLS no CA certificates are needed, which an image may lack.
        builder = builder.tls_certs_only([]);
    }
    if tls_server_name.is_some() {
        builder = with_tls_server_name(builder, options)?;
    }
    let no_tls = |error: reqwest::Error| {
        format!("cannot set up TLS: {}; are the system's CA certificates installed?", innermost(&error))
    };
    builder.build().map_err(no_tls)
}

fn certificates(path: &std::path::Path) -> Result<Vec<Certificate>, String> {
    let pem = file_reader::read(path).map_err(|error| error.to_string())?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| innermost(&error))?;
    if certificates.is_empty() {
        return Err("expected certificates in PEM, found none".to_owned());
    }
    Ok(certificates)
}

/// Makes TLS request and verify another name than the host of the API's URL, for gateways.
///
/// Requests are sent to that name (see [`target`]), and the resolver returns the addresses of the URL's host.
fn with_tls_server_name(builder: ClientBuilder, options: &ApiOptions) -> Result<ClientBuilder, String> {
    let ApiOptions { url, proxy_url, .. } = options;
    if url.scheme() != "https" {
        return Err("--api.tls-server-name: expected an https URL in --api.url".to_owned());
    }
    if proxy_url.is_some() {
        return Err(
            "--api.tls-server-name: not possible with --api.proxy-url, which looks names up itself".to_owned()
        );
    }
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => String::new(),
    };
    // An HTTP/2 request has one host only, the one that TLS verifies.
    Ok(builder.dns_resolver(FixedHost(host)).no_proxy().http1_only())
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

/// Returns the base URL of requests, and their `Host` header if it is not the URL's host.
pub(super) fn target(url: &Url, tls_server_name: Option<&str>) -> (Url, Option<String>) {
    let mut named = url.clone();
    match tls_server_name {
        Some(name) if named.set_host(Some(name)).is_ok() => (named, Some(url.authority().to_owned())),
        _ => (url.clone(), None),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Converts an error of the HTTP client; `url` is the API's.
pub(super) fn classify(error: reqwest::Error, url: &Url) -> Error {
    // The log has the endpoint; the URL would be noise.
    let error = error.without_url();
    let text = printable(&innermost(&error));
    let host = || {
        format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
    };
    if causes(&error).any(is_tls) {
        Error::Tls(format!("{}: {text}", host()))
    } else if error.is_connect() {
        Error::Connect(format!("{}: {text}", host()))
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
