//! Accepts connections up to a limit, and closes them gracefully at shutdown.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection;
use super::socket::Socket;
use super::web_config::WebConfigWatcher;

/// Limits and timeouts of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Maximum number of open connections. Further connections wait until one is closed.
    pub connections: usize,
    /// Timeout of a TLS handshake.
    pub handshake_timeout: Duration,
    /// Timeout for the header of a request, and of idle connections.
    pub header_timeout: Duration,
    /// Timeout of a client that does not read its response.
    pub write_timeout: Duration,
    /// Maximum size of a request header, in bytes.
    pub header_size: usize,
    /// How long shutdown waits for requests in flight.
    pub grace: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            // Prometheus and a browser need a handful.
            connections: 512,
            handshake_timeout: Duration::from_secs(10),
            // Short, so that unfinished requests do not block others for long: reconnecting is cheap for Prometheus.
            header_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            header_size: 16 * 1024,
            // Less than the 30 seconds after which Kubernetes kills the process.
            grace: Duration::from_secs(20),
        }
    }
}

/// Pause after a failed accept, which happens when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Maximum number of open connections of an endpoint with a separate limit.
const SEPARATE_CONNECTIONS: usize = 64;

/// Request extension: the request was received over TLS.
#[derive(Clone, Copy, Debug)]
pub struct Encrypted;

/// A listening socket with the routes that it serves.
#[derive(Debug)]
pub struct Endpoint {
    /// Where connections are accepted.
    pub socket: Socket,
    /// Routes of the requests.
    pub app: Router,
    /// Source of the TLS settings. Without it, connections are not encrypted.
    pub web_config: Option<Arc<WebConfigWatcher>>,
    /// Whether its connections are counted separately, so that it stays reachable when other endpoints are full.
    pub separate_limit: bool,
}

/// Serves `app` on a free loopback port until the process ends, and returns the address.
///
/// # Errors
/// If it cannot listen on a port.
pub async fn serve_on_loopback(app: Router) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    // The time between two scrapes can be long, and an idle connection must not be closed between them.
    let limits = ConnectionLimits { header_timeout: Duration::from_hours(1), ..ConnectionLimits::default() };
    tokio::spawn(serve(vec![listener], app, std::future::pending(), limits));
    Ok(address)
}

/// Serves `app` on `listeners`; see [`serve_endpoints`].
pub async fn serve(
    listeners: Vec<impl Into<Socket>>,
    app: Router,
    shutdown: impl Future<Output = ()>,
    limits: ConnectionLimits,
) -> bool {
    let endpoint = |socket| Endpoint { socket, app: app.clone(), web_config: None, separate_limit: false };
    serve_endpoints(listeners.into_iter().map(Into::into).map(endpoint).collect(), shutdown, limits).await
}

/// Serves `endpoints` until `shutdown` completes, then waits for requests in flight. Returns whether all of them
/// completed within the grace period.
pub async fn serve_endpoints(
    endpoints: Vec<Endpoint>,
    shutdown: impl Future<Output = ()>,
    limits: ConnectionLimits,
) -> bool {
    let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
    let shared = Arc::new(Semaphore::new(limits.connections));
    let accepting = futures_util::future::join_all(endpoints.into_iter().map(|endpoint| {
        let separate = || Arc::new(Semaphore::new(SEPARATE_CONNECTIONS));
        let permits = if endpoint.separate_limit { separate() } else { Arc::clone(&shared) };
        accept(endpoint, permits, &connections, &stop, limits)
    }));
    tokio::select! {
        _ = accepting => unreachable!("accept never returns"),
        () = shutdown => {}
    }
    stop.cancel();
    connections.close();
    tokio::time::timeout(limits.grace, connections.wait()).await.is_ok()
}

async fn accept(
    endpoint: Endpoint,
    permits: Arc<Semaphore>,
    connections: &TaskTracker,
    stop: &CancellationToken,
    limits: ConnectionLimits,
) -> Infallible {
    loop {
        // Fails only if the semaphore is closed, which never happens.
        let permit = Arc::clone(&permits).acquire_owned().await;
        let stream = match endpoint.socket.accept().await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let tls = endpoint.web_config.as_ref().and_then(|web_config| web_config.tls());
        let (app, stop) = (endpoint.app.clone(), stop.clone());
        connections.spawn(async move {
            connection::serve(stream, tls, app, stop, limits).await;
            drop(permit);
        });
    }
}
