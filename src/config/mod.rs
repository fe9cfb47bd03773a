//! Options, from flags and environment variables or from the configuration file.

mod api;
mod collectors;
mod configuration;
mod credential;
pub mod file;
pub mod file_reader;
mod options;
mod redaction;
mod values;
mod web;
pub mod yaml;

pub use api::{ApiOptions, ComputeTimeUnit, MemoryUnit};
pub use collectors::{CollectorOptions, ProjectVisibility};
pub use configuration::{AccountOptions, Configuration, ONLY_ACCOUNT};
pub use credential::{CredentialKind, CredentialOptions, CredentialOrigin};
pub(crate) use options::with_variable;
pub use options::{
    CacheOptions, CommonOptions, LogFormat, LogLevel, LogOptions, Options, ScopeOptions, ScrapeOptions,
};
pub use redaction::{is_secret, redact};
pub use values::{STUDIO_URL, moment, positive_duration};
pub use web::{FailScrape, ListenAddress, WebOptions};
