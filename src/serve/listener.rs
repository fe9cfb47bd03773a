//! Connections: accepted up to a bound, and brought to an end when the process is told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::{Semaphore, watch};

use super::connection;
use super::socket::Socket;
use super::web_config::WebConfigWatcher;

/// What connections may cost.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Most connections at one time; a further one waits until another ends.
    pub connections: usize,
    /// Longest time for TLS to be agreed upon.
    pub handshake_timeout: Duration,
    /// Longest time for the header of a request, and between requests.
    pub header_timeout: Duration,
    /// Longest time in which a client takes nothing of its answer.
    pub write_timeout: Duration,
    /// Longest header of a request, in bytes.
    pub header_size: usize,
    /// How long requests in flight may take to end after the process was told to.
    pub grace: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            // Prometheus and a browser need a handful.
            connections: 512,
            handshake_timeout: Duration::from_secs(10),
            // Clients that begin a request and stop must not keep others away for long; Prometheus opens a new
            // connection at no cost worth a word.
            header_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            header_size: 16 * 1024,
            // Less than the 30 seconds after which Kubernetes kills.
            grace: Duration::from_secs(20),
        }
    }
}

/// Longest wait after accepting failed, as it does when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Most connections at one time at a door that stands apart: those who probe open one each, and must find a place.
const CONNECTIONS_APART: usize = 64;

/// Marks requests that came over TLS.
#[derive(Clone, Copy, Debug)]
pub struct Encrypted;

/// A socket, and what is behind it.
#[derive(Debug)]
pub struct Endpoint {
    /// Where connections come from.
    pub socket: Socket,
    /// What answers their requests.
    pub app: Router,
    /// How connections are encrypted, if they are.
    pub live: Option<Arc<WebConfigWatcher>>,
    /// Whether its connections are bounded apart from those of other doors, so that it is open when they are full.
    pub is_apart: bool,
}

/// Serves `app` on `listeners`; see [`serve_endpoints`].
pub async fn serve(
    listeners: Vec<impl Into<Socket>>,
    app: Router,
    shutdown: impl Future<Output = ()>,
    limits: ConnectionLimits,
) -> bool {
    let door = |socket| Endpoint { socket, app: app.clone(), live: None, is_apart: false };
    serve_endpoints(listeners.into_iter().map(Into::into).map(door).collect(), shutdown, limits).await
}

/// Serves at `doors` until `shutdown` is over, then lets requests in flight end. Returns whether all of them did in
/// time.
pub async fn serve_endpoints(
    doors: Vec<Endpoint>,
    shutdown: impl Future<Output = ()>,
    limits: ConnectionLimits,
) -> bool {
    let (stop, stopping) = watch::channel(false);
    let shared = Arc::new(Semaphore::new(limits.connections));
    let accepting = futures_util::future::join_all(doors.into_iter().map(|door| {
        let apart = || Arc::new(Semaphore::new(CONNECTIONS_APART));
        let places = if door.is_apart { apart() } else { Arc::clone(&shared) };
        accept(door, places, stopping.clone(), limits)
    }));
    tokio::select! {
        _ = accepting => unreachable!("accepting goes on for ever"),
        () = shutdown => {}
    }
    drop(stopping);
    stop.send_replace(true);
    // Each connection holds a receiver.
    tokio::time::timeout(limits.grace, stop.closed()).await.is_ok()
}

async fn accept(
    door: Endpoint,
    places: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
    limits: ConnectionLimits,
) -> Infallible {
    loop {
        // Only a closed semaphore gives no place, and this one is never closed.
        let place = Arc::clone(&places).acquire_owned().await;
        let stream = match door.socket.accept().await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let tls = door.live.as_ref().and_then(|live| live.tls());
        let (app, stopping) = (door.app.clone(), stopping.clone());
        tokio::spawn(async move {
            connection::serve(stream, tls, app, stopping, limits).await;
            drop(place);
        });
    }
}
