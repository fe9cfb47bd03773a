//! The sockets of an exporter, with whoever stands before them.

use std::future::Future;
use std::sync::Arc;

use axum::Router;

use super::web_config::{WebConfigWatcher, authenticated, probes_only};
use crate::config::WebOptions;
use crate::serve::listener::{self, ConnectionLimits, Endpoint};
use crate::serve::socket::Socket;

/// Everything between the world and the routes.
#[derive(Debug)]
pub struct Server {
    sockets: Vec<Socket>,
    probes: Option<Socket>,
    live: Option<Arc<WebConfigWatcher>>,
}

impl Server {
    /// Loads the web configuration, and listens wherever the options say.
    ///
    /// # Errors
    /// If the configuration cannot be used, or an address cannot be listened on.
    pub async fn open(options: &WebOptions) -> Result<Self, String> {
        let file = options.web_config_file.clone().filter(|file| !file.as_os_str().is_empty());
        let live =
            file.map(WebConfigWatcher::load).transpose().map_err(|error| error.to_string())?.map(Arc::new);
        let sockets = if options.systemd_socket {
            Socket::of_systemd()?
        } else {
            let mut sockets = Vec::new();
            for address in &options.listen_addresses {
                sockets.push(Socket::bind(address).await?);
            }
            sockets
        };
        let probes = match &options.probe_listen_address {
            Some(address) => Some(Socket::bind(address).await?),
            None => None,
        };
        Ok(Self { sockets, probes, live })
    }

    /// Returns how URLs of this exporter begin.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.live.as_ref().is_some_and(|live| live.is_encrypted()) { "https" } else { "http" }
    }

    /// Returns the first port, or 0 if there is none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.sockets.iter().find_map(Socket::port).unwrap_or_default()
    }

    /// Logs where it listens.
    pub fn announce(&self, path: &str, api: &str) {
        for address in &self.sockets {
            let (version, scheme) = (env!("CARGO_PKG_VERSION"), self.scheme());
            tracing::info!(version, %address, scheme, path, api, "listening");
        }
        if let Some(address) = &self.probes {
            tracing::info!(%address, scheme = "http", "listening for probes alone");
        }
    }

    /// Serves `app` until `shutdown` is over; see [`listener::serve_endpoints`].
    pub async fn serve(
        self,
        app: Router,
        shutdown: impl Future<Output = ()>,
        limits: ConnectionLimits,
    ) -> bool {
        let Self { sockets, probes, live } = self;
        let behind = match &live {
            Some(live) => authenticated(app.clone(), Arc::clone(live)),
            None => app.clone(),
        };
        let door = |socket| Endpoint { socket, app: behind.clone(), live: live.clone(), is_apart: false };
        let mut doors: Vec<_> = sockets.into_iter().map(door).collect();
        doors.extend(probes.map(|socket| Endpoint {
            socket,
            app: probes_only(app),
            live: None,
            is_apart: true,
        }));
        listener::serve_endpoints(doors, shutdown, limits).await
    }
}
