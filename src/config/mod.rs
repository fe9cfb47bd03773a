//! Options, from flags and environment variables or from the configuration file.

mod api;
mod collectors;
mod configuration;
mod credential;
pub mod file;
pub mod file_reader;
mod options;
mod proxy;
mod redaction;
mod sources;
mod values;
mod web;
pub mod yaml;

pub use api::{ApiOptions, ComputeTimeUnit, MemoryUnit};
pub use collectors::{CollectorOptions, ProjectVisibility};
pub use configuration::{AccountOptions, Configuration, ONLY_ACCOUNT};
pub use credential::{CREDENTIAL_VARIABLES, CredentialKind, CredentialOptions, CredentialOrigin};
pub(crate) use options::with_variable;
pub use options::{
    CacheOptions, CommonOptions, LogFormat, LogLevel, LogOptions, Options, ScopeOptions, ScrapeOptions,
};
pub use proxy::proxy;
pub use redaction::{is_secret, redact, shown_path, shown_variable};
pub use sources::{OptionError, OptionSources, field};
pub use values::{STUDIO_URL, moment, number, positive_duration};
pub use web::{FailScrape, ListenAddress, WebOptions};
pub(crate) use yaml::nearest;
