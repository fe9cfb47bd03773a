//! Edge Impulse organizations as Prometheus metrics.
//!
//! The modules stand in the order of a request's way, from the command line down to plain data. A module uses only those
//! below it; `tests/architecture.rs` checks that.
//!
//! ```text
//! GET /metrics -> serve -> collect: request the calls that are due, wait, read the store
//!                             |         |
//!                             |         +-> api: HTTP request, JSON stream, decoded into facts
//!                             v
//!                 model::Snapshot -> metrics: a row of the catalogue per metric, written as text
//! ```

pub mod cli;
pub mod demo;
pub mod recording;
pub mod history;
pub mod serve;
mod page;
pub mod collect;
pub mod api;
pub mod metrics;
pub mod config;
pub mod model;
