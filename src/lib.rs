//! Prometheus exporter for Edge Impulse.
//!
//! A module uses only modules that are declared below it here; `tests/architecture.rs` checks it.
//!
//! ```text
//! GET /metrics -> serve -> collect: start the calls that are due, wait, read the store
//!                             |         |
//!                             |         +-> api: HTTP request, JSON stream, decoded into facts
//!                             v
//!                 model::Snapshot -> metrics: one row of the catalogue per metric, written as text
//! ```

// Command line: arguments, help and one module per command.
pub mod cli;
// Simulated API, and an exporter for it.
pub mod demo;
// Recordings of API responses, redacted, and their replay.
pub mod recording;
// Daily records of the past, written for `promtool`.
pub mod history;
// HTTP server: sockets, TLS, authentication, routes.
pub mod serve;
// HTML page at `/` with the state of accounts and collectors.
mod page;
// Scrapes: the calls that are due, their results, and the facts merged from them.
pub mod collect;
// API client: requests, errors, responses decoded into facts.
pub mod api;
// Metrics: catalogue, exposition formats and the exporter's telemetry.
pub mod metrics;
// Options from flags, environment variables and the configuration file.
pub mod config;
// Certificates that OpenSSL and Go accept, beyond those of webpki.
mod trust;
// Plain data: facts, calls, collectors, the clock.
pub mod model;
