//! Connections: accepted up to a bound, and brought to an end when the process is told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use crate::config::ListenAddress;

/// What connections may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most connections at one time; a further one waits until another ends.
    pub connections: usize,
    /// Longest time for the header of a request, and between requests.
    pub header_timeout: Duration,
    /// Longest time in which a client takes nothing of its answer.
    pub write_timeout: Duration,
    /// Longest header of a request, in bytes.
    pub header_size: usize,
    /// How long requests in flight may take to end after the process was told to.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Prometheus and a browser need a handful.
            connections: 512,
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

/// Listens on `address`.
///
/// # Errors
/// If the address is taken or not this machine's, with a text that names it.
pub async fn bind(address: ListenAddress) -> Result<TcpListener, String> {
    let SocketAddr::V6(v6) = address.address else { return bind_to(address.address).await };
    match bind_to(address.address).await {
        // A machine without IPv6: every host of IPv4 then.
        Err(_) if v6.ip().is_unspecified() && !has_ipv6() => {
            bind_to(SocketAddr::from((Ipv4Addr::UNSPECIFIED, v6.port()))).await
        }
        result => result,
    }
}

async fn bind_to(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("cannot listen on {address}: it is in use; choose another with --web.listen-address")
        }
        _ => format!("cannot listen on {address}: {error}"),
    })
}

fn has_ipv6() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}

/// Serves `app` on `listeners` until `shutdown` is over, then lets requests in flight end. Returns whether all of
/// them did in time.
pub async fn serve(
    listeners: Vec<TcpListener>,
    app: Router,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) -> bool {
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let accepting = futures_util::future::join_all(
        listeners.into_iter().map(|listener| accept(listener, &app, &connections, &places, limits)),
    );
    tokio::select! {
        _ = accepting => unreachable!("accepting goes on for ever"),
        () = shutdown => {}
    }
    tokio::time::timeout(limits.grace, connections.shutdown()).await.is_ok()
}

async fn accept(
    listener: TcpListener,
    app: &Router,
    connections: &GracefulShutdown,
    places: &Arc<Semaphore>,
    limits: Limits,
) -> Infallible {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_size);
    loop {
        // Only a closed semaphore gives no place, and this one is never closed.
        let place = Arc::clone(places).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(app.clone());
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.write_timeout));
        let connection = builder.serve_connection(TokioIo::new(Box::pin(stream)), service).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // A client that leaves or talks nonsense is its own concern.
            let _ = connection.await;
            drop(place);
        });
    }
}
