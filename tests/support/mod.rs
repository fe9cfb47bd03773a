//! Shared parts of the tests: a fake Edge Impulse API, a running exporter, strict readers of metrics, and the files of
//! the repository.

pub mod catalogue;
pub mod exposition;
pub mod fake;
pub mod http_2;
pub mod pages;
pub mod peers;
pub mod program;
pub mod promql;
pub mod properties;
pub mod repository;
pub mod running;
pub mod secure;
pub mod wire;

pub use exposition::Exposition;
pub use fake::FakeApi;
pub use program::Program;
pub use running::{ONE_CALL, ONE_CALL_EACH, Running};
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring;
pub use wire::Wire;

/// Returns a file of `tests/data`.
pub fn data(path: &str) -> String {
    repository::read(&format!("tests/data/{path}"))
}

/// Writes a file with a unique name, and returns its path.
pub fn file(name: &str, content: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static FILES: AtomicU32 = AtomicU32::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let path = format!("{}/{}-{number}-{name}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&path, content).unwrap();
    path
}

/// Returns an unused port.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Returns a client without proxy and decompression.
pub fn client() -> reqwest::Client {
    // The first test to run installs the provider, unless the exporter did.
    let _ = ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().no_gzip().build().unwrap()
}

/// Sends a GET request.
pub async fn get(url: impl reqwest::IntoUrl) -> reqwest::Result<reqwest::Response> {
    client().get(url).send().await
}

/// Returns the body of a response to a GET request.
pub async fn get_text(url: impl reqwest::IntoUrl) -> String {
    get(url).await.unwrap().text().await.unwrap()
}

/// Repeats an attempt until it succeeds, and returns its value. Fails after four minutes, with the last error.
pub async fn eventually<T>(mut attempt: impl AsyncFnMut() -> Result<T, String>) -> T {
    let until = tokio::time::Instant::now() + Duration::from_mins(4);
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => assert!(tokio::time::Instant::now() < until, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
