//! `--web.config.file`: TLS, users, rate limit and response headers, in the format of Prometheus' exporter-toolkit.

mod auth;
mod config;
mod rate_limit;
mod tls;
mod users;
mod values;
mod watcher;

pub(super) use auth::{authenticated, is_probe, probes_only};
pub use watcher::WebConfigWatcher;
