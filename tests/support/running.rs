//! The real exporter, built from a command line and served on a port of its own.

use std::sync::Arc;

use clap::Parser;
use edgeimpulse_exporter::clock::Clock;
use edgeimpulse_exporter::config::CommandLine;
use edgeimpulse_exporter::listener::Limits;
use edgeimpulse_exporter::server::Exporter;
use edgeimpulse_exporter::{commands, listener, server};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use tokio::net::TcpListener;

use super::{Exposition, FakeApi, file};

/// When the tests' answers are read: shortly after the youngest date in the sample answers.
pub const NOW: f64 = 1_793_491_200.0;

/// The API key that tests use, to be looked for where it must not be.
pub const KEY: &str = "ei_canary_0123456789abcdef";

/// An exporter that runs until it is dropped.
pub struct Running {
    url: String,
    client: reqwest::Client,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Running {
    /// Starts an exporter with an API key.
    pub async fn with_key(api: &FakeApi, options: &[&str]) -> Self {
        Self::with_key_at(&api.url(), options).await
    }

    /// Starts an exporter with an API key for whatever is at that URL.
    pub async fn with_key_at(url: &str, options: &[&str]) -> Self {
        Self::start(url, "--api.key-file", options).await
    }

    /// Starts an exporter with a JWT.
    pub async fn with_jwt(api: &FakeApi, options: &[&str]) -> Self {
        Self::start(&api.url(), "--api.jwt-file", options).await
    }

    async fn start(url: &str, flag: &str, options: &[&str]) -> Self {
        let credential = file("credential", KEY);
        let arguments = ["edgeimpulse-exporter", "--api.url", url, flag, &credential, "--cache.ttl", "0s"];
        let arguments = arguments.iter().chain(options);
        let options = CommandLine::try_parse_from(arguments).unwrap().options;
        Self::serve(commands::build(&options, Clock::Fixed(NOW)).unwrap()).await
    }

    /// Serves an exporter.
    pub async fn serve(exporter: Arc<Exporter>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let until = async { drop(stopped.await) };
        tokio::spawn(listener::serve(vec![socket], server::app(exporter), until, Limits::default()));
        let client = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
        Self { url, client, _stop: stop }
    }

    /// Returns a request, to be completed and sent.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Returns a page as text.
    pub async fn page(&self, path: &str) -> String {
        self.request(reqwest::Method::GET, path).send().await.unwrap().text().await.unwrap()
    }

    /// Scrapes in the text format.
    pub async fn scrape(&self) -> Exposition {
        Exposition::of_prometheus_text(&self.page("/metrics").await)
    }

    /// Scrapes in OpenMetrics.
    pub async fn scrape_open_metrics(&self) -> Exposition {
        let request = self.request(reqwest::Method::GET, "/metrics");
        let response =
            request.header(ACCEPT, "application/openmetrics-text;version=1.0.0").send().await.unwrap();
        let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(response.headers()[CONTENT_TYPE], media_type);
        Exposition::of_open_metrics(&response.text().await.unwrap())
    }
}
