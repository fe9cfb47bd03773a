//! Options, from flags and environment variables or from the configuration file.

mod api;
mod cache;
mod collector_flags;
mod collectors;
mod configuration;
mod credential;
pub mod file;
mod listen_address;
mod log;
mod options;
mod scope;
mod scrape;
mod values;
mod web;
pub mod yaml;

pub use api::{ApiOptions, ComputeTimeUnit, MemoryUnit, STUDIO_URL};
pub use cache::CacheOptions;
pub use collectors::{CollectorOptions, ProjectVisibility};
pub use configuration::{AccountOptions, Configuration};
pub use credential::{CredentialKind, CredentialOptions, CredentialOrigin};
pub use listen_address::ListenAddress;
pub use log::{LogFormat, LogLevel, LogOptions};
pub use options::{CommonOptions, Options};
pub use scope::ScopeOptions;
pub use scrape::ScrapeOptions;
pub use values::{moment, positive_duration};
pub use web::{FailScrape, WebOptions};

/// Name of the account that flags and environment variables configure.
pub const ONLY_ACCOUNT: &str = "default";
