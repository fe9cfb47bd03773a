//! Collecting: which calls a scrape needs, which of them are due, and what they returned.

pub mod account;
pub mod credential;
mod discovery;
pub mod exporter;
mod plan;
pub mod rate_limit;
mod scope;
mod scrape;
pub mod store;

pub use account::Account;
pub use discovery::Discovery;
pub use exporter::{Exporter, Keep};
pub use scope::Scope;
pub use scrape::{Selection, latest};
