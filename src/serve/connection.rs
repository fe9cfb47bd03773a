//! One connection, from its first byte to its last.

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

use super::listener::{ConnectionLimits, Encrypted};
use crate::serve::socket::Stream;

/// Most requests of one HTTP/2 connection at one time: Prometheus has one.
const STREAMS: u32 = 8;

/// Serves the requests of a connection until it ends, or until those in flight have when `stopping` says so.
pub(super) async fn serve(
    stream: Box<dyn Stream>,
    tls: Option<Arc<ServerConfig>>,
    app: Router,
    stopping: watch::Receiver<bool>,
    limits: ConnectionLimits,
) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write_timeout));
    let stream = Box::pin(stream);
    let conversation = Conversation { app, stopping, limits };
    let Some(tls) = tls else { return conversation.over(stream, Protocol::Plain).await };
    let mut stopping = conversation.stopping.clone();
    let encrypting = timeout(limits.handshake_timeout, TlsAcceptor::from(tls).accept(stream));
    let encrypted = tokio::select! {
        encrypted = encrypting => encrypted,
        _ = stopping.wait_for(|stop| *stop) => return,
    };
    drop(stopping);
    match encrypted {
        Ok(Ok(stream)) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let protocol = if is_http2 { Protocol::EncryptedHttp2 } else { Protocol::Encrypted };
            conversation.over(stream, protocol).await;
        }
        // Whoever it is can send as many of them as they like.
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// What is spoken. HTTP/2 is agreed upon with TLS, so that it is never spoken in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Plain,
    Encrypted,
    EncryptedHttp2,
}

struct Conversation {
    app: Router,
    stopping: watch::Receiver<bool>,
    limits: ConnectionLimits,
}

impl Conversation {
    /// Answers requests until the client leaves, the process stops, or nothing more comes.
    async fn over(mut self, stream: impl Stream + 'static, protocol: Protocol) {
        let (in_flight, mut count) = watch::channel(0_usize);
        let in_flight = Arc::new(in_flight);
        let app = TowerToHyperService::new(self.app);
        let service = service_fn(|mut request: Request<Incoming>| {
            if protocol != Protocol::Plain {
                request.extensions_mut().insert(Encrypted);
            }
            let turn = Turn::begin(&in_flight);
            let answering = app.call(request);
            async move {
                let answer = answering.await;
                drop(turn);
                answer
            }
        });
        let is_http2 = protocol == Protocol::EncryptedHttp2;
        let builder = builder(is_http2, self.limits);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let is_idle = tokio::select! {
            // A client that leaves or talks nonsense is its own concern.
            _ = connection.as_mut() => return,
            _ = self.stopping.wait_for(|stop| *stop) => false,
            // HTTP/1 ends idle connections by itself.
            () = idle(&mut count, self.limits.header_timeout), if is_http2 => true,
        };
        connection.as_mut().graceful_shutdown();
        // A client of HTTP/2 that does not answer, or takes nothing of what it asked for, holds no longer than this. When
        // the process stops, the listener decides how long it waits.
        let patience = if is_idle { self.limits.grace } else { Duration::MAX };
        let _ = timeout(patience, connection).await;
    }
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

/// Waits until there has been no request for that long.
async fn idle(in_flight: &mut watch::Receiver<usize>, patience: Duration) {
    while in_flight.wait_for(|count| *count == 0).await.is_ok()
        && matches!(timeout(patience, in_flight.changed()).await, Ok(Ok(())))
    {}
}

/// A request in flight.
struct Turn(Arc<watch::Sender<usize>>);

impl Turn {
    fn begin(in_flight: &Arc<watch::Sender<usize>>) -> Self {
        in_flight.send_modify(|count| *count += 1);
        Self(Arc::clone(in_flight))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
