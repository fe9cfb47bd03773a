//! The credential of an account: its kind, and where it comes from.

use std::path::PathBuf;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::{OptionSources, shown_path, shown_variable};

/// Kind of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// An organization's API key, sent as `x-api-key`; gives access to that organization.
    ApiKey,
    /// A user's JSON Web Token, sent as `x-jwt-token`; gives access to what the user can see.
    Jwt,
}

impl CredentialKind {
    /// Returns the name of the request header with the secret.
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self {
            Self::ApiKey => "x-api-key",
            Self::Jwt => "x-jwt-token",
        }
    }

    /// Returns the name for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::Jwt => "JWT",
        }
    }
}

/// Origin of a secret.
#[derive(Clone, Debug)]
pub enum CredentialOrigin {
    /// The value of the named environment variable.
    Environment(String, SecretString),
    /// A file, which can change while the exporter runs.
    File(PathBuf),
}

impl CredentialOrigin {
    /// Returns the named environment variable; its secret is empty if it is not set.
    pub(super) fn variable(name: &str) -> Self {
        let value = std::env::var_os(name).unwrap_or_default();
        // Characters that are not UTF-8 are found when the credential is checked.
        Self::Environment(name.to_owned(), value.to_string_lossy().into_owned().into())
    }

    /// Returns false for an environment variable that is empty or not set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !matches!(self, Self::Environment(_, secret) if secret.expose_secret().is_empty())
    }
}

impl PartialEq for CredentialOrigin {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Environment(name, secret), Self::Environment(other_name, other_secret)) => {
                name == other_name && secret.expose_secret() == other_secret.expose_secret()
            }
            (Self::File(path), Self::File(other_path)) => path == other_path,
            _ => false,
        }
    }
}

impl std::fmt::Display for CredentialOrigin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment(name, _) => write!(formatter, "environment variable {}", shown_variable(name)),
            Self::File(path) => write!(formatter, "file {}", shown_path(path)),
        }
    }
}

/// The credential.
#[derive(Args, Debug)]
#[command(next_help_heading = "API")]
pub struct CredentialOptions {
    /// File with an organization's API key
    #[arg(long = "api.key-file", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// File with a user's JSON Web Token
    #[arg(long = "api.jwt-file", value_name = "FILE")]
    pub jwt_file: Option<PathBuf>,
}

/// The environment variable with an API key.
const API_KEY: &str = "EDGEIMPULSE_API_KEY";
/// The environment variable with a JWT.
const JWT: &str = "EDGEIMPULSE_JWT";

/// What to do if there is no credential.
pub(super) const NO_CREDENTIAL: &str = "no credential: set EDGEIMPULSE_API_KEY, EDGEIMPULSE_JWT, --api.key-file or \
    --api.jwt-file; to try the exporter without a credential, run: edgeimpulse-exporter demo";

/// The environment variables that hold a credential if there is no configuration file.
pub const CREDENTIAL_VARIABLES: [&str; 2] = [API_KEY, JWT];

/// Returns the credential in a file `jwt` or `api-key` that systemd passed with `LoadCredential=`. The unit has a blank
/// default for both. A JWT reads more, so it is used if both are given.
fn from_systemd() -> Option<(CredentialKind, CredentialOrigin)> {
    let directory = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?);
    [(CredentialKind::Jwt, "jwt"), (CredentialKind::ApiKey, "api-key")].into_iter().find_map(|(kind, name)| {
        let path = directory.join(name);
        let is_given = std::fs::read(&path).is_ok_and(|text| !text.trim_ascii().is_empty());
        is_given.then_some((kind, CredentialOrigin::File(path)))
    })
}

impl CredentialOptions {
    /// Returns the kind and the origin of the one credential that is configured, else of the one that systemd passed;
    /// `None` if there is none.
    ///
    /// # Errors
    /// If there is more than one; the message says what to do.
    pub fn only(&self, sources: &OptionSources) -> Result<Option<(CredentialKind, CredentialOrigin)>, String> {
        let file = |path: &Option<PathBuf>| {
            path.clone().filter(|path| !path.as_os_str().is_empty()).map(CredentialOrigin::File)
        };
        let variable = |name| Some(CredentialOrigin::variable(name)).filter(CredentialOrigin::is_set);
        let configured = [
            (CredentialKind::ApiKey, sources.name("api.key-file"), file(&self.key_file)),
            (CredentialKind::ApiKey, API_KEY.to_owned(), variable(API_KEY)),
            (CredentialKind::Jwt, sources.name("api.jwt-file"), file(&self.jwt_file)),
            (CredentialKind::Jwt, JWT.to_owned(), variable(JWT)),
        ];
        let found = configured.into_iter().filter_map(|(kind, name, origin)| Some((kind, name, origin?)));
        match &found.collect::<Vec<_>>()[..] {
            [(kind, _, origin)] => Ok(Some((*kind, origin.clone()))),
            [] => Ok(from_systemd()),
            several => {
                let names: Vec<_> = several.iter().map(|(_, name, _)| name.as_str()).collect();
                Err(format!("more than one credential: set only one of {}", names.join(", ")))
            }
        }
    }
}
