//! The server: accepts connections on its sockets up to a limit, and closes them gracefully at shutdown.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::future::{OptionFuture, join_all, try_join_all};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::clients::Clients;
use super::connection::{self, ConnectionLimits};
use super::routes::without_sniffing;
use super::socket::Socket;
use super::web_config::{WebConfigWatcher, authenticated, probes_only};
use crate::config::{OptionError, WebOptions};
use crate::metrics::telemetry::Telemetry;

/// Pause after a failed accept, which happens when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Maximum number of open connections of the socket for health checks. They are counted separately, so that it stays
/// reachable when the others are full.
const PROBE_CONNECTIONS: usize = 64;

/// Listening sockets, with their web configuration.
#[derive(Debug)]
pub struct Server {
    sockets: Vec<Socket>,
    probe_socket: Option<Socket>,
    web_config: Option<Arc<WebConfigWatcher>>,
    telemetry: Arc<Telemetry>,
}

impl Server {
    /// Returns a server on one socket. Without a web configuration, it needs neither TLS nor passwords.
    #[must_use]
    pub fn new(listener: TcpListener, web_config: Option<WebConfigWatcher>) -> Self {
        let (sockets, web_config) = (vec![Socket::Tcp(listener)], web_config.map(Arc::new));
        Self { sockets, probe_socket: None, web_config, telemetry: Arc::default() }
    }

    /// Counts in `telemetry` how often a limit is reached.
    #[must_use]
    pub fn with_telemetry(self, telemetry: Arc<Telemetry>) -> Self {
        Self { telemetry, ..self }
    }

    /// Serves `app` on a free loopback port until the process ends, and returns the address.
    pub(crate) async fn spawn_on_loopback(app: Router) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // The time between two scrapes can be long, and an idle connection must not be closed between them.
        let limits =
            ConnectionLimits { header_timeout: Duration::from_hours(1), ..ConnectionLimits::default() };
        tokio::spawn(Self::new(listener, None).serve(app, std::future::pending(), limits));
        Ok(address)
    }

    /// Loads the web configuration and opens the sockets.
    pub(crate) async fn open(options: &WebOptions) -> Result<Self, OptionError> {
        let file = options.web_config_file.as_deref().filter(|file| !file.as_os_str().is_empty());
        let web_config = file.map(WebConfigWatcher::open).transpose()?;
        let about = |flag| move |error: String| OptionError::about(flag, error);
        let sockets = if options.systemd_socket {
            Socket::from_systemd().map_err(about("web.systemd-socket"))?
        } else {
            try_join_all(options.listen_addresses.iter().map(Socket::bind))
                .await
                .map_err(about("web.listen-address"))?
        };
        let probe_socket = OptionFuture::from(options.probe_listen_address.as_ref().map(Socket::bind));
        let probe_socket = probe_socket.await.transpose().map_err(about("web.probe-listen-address"))?;
        Ok(Self { sockets, probe_socket, web_config: web_config.map(Arc::new), telemetry: Arc::default() })
    }

    /// Returns the scheme of this exporter's URLs.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.web_config.as_ref().is_some_and(|config| config.has_tls()) { "https" } else { "http" }
    }

    /// Returns the first TCP port, or 0 if there is none.
    pub(crate) fn port(&self) -> u16 {
        self.sockets.iter().find_map(Socket::port).unwrap_or_default()
    }

    /// Logs the addresses.
    pub(crate) fn announce(&self, path: &str, api: &str) {
        for address in &self.sockets {
            let (version, scheme) = (env!("CARGO_PKG_VERSION"), self.scheme());
            tracing::info!(version, %address, scheme, path, api, "listening");
        }
        if let Some(address) = &self.probe_socket {
            tracing::info!(%address, scheme = "http", "listening for health checks only");
        }
    }

    /// Serves `app` until `shutdown` completes, then waits for requests in flight. Returns whether all of them
    /// completed within the grace period.
    pub async fn serve(
        self,
        app: Router,
        shutdown: impl Future<Output = ()>,
        limits: ConnectionLimits,
    ) -> bool {
        let Self { sockets, probe_socket, web_config, telemetry } = self;
        let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
        let clients = |most| Clients::new(most, Arc::clone(&telemetry));
        let probes = probe_socket.map(|socket| {
            let (app, clients) = (without_sniffing(probes_only(app.clone())), clients(PROBE_CONNECTIONS));
            Endpoint { socket, app, web_config: None, clients, limits }
        });
        let app = match &web_config {
            Some(web_config) => authenticated(app, Arc::clone(web_config)),
            None => app,
        };
        let app = without_sniffing(app);
        let clients = clients(limits.connections);
        let endpoints = sockets.into_iter().map(|socket| {
            let (app, web_config, clients) = (app.clone(), web_config.clone(), Arc::clone(&clients));
            Endpoint { socket, app, web_config, clients, limits }
        });
        tokio::select! {
            _ = join_all(endpoints.chain(probes).map(|endpoint| endpoint.accept(&connections, &stop))) => {
                unreachable!("accept never returns")
            }
            () = shutdown => {}
        }
        stop.cancel();
        connections.close();
        timeout(limits.grace, connections.wait()).await.is_ok()
    }
}

/// A socket with the routes that it serves, and the places of its connections.
struct Endpoint {
    socket: Socket,
    app: Router,
    web_config: Option<Arc<WebConfigWatcher>>,
    clients: Arc<Clients>,
    limits: ConnectionLimits,
}

impl Endpoint {
    async fn accept(self, connections: &TaskTracker, stop: &CancellationToken) -> Infallible {
        loop {
            let (stream, address) = match self.socket.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let client = self.clients.connect().await;
            let (web_config, app, stop, limits) =
                (self.web_config.clone(), self.app.clone(), stop.clone(), self.limits);
            connections.spawn(async move {
                let tls = match &web_config {
                    Some(web_config) => web_config.tls().await,
                    None => None,
                };
                connection::serve(stream, address, tls, app, stop, limits, client).await;
            });
        }
    }
}
