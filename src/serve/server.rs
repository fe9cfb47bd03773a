//! Listeners, TLS and authentication in front of the routes.

use std::future::Future;
use std::sync::Arc;

use axum::Router;

use super::listener::{self, ConnectionLimits, Endpoint};
use super::socket::Socket;
use super::web_config::{WebConfigWatcher, authenticated, probes_only};
use crate::config::WebOptions;

/// The open sockets of an exporter, with its web configuration.
#[derive(Debug)]
pub struct Server {
    sockets: Vec<Socket>,
    probe_socket: Option<Socket>,
    web_config: Option<Arc<WebConfigWatcher>>,
}

impl Server {
    /// Loads the web configuration and opens the sockets.
    ///
    /// # Errors
    /// If the web configuration is invalid, or the exporter cannot listen on an address.
    pub async fn open(options: &WebOptions) -> Result<Self, String> {
        let file = options.web_config_file.clone().filter(|file| !file.as_os_str().is_empty());
        let web_config = file.map(WebConfigWatcher::load).transpose().map_err(|error| error.to_string())?;
        let sockets = if options.systemd_socket {
            Socket::from_systemd()?
        } else {
            let mut sockets = Vec::new();
            for address in &options.listen_addresses {
                sockets.push(Socket::bind(address).await?);
            }
            sockets
        };
        let probe_socket = match &options.probe_listen_address {
            Some(address) => Some(Socket::bind(address).await?),
            None => None,
        };
        Ok(Self { sockets, probe_socket, web_config: web_config.map(Arc::new) })
    }

    /// Returns the scheme of this exporter's URLs.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.web_config.as_ref().is_some_and(|config| config.is_encrypted()) { "https" } else { "http" }
    }

    /// Returns the first TCP port, or 0 if there is none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.sockets.iter().find_map(Socket::port).unwrap_or_default()
    }

    /// Logs the addresses.
    pub fn announce(&self, path: &str, api: &str) {
        for address in &self.sockets {
            let (version, scheme) = (env!("CARGO_PKG_VERSION"), self.scheme());
            tracing::info!(version, %address, scheme, path, api, "listening");
        }
        if let Some(address) = &self.probe_socket {
            tracing::info!(%address, scheme = "http", "listening for health checks only");
        }
    }

    /// Serves `app` until `shutdown` completes; see [`listener::serve_endpoints`].
    pub async fn serve(
        self,
        app: Router,
        shutdown: impl Future<Output = ()>,
        limits: ConnectionLimits,
    ) -> bool {
        let Self { sockets, probe_socket, web_config } = self;
        let probes = probe_socket.map(|socket| {
            let app = probes_only(app.clone());
            Endpoint { socket, app, web_config: None, separate_limit: true }
        });
        let app = match &web_config {
            Some(web_config) => authenticated(app, Arc::clone(web_config)),
            None => app,
        };
        let endpoints = sockets.into_iter().map(|socket| {
            let (app, web_config) = (app.clone(), web_config.clone());
            Endpoint { socket, app, web_config, separate_limit: false }
        });
        listener::serve_endpoints(endpoints.chain(probes).collect(), shutdown, limits).await
    }
}
