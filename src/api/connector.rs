//! Opens connections: TCP, a proxy's tunnel, TLS.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use hyper::Uri;
use hyper::http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection as Connect, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::config::Proxy;

/// Connect timeout: a host that does not accept a connection in this time will not answer a scrape in time either.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

type BoxError = Box<dyn Error + Send + Sync>;

/// Opens connections to a server, through a proxy if there is one.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: Arc<ClientConfig>,
    /// Name that TLS requests and verifies, if it is not the host of the URL.
    server_name: Option<ServerName<'static>>,
    proxy: Option<(Proxy, Box<Self>)>,
}

impl Connector {
    /// Returns a connector that opens connections directly.
    pub(super) fn new(tls: ClientConfig, server_name: Option<ServerName<'static>>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        Self { tcp, tls: Arc::new(tls), server_name, proxy: None }
    }

    /// Makes it open connections through `proxy`, to which `connector` connects.
    pub(super) fn through(mut self, proxy: Proxy, connector: Self) -> Self {
        self.proxy = Some((proxy, Box::new(connector)));
        self
    }

    async fn connect(mut self, uri: Uri) -> Result<Connection, BoxError> {
        let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
        let stream: Box<dyn Stream> = match self.proxy.take() {
            None => Box::new(self.tcp.call(uri.clone()).await?.into_inner()),
            Some((proxy, connector)) => {
                let name = proxy.url.authority().map(ToString::to_string).unwrap_or_default();
                let failed = |error: BoxError| format!("the proxy {name} failed: {}", innermost(&*error));
                if !is_tls {
                    let mut connection = connector.open(proxy.url).await.map_err(failed)?;
                    connection.is_proxied = true;
                    return Ok(connection);
                }
                let mut tunnel = Tunnel::new(proxy.url, *connector);
                if let Some(authorization) = proxy.authorization {
                    tunnel = tunnel.with_auth(authorization);
                }
                Box::new(
                    tunnel.call(uri.clone()).await.map_err(|error| failed(error.into()))?.stream.into_inner(),
                )
            }
        };
        let connection = |stream, is_http2| {
            let opened = Opened(Instant::now());
            Connection { stream: TokioIo::new(stream), is_proxied: false, is_http2, opened }
        };
        if !is_tls {
            return Ok(connection(stream, false));
        }
        let host = || ServerName::try_from(uri.host()?.trim_matches(['[', ']']).to_owned()).ok();
        let name = self.server_name.take().or_else(host).ok_or("the host is not valid in a certificate")?;
        let stream = TlsConnector::from(self.tls).connect(name, stream).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(connection(Box::new(stream), is_http2))
    }

    fn open(self, uri: Uri) -> BoxFuture<'static, Result<Connection, BoxError>> {
        Box::pin(async move {
            let connecting = tokio::time::timeout(CONNECT_TIMEOUT, self.connect(uri)).await;
            connecting.unwrap_or_else(|_| {
                Err(format!("timed out after {}", humantime::format_duration(CONNECT_TIMEOUT)).into())
            })
        })
    }
}

impl Service<Uri> for Connector {
    type Response = Connection;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Connection, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        self.clone().open(uri)
    }
}

/// Returns the innermost source of an error, which has the reason.
pub(super) fn innermost<'a>(mut error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// When a connection was opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened(pub(super) Instant);

/// A byte stream.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection, on which requests can be sent.
pub(super) struct Connection {
    stream: TokioIo<Box<dyn Stream>>,
    is_proxied: bool,
    is_http2: bool,
    opened: Opened,
}

impl Connect for Connection {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.is_proxied).extra(self.opened);
        if self.is_http2 { connected.negotiated_h2() } else { connected }
    }
}

impl Read for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
