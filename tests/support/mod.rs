//! What the tests speak in: a fake Edge Impulse API, the real exporter on a port of its own, and strict readers of
//! what it serves.

pub mod exposition;
pub mod fake;
pub mod markdown;
pub mod program;
pub mod promql;
pub mod properties;
pub mod running;
pub mod secure;
pub mod wire;

pub use exposition::Exposition;
pub use fake::FakeApi;
pub use program::Program;
pub use running::Running;
use tokio_rustls::rustls::crypto::ring;
pub use wire::Wire;

/// Returns a file of `tests/data`.
pub fn data(path: &str) -> String {
    let path = format!("{}/tests/data/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Writes a file of its own for the calling test, and returns its path.
pub fn file(name: &str, content: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static FILES: AtomicU32 = AtomicU32::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let path = format!("{}/{}-{number}-{name}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&path, content).unwrap();
    path
}

/// Returns a port that nobody listens on.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Returns a client that takes answers as they come.
pub fn client() -> reqwest::Client {
    // Whichever test comes first: the exporter itself may not have chosen a provider yet.
    let _ = ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().no_gzip().build().unwrap()
}

/// Gets a page.
pub async fn get(url: impl reqwest::IntoUrl) -> reqwest::Result<reqwest::Response> {
    client().get(url).send().await
}
