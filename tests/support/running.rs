//! The real exporter, built from a command line and served on a free port.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use clap::Parser;
use edgeimpulse_exporter::cli::arguments::{Command, CommandLine};
use edgeimpulse_exporter::collect::Exporter;
use edgeimpulse_exporter::demo::Demo;
use edgeimpulse_exporter::model::Clock;
use edgeimpulse_exporter::serve::{self, ConnectionLimits, ReloadableExporter, Server};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use tokio::net::TcpListener;

use super::{Exposition, FakeApi, file};

/// When the tests' answers are read: shortly after the youngest date in the sample answers.
pub const NOW: f64 = 1_793_491_200.0;

/// The API key that tests use, to be looked for where it must not be.
pub const KEY: &str = "ei_canary_0123456789abcdef";

/// The JWT that tests use, likewise.
pub const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.canary_0123456789abcdef";

/// Options to read everything in the sample responses: another user, a user of the white label, and single projects.
pub const EVERYTHING: [&str; 3] = ["--user-id=2", "--whitelabel.user-id=2", "--collector.projects"];

/// Options that leave no call for single organizations.
pub const NO_CALLS: &[&str] = &[
    "--no-collector.organization",
    "--no-collector.usage",
    "--no-collector.buckets",
    "--no-collector.pipelines",
    "--no-collector.api_keys",
];

/// Options that leave one call: the one for the information of organization 1.
pub const ONE_CALL: &[&str] = &[
    "--organization-id=1",
    "--no-collector.usage",
    "--no-collector.buckets",
    "--no-collector.pipelines",
    "--no-collector.api_keys",
];

/// Options that leave that call for each organization.
pub const ONE_CALL_EACH: &[&str] = ONE_CALL.split_at(1).1;

/// Returns a JWT that expires at that time.
pub fn jwt(expiry: f64) -> String {
    let part = |json: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
    format!("{}.{}.c2ln", part("{\"alg\":\"RS256\"}"), part(&format!("{{\"sub\":\"1\",\"exp\":{expiry:e}}}")))
}

/// An exporter that runs until it is dropped.
pub struct Running {
    pub address: SocketAddr,
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
        Self::with_file(url, &["--api.key-file", &file("key", KEY)], Clock::Fixed(NOW), options).await
    }

    /// Starts an exporter with a JWT.
    pub async fn with_jwt(api: &FakeApi, options: &[&str]) -> Self {
        Self::with_file(&api.url(), &["--api.jwt-file", &file("jwt", JWT)], Clock::Fixed(NOW), options).await
    }

    /// Starts an exporter with the credential in a file, that is named by its flag. It uses no answer twice unless
    /// the options say so.
    pub async fn with_file(url: &str, file: &[&str; 2], clock: Clock, options: &[&str]) -> Self {
        Self::serve(Self::build(url, file, clock, options)).await
    }

    /// Starts an exporter of the demo.
    pub async fn of_demo(demo: &Demo, options: &[&str]) -> Self {
        let arguments = [&["edgeimpulse-exporter", "demo"], options].concat();
        let Some(Command::Demo(options)) = CommandLine::try_parse_from(arguments).unwrap().command else {
            panic!("it is the demo")
        };
        Self::serve(demo.exporter(options.common).unwrap()).await
    }

    /// Builds an exporter without serving it.
    pub fn build(url: &str, file: &[&str; 2], clock: Clock, options: &[&str]) -> Arc<Exporter> {
        let mut arguments = vec!["edgeimpulse-exporter", "--api.url", url, file[0], file[1]];
        if !options.iter().any(|option| option.starts_with("--cache.ttl")) {
            arguments.push("--cache.ttl=0s");
        }
        arguments.extend(options);
        let options = CommandLine::try_parse_from(arguments).unwrap().options;
        Exporter::build(options.configuration().unwrap(), clock, None).unwrap()
    }

    /// Serves an exporter.
    pub async fn serve(exporter: Arc<Exporter>) -> Self {
        Self::serve_within(exporter, ConnectionLimits::default()).await
    }

    /// Serves an exporter that can be reloaded.
    pub async fn serve_live(live: Arc<ReloadableExporter>) -> Self {
        Self::serve_live_within(live, ConnectionLimits::default()).await
    }

    /// Serves an exporter with these limits of connections.
    pub async fn serve_within(exporter: Arc<Exporter>, limits: ConnectionLimits) -> Self {
        Self::serve_live_within(ReloadableExporter::new(exporter), limits).await
    }

    async fn serve_live_within(live: Arc<ReloadableExporter>, limits: ConnectionLimits) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let until = async { drop(stopped.await) };
        let server = Server::new(socket, None).with_telemetry(Arc::clone(&live.exporter().telemetry));
        tokio::spawn(server.serve(serve::app(live), until, limits));
        let client = super::client();
        Self { address, client, _stop: stop }
    }

    /// Returns a request, to be completed and sent.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    /// Returns a page as text.
    pub async fn page(&self, path: &str) -> String {
        self.request(reqwest::Method::GET, path).send().await.unwrap().text().await.unwrap()
    }

    /// Scrapes as Prometheus does with that timeout, in seconds.
    pub async fn scrape_within(&self, timeout: &str) -> Exposition {
        let request = self.request(reqwest::Method::GET, "/metrics");
        let request = request.header("X-Prometheus-Scrape-Timeout-Seconds", timeout);
        Exposition::of_prometheus_text(&request.send().await.unwrap().text().await.unwrap())
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
        let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";
        assert_eq!(response.headers()[CONTENT_TYPE], media_type);
        Exposition::of_open_metrics(&response.text().await.unwrap())
    }
}
