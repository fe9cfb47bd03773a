//! One connection: TLS handshake, requests, idle timeout and graceful shutdown.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::listener::{ConnectionLimits, Encrypted};
use super::socket::Stream;

/// Maximum number of concurrent requests of an HTTP/2 connection. Prometheus sends one at a time.
const STREAMS: u32 = 8;

/// Serves a connection until the client closes it, it is idle for too long, or `stop` is cancelled and the requests in
/// flight have completed.
pub(super) async fn serve(
    stream: Box<dyn Stream>,
    tls: Option<Arc<ServerConfig>>,
    app: Router,
    stop: CancellationToken,
    limits: ConnectionLimits,
) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write_timeout));
    let stream = Box::pin(stream);
    let Some(tls) = tls else { return serve_requests(stream, Protocol::Plain, app, stop, limits).await };
    let handshake = timeout(limits.handshake_timeout, TlsAcceptor::from(tls).accept(stream));
    match stop.run_until_cancelled(handshake).await {
        Some(Ok(Ok(stream))) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let protocol = if is_http2 { Protocol::TlsHttp2 } else { Protocol::Tls };
            serve_requests(stream, protocol, app, stop, limits).await;
        }
        // Not a warning, because any client can cause any number of these.
        Some(Ok(Err(error))) => tracing::debug!(%error, "TLS handshake failed"),
        Some(Err(_)) => tracing::debug!("TLS handshake timed out"),
        None => {}
    }
}

/// HTTP/2 is negotiated in the TLS handshake, so it is not available without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Plain,
    Tls,
    TlsHttp2,
}

async fn serve_requests(
    stream: impl Stream + 'static,
    protocol: Protocol,
    app: Router,
    stop: CancellationToken,
    limits: ConnectionLimits,
) {
    let (sender, mut in_flight) = watch::channel(0_usize);
    let sender = Arc::new(sender);
    let app = TowerToHyperService::new(app);
    let service = service_fn(|mut request: Request<Incoming>| {
        if protocol != Protocol::Plain {
            request.extensions_mut().insert(Encrypted);
        }
        let in_flight = InFlightRequest::new(&sender);
        let response = app.call(request);
        async move {
            let response = response.await;
            drop(in_flight);
            response
        }
    });
    let is_http2 = protocol == Protocol::TlsHttp2;
    let builder = builder(is_http2, limits);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let is_idle = tokio::select! {
        // Errors of clients are not logged.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => false,
        // hyper closes idle HTTP/1 connections.
        () = idle(&mut in_flight, limits.header_timeout), if is_http2 => true,
    };
    connection.as_mut().graceful_shutdown();
    // At shutdown the listener limits the wait. An idle HTTP/2 client may not react, or may not read its response.
    let grace = if is_idle { limits.grace } else { Duration::MAX };
    let _ = timeout(grace, connection).await;
}

fn builder(is_http2: bool, limits: ConnectionLimits) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_size);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(limits.header_size).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.header_timeout)
        .keep_alive_timeout(limits.header_timeout);
    builder
}

/// Waits until no request has been in flight for `duration`.
async fn idle(in_flight: &mut watch::Receiver<usize>, duration: Duration) {
    while in_flight.wait_for(|count| *count == 0).await.is_ok()
        && matches!(timeout(duration, in_flight.changed()).await, Ok(Ok(())))
    {}
}

/// Counts a request while it is in flight.
struct InFlightRequest(Arc<watch::Sender<usize>>);

impl InFlightRequest {
    fn new(in_flight: &Arc<watch::Sender<usize>>) -> Self {
        in_flight.send_modify(|count| *count += 1);
        Self(Arc::clone(in_flight))
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
