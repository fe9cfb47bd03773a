//! The two clients: one that fetches from the API and discards, and one that scrapes as Prometheus does.

use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt;
use futures_util::future::join_all;
use reqwest::{Certificate, Client};
use tokio::runtime::Runtime;

use crate::exporter::Exporter;

/// Concurrent calls of a fleet.
pub(crate) const CONCURRENCY: &str = "16";

/// Clients that keep their connections, like the exporter and Prometheus.
pub(crate) struct Clients {
    runtime: Runtime,
    certificate: Certificate,
    api: Client,
    prometheus: Client,
}

/// The response to a scrape.
pub(crate) struct Scrape {
    pub(crate) time: Duration,
    /// CPU time of the exporter.
    pub(crate) cpu: Duration,
    body: Bytes,
}

impl Scrape {
    /// Returns the metrics, decompressed.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        MultiGzDecoder::new(&self.body[..]).read_to_string(&mut text).unwrap();
        text
    }
}

impl Clients {
    pub(crate) fn new(certificate: &Path) -> Self {
        let certificate = Certificate::from_pem(&std::fs::read(certificate).unwrap()).unwrap();
        let prometheus = Client::builder().no_proxy().no_gzip().tls_certs_only([]).build().unwrap();
        Self { runtime: Runtime::new().unwrap(), api: api(&certificate), certificate, prometheus }
    }

    /// Fetches with gzip where the server has it, decrypts, decompresses and discards; returns the time.
    pub(crate) fn fetch(&self, urls: &[String]) -> Duration {
        self.fetch_with(&self.api, urls)
    }

    /// Fetches like `fetch`, on new connections; the time includes connecting.
    pub(crate) fn fetch_on_new_connections(&self, urls: &[String]) -> Duration {
        self.fetch_with(&api(&self.certificate), urls)
    }

    fn fetch_with(&self, client: &Client, urls: &[String]) -> Duration {
        let began = Instant::now();
        self.runtime.block_on(async {
            let fetch = async |url: &String| {
                let mut response = client.get(url).send().await.unwrap();
                assert!(response.status().is_success(), "{url}: {}", response.status());
                while response.chunk().await.unwrap().is_some() {}
            };
            let fetches =
                futures_util::stream::iter(urls).map(fetch).buffer_unordered(CONCURRENCY.parse().unwrap());
            fetches.for_each(async |()| ()).await;
        });
        began.elapsed()
    }

    /// Requests `/-/ready`, which reads nothing; returns the time.
    pub(crate) fn ready(&self, exporter: &Exporter) -> Duration {
        let began = Instant::now();
        self.runtime.block_on(async {
            let response = self.prometheus.get(exporter.url("/-/ready")).send().await.unwrap();
            assert!(response.status().is_success());
            response.bytes().await.unwrap();
        });
        began.elapsed()
    }

    /// Scrapes as Prometheus does, with that scrape timeout in seconds.
    pub(crate) fn scrape(&self, exporter: &Exporter, timeout: f64) -> Scrape {
        self.scrape_all(exporter, &["/metrics"], timeout)
    }

    /// Scrapes several paths of an exporter at once; the body is that of the first one.
    pub(crate) fn scrape_all(&self, exporter: &Exporter, paths: &[&str], timeout: f64) -> Scrape {
        let cpu = exporter.cpu();
        let began = Instant::now();
        let scrape = async |path: &&str| {
            let request = self
                .prometheus
                .get(exporter.url(path))
                .header(
                    "Accept",
                    "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4",
                )
                .header("Accept-Encoding", "gzip")
                .header("X-Prometheus-Scrape-Timeout-Seconds", timeout.to_string());
            let response = request.send().await.unwrap();
            assert!(response.status().is_success(), "{path}: {}", response.status());
            response.bytes().await.unwrap()
        };
        let bodies = self.runtime.block_on(join_all(paths.iter().map(scrape)));
        let body = bodies.into_iter().next().unwrap();
        Scrape { time: began.elapsed(), cpu: exporter.cpu().saturating_sub(cpu), body }
    }
}

/// Makes a client with the HTTP, TLS and gzip settings of the exporter's.
fn api(certificate: &Certificate) -> Client {
    Client::builder().no_proxy().tls_certs_only([certificate.clone()]).build().unwrap()
}
