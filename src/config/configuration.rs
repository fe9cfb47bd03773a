//! The configuration that an exporter is built from.

use std::path::PathBuf;

use super::{
    ApiOptions, CollectorOptions, CommonOptions, CredentialKind, CredentialOrigin, ONLY_ACCOUNT, Options,
    ScopeOptions, file,
};

/// The configuration of an exporter, from flags and environment variables or from a file.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// How the API is called.
    pub api: ApiOptions,
    /// The accounts, in order of precedence.
    pub accounts: Vec<AccountOptions>,
    /// Options that are the same for all accounts.
    pub common: CommonOptions,
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// The directory of the recording that is replayed instead of calling the API.
    pub replay: Option<PathBuf>,
}

/// A credential, and what is read with it.
#[derive(Clone, Debug)]
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
    /// File and line that configure the credential, for error messages.
    pub place: Option<String>,
}

impl Configuration {
    /// Returns a configuration without accounts.
    #[must_use]
    pub fn new(api: ApiOptions, common: CommonOptions) -> Self {
        Self { api, accounts: Vec::new(), common, file: None, replay: None }
    }
}

impl AccountOptions {
    /// Returns true if `other` is the same account with the same options, wherever they are configured.
    #[must_use]
    pub fn is_read_as(&self, other: &Self) -> bool {
        let Self { name, kind, origin, scope, collectors, place: _ } = self;
        *name == other.name
            && *kind == other.kind
            && *origin == other.origin
            && *scope == other.scope
            && *collectors == other.collectors
    }
}

impl Options {
    /// Returns the configuration of the flags and environment variables, or of the file that `--config.file` names.
    /// `--replay` is left to the caller.
    ///
    /// # Errors
    /// If the configuration cannot work; the message says what to change.
    pub fn configuration(self) -> Result<Configuration, String> {
        let Self { config_file, replay: _, api, credential, scope, common } = self;
        if let Some(path) = config_file {
            return file::read(&path);
        }
        let (kind, origin) = credential.only()?;
        let collectors = common.collectors.clone();
        let account =
            AccountOptions { name: ONLY_ACCOUNT.to_owned(), kind, origin, scope, collectors, place: None };
        Ok(Configuration { accounts: vec![account], ..Configuration::new(api, common) })
    }
}
