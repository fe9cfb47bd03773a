//! The configuration that an exporter is built from.

use std::path::PathBuf;

use serde::Serialize;

use super::credential::NO_CREDENTIAL;
use super::{
    ApiOptions, CREDENTIAL_VARIABLES, CollectorOptions, CommonOptions, CredentialKind, CredentialOrigin,
    OptionSources, Options, ScopeOptions, file,
};

/// Name of the account that flags and environment variables configure.
pub const ONLY_ACCOUNT: &str = "default";

/// The configuration of an exporter, from flags and environment variables or from a file. Serialized, it has the
/// sections and fields of the file, except the accounts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Configuration {
    /// How the API is called.
    pub api: ApiOptions,
    /// The accounts, in order of precedence.
    #[serde(skip)]
    pub accounts: Vec<AccountOptions>,
    /// Where options were set.
    #[serde(skip)]
    pub sources: OptionSources,
    /// Options that are the same for all accounts.
    #[serde(flatten)]
    pub common: CommonOptions,
    /// The configuration file, if there is one.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// The directory of the recording that is replayed instead of calling the API.
    #[serde(serialize_with = "super::values::path_as_text")]
    pub replay: Option<PathBuf>,
}

/// An account: a credential, and what is read with it.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountOptions {
    /// Name of the account, the value of the `account` label.
    pub name: String,
    /// Kind of the credential.
    pub kind: CredentialKind,
    /// Where the credential comes from.
    pub origin: CredentialOrigin,
    /// Organizations and users that are read.
    pub scope: ScopeOptions,
    /// Collectors that are on, and their options.
    pub collectors: CollectorOptions,
    /// Position of the credential in the configuration file, for error messages.
    pub place: Option<String>,
}

impl AccountOptions {
    /// Returns true if `other` has the same name and options, even if at another position of the file.
    #[must_use]
    pub fn is_read_as(&self, other: &Self) -> bool {
        *self == Self { place: self.place.clone(), ..other.clone() }
    }
}

impl Options {
    /// Returns the configuration of the flags and environment variables, or of the file that `--config.file` names.
    /// The caller applies `--replay`.
    ///
    /// # Errors
    /// If the configuration cannot be used; the message says what to change.
    pub fn configuration(self) -> Result<Configuration, String> {
        let configuration = self.configuration_without_credentials()?;
        if configuration.accounts.is_empty() { Err(NO_CREDENTIAL.to_owned()) } else { Ok(configuration) }
    }

    /// Returns the configuration even if there is no credential; without a file, it then has no account.
    ///
    /// # Errors
    /// See [`Self::configuration`].
    pub fn configuration_without_credentials(self) -> Result<Configuration, String> {
        let Self { sources, config_file, replay: _, api, credential, scope, common } = self;
        if let Some(path) = config_file {
            return file::read(&path, &sources).and_then(without_ignored_credentials);
        }
        let account = credential.only(&sources)?.map(|(kind, origin)| {
            let (name, collectors) = (ONLY_ACCOUNT.to_owned(), common.collectors.clone());
            AccountOptions { name, kind, origin, scope, collectors, place: None }
        });
        let accounts = account.into_iter().collect();
        Ok(Configuration { api, accounts, sources, common, file: None, replay: None })
    }
}

/// Refuses a credential in a variable that no account of the file names.
fn without_ignored_credentials(configuration: Configuration) -> Result<Configuration, String> {
    let is_named = |name: &str| {
        let mut origins = configuration.accounts.iter().map(|account| &account.origin);
        origins.any(|origin| matches!(origin, CredentialOrigin::Environment(named, _) if named == name))
    };
    let is_ignored = |name: &&str| CredentialOrigin::variable(name).is_set() && !is_named(name);
    match CREDENTIAL_VARIABLES.into_iter().find(is_ignored) {
        Some(name) => Err(format!(
            "environment variable {name} cannot be combined with {}: \
             name it in the file, as key_env or jwt_env of an account, or unset it",
            configuration.sources.name("config.file")
        )),
        None => Ok(configuration),
    }
}
