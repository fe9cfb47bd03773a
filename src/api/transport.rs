//! Connections to the API: what is trusted, what stands between, how long they live.

use std::error::Error as _;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, ClientBuilder, Proxy};
use url::{Host, Url};

use crate::config::ApiOptions;

/// Longest wait for a connection: a host that does not answer in this time will not answer a scrape either.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an unused connection stays open: longer than the usual scrape intervals, so that a scrape finds it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(150);

/// The product name and version that requests carry.
const USER_AGENT: &str = concat!("edgeimpulse-exporter/", env!("CARGO_PKG_VERSION"));

/// Makes what all calls go through; nothing is sent.
///
/// # Errors
/// If certificates cannot be loaded, or the options contradict each other.
pub fn transport(options: &ApiOptions) -> Result<reqwest::Client, String> {
    // Another part of the process may have chosen a provider before: then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ApiOptions { url, ca_file, proxy_url, tls_server_name, .. } = options;
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        // A redirect would carry the credential to a host that nobody configured.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_keepalive(Duration::from_secs(30));
    builder = match proxy_url {
        Some(proxy) => builder.proxy(Proxy::all(proxy.clone()).map_err(|error| innermost(&error))?),
        // What runs on this machine is not behind a proxy, whatever the environment says for the rest.
        None if is_loopback(url) => builder.no_proxy(),
        None => builder,
    };
    if let Some(path) = ca_file {
        let certificates =
            certificates(path).map_err(|error| format!("--api.ca-file {}: {error}", path.display()))?;
        builder = builder.tls_certs_merge(certificates);
    }
    if url.scheme() == "http" {
        // No certificate will be checked, so none needs to exist, as in an image without any.
        builder = builder.tls_certs_only([]);
    }
    if tls_server_name.is_some() {
        builder = named_otherwise(builder, options)?;
    }
    let no_tls = |error: reqwest::Error| {
        format!("cannot set up TLS: {}; are the system's CA certificates installed?", innermost(&error))
    };
    builder.build().map_err(no_tls)
}

fn certificates(path: &std::path::Path) -> Result<Vec<Certificate>, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| innermost(&error))?;
    if certificates.is_empty() {
        return Err("expected certificates in PEM, found none".to_owned());
    }
    Ok(certificates)
}

/// Lets TLS ask for and check a name that is not the one of the API's URL, as a gateway may need.
///
/// Requests are made for that name (see [`target`]), and whoever looks it up is sent to the URL's host.
fn named_otherwise(builder: ClientBuilder, options: &ApiOptions) -> Result<ClientBuilder, String> {
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
    // In HTTP/2 a request names one host only, and that is the one that TLS is for.
    Ok(builder.dns_resolver(Elsewhere(host)).no_proxy().http1_only())
}

/// Finds the addresses of this host, whichever name is asked for.
struct Elsewhere(String);

impl Resolve for Elsewhere {
    fn resolve(&self, _: Name) -> Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Returns the URL that requests are made for, and the value of their `Host` header where it is not the URL's.
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

/// Returns the errors behind an error of the HTTP client.
pub(super) fn causes<'a>(
    error: &'a reqwest::Error,
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| (**cause).source())
}

/// Returns what the deepest of them says.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}
