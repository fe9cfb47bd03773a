//! Collecting: which calls a scrape needs, which of them are due, and what they returned.

pub mod account;
pub mod credential;
pub mod discovery;
pub mod exporter;
pub mod rate_limit;
mod scope;
pub mod scrape;
pub mod store;

pub use account::Account;
pub use exporter::{Exporter, Keep};
pub use scope::Scope;
pub use scrape::Selection;
