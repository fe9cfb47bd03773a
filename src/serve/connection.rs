//! One connection: TLS handshake, requests, idle timeout and graceful shutdown.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::response::IntoResponse as _;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::clients::{self, Client, Sending, Wait};
use super::routes::https_only;
use super::socket::Stream;
use super::web_config::is_probe;

/// Maximum number of concurrent requests of an HTTP/2 connection. Prometheus sends one at a time.
const STREAMS: u32 = 8;

/// Maximum size of a request header, in bytes.
const HEADER_SIZE: u16 = 16 * 1024;

/// Minimum time between two log lines about failed TLS handshakes.
const REFUSED_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Limits and timeouts of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Maximum number of open connections. For a further one, the one is closed that is idle for the longest time.
    pub connections: usize,
    /// Timeout of a TLS handshake.
    pub handshake_timeout: Duration,
    /// Timeout for the header of a request, and of idle connections.
    pub header_timeout: Duration,
    /// Timeout of a client that does not read its response.
    pub write_timeout: Duration,
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
            // Less than the 30 seconds after which Kubernetes kills the process.
            grace: Duration::from_secs(20),
        }
    }
}

/// Request extension: the request was received over TLS.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encrypted;

/// Request extension: where it came from, and its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// `None` for Unix sockets.
    pub(super) address: Option<IpAddr>,
    pub(super) place: Option<Arc<clients::Request>>,
}

/// Serves a connection until the client closes it, it is idle for too long, another one needs its place, or `stop` is
/// cancelled and the requests in flight have completed.
pub(super) async fn serve(
    stream: Box<dyn Stream>,
    address: Option<IpAddr>,
    tls: Option<Arc<ServerConfig>>,
    app: Router,
    stop: CancellationToken,
    limits: ConnectionLimits,
    client: Client,
) {
    let close = client.close.clone();
    let serving = serve_client(stream, address, tls, app, stop, limits, Arc::new(client));
    close.run_until_cancelled_owned(serving).await;
}

async fn serve_client(
    stream: Box<dyn Stream>,
    address: Option<IpAddr>,
    tls: Option<Arc<ServerConfig>>,
    mut app: Router,
    stop: CancellationToken,
    limits: ConnectionLimits,
    client: Arc<Client>,
) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write_timeout));
    let mut stream: Box<dyn Stream> = Box::new(Box::pin(stream));
    let mut is_encrypted = false;
    // HTTP/2 is negotiated in the TLS handshake, so it is not available without TLS.
    let mut is_http2 = false;
    if let Some(tls) = tls {
        let handshake = timeout(limits.handshake_timeout, accept(stream, tls));
        stream = match stop.run_until_cancelled(handshake).await {
            Some(Ok(Ok(Accepted::Encrypted(encrypted)))) => {
                is_encrypted = true;
                is_http2 = encrypted.get_ref().1.alpn_protocol() == Some(b"h2");
                encrypted
            }
            Some(Ok(Ok(Accepted::Plain(plain)))) => {
                app = https_only();
                plain
            }
            // The client left, such as a load balancer that checks the port.
            Some(Ok(Err(error))) if error.kind() == ErrorKind::UnexpectedEof => return,
            Some(Ok(Err(error))) => return log_refused(&error.to_string()),
            Some(Err(_)) => return log_refused("timed out"),
            None => return,
        };
    }

    let app = TowerToHyperService::new(app);
    let service = service_fn(|mut request: Request<Incoming>| {
        if is_encrypted {
            request.extensions_mut().insert(Encrypted);
        }
        let is_probe = is_probe(&request);
        let (app, place) = (app.clone(), client.request(is_probe).map(Arc::new));
        request.extensions_mut().insert(Origin { address, place: place.clone() });
        async move {
            let response = if place.is_some() {
                app.call(request).await?
            } else {
                let text = "too many requests at once: retry later\n";
                (StatusCode::SERVICE_UNAVAILABLE, [(X_CONTENT_TYPE_OPTIONS, "nosniff")], text).into_response()
            };
            Ok::<_, Infallible>(Sending::response(response, place))
        }
    });
    let builder = builder(is_http2, limits);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let is_idle = tokio::select! {
        // Errors of clients are not logged.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => false,
        // hyper closes idle HTTP/1 connections.
        () = idle(&client, limits), if is_http2 => true,
    };
    connection.as_mut().graceful_shutdown();
    // At shutdown the server limits the wait. An idle HTTP/2 client may not react, or may not read its response.
    let grace = if is_idle { limits.grace } else { Duration::MAX };
    let _ = timeout(grace, connection).await;
}

/// Logs a TLS handshake that failed. Any client can cause any number of these, so not each of them gets a line.
fn log_refused(error: &str) {
    static LAST: Mutex<(Option<Instant>, u64)> = Mutex::new((None, 0));
    let mut last = LAST.lock();
    let (time, unlogged) = &mut *last;
    if time.is_some_and(|time| time.elapsed() < REFUSED_LOG_INTERVAL) {
        *unlogged += 1;
        return;
    }
    tracing::info!(error, unlogged, "TLS handshake failed");
    *last = (Some(Instant::now()), 0);
}

/// What a client began on a connection that has to be encrypted.
enum Accepted {
    Encrypted(Box<TlsStream<BufReader<Box<dyn Stream>>>>),
    /// A request without TLS.
    Plain(Box<dyn Stream>),
}

async fn accept(stream: Box<dyn Stream>, tls: Arc<ServerConfig>) -> io::Result<Accepted> {
    let mut stream = BufReader::with_capacity(1, stream);
    // A TLS record does not begin with a letter, and an HTTP request does.
    if let Some(b'A'..=b'Z') = stream.fill_buf().await?.first() {
        return Ok(Accepted::Plain(Box::new(stream)));
    }
    Ok(Accepted::Encrypted(Box::new(TlsAcceptor::from(tls).accept(stream).await?)))
}

fn builder(is_http2: bool, limits: ConnectionLimits) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(HEADER_SIZE.into());
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_send_buf_size(HEADER_SIZE.into())
        .max_header_list_size(HEADER_SIZE.into());
    builder
}

/// Waits until the client has sent no request, or has read nothing of a response, for too long. Pings would tell less: the
/// reply of a client that reads slowly comes after everything that it reads.
async fn idle(client: &Client, limits: ConnectionLimits) {
    loop {
        let now = Instant::now();
        let end = match client.wait() {
            Wait::Handling => now + limits.header_timeout,
            Wait::Reader(since) => since + limits.write_timeout,
            Wait::Idle(since) => since + limits.header_timeout,
        };
        if end <= now {
            return;
        }
        sleep_until(end).await;
    }
}
