//! An account: a credential, and what is read with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::Collectors;
use crate::config::yaml::{LineError, place};
use crate::config::{
    AccountOptions, CollectorOptions, CredentialKind, CredentialOrigin, ScopeOptions, is_secret,
};

/// A credential, in exactly one of `key_file`, `key_env`, `jwt_file` and `jwt_env`, and what is read with it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    /// Value of the account label.
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9_.-]+$"))]
    pub(super) name: Spanned<String>,
    /// File with an organization's API key.
    #[schemars(with = "Option<String>")]
    key_file: Option<Spanned<PathBuf>>,
    /// Environment variable with an organization's API key.
    #[schemars(with = "Option<String>")]
    key_env: Option<Spanned<String>>,
    /// File with a user's JSON Web Token.
    #[schemars(with = "Option<String>")]
    jwt_file: Option<Spanned<PathBuf>>,
    /// Environment variable with a user's JSON Web Token.
    #[schemars(with = "Option<String>")]
    jwt_env: Option<Spanned<String>>,
    /// Read only these organizations; default: all that the credential can see.
    #[serde(default)]
    organization_ids: BTreeSet<u64>,
    /// Read also these users; requires a JWT.
    #[serde(default)]
    user_ids: BTreeSet<u64>,
    /// White label that the credential administers.
    #[serde(default)]
    whitelabel: Whitelabel,
    /// Collector options of this account, instead of those for all accounts.
    #[serde(default)]
    collectors: Collectors,
}

/// A white label.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Whitelabel {
    /// Organizations that own the white label; default: those that the JWT's user administers.
    organization_ids: BTreeSet<u64>,
    /// Read these users of the white label.
    user_ids: BTreeSet<u64>,
}

impl Account {
    pub(super) fn check(self, path: &Path, defaults: &CollectorOptions) -> Result<AccountOptions, LineError> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if self.name.value.is_empty() || !self.name.value.chars().all(is_allowed) {
            let what = "expected only letters, digits, `_`, `.` and `-`";
            return Err(LineError::at(&self.name, format!("accounts.name {:?}: {what}", self.name.value)));
        }
        if is_secret(&self.name.value) {
            let what = "accounts.name: expected a name, got a secret, which the account label would show";
            return Err(LineError::at(&self.name, what));
        }
        let (location, kind, origin) = self.credential(path)?;
        if kind == CredentialKind::ApiKey && !self.user_ids.is_empty() {
            let what = "user_ids require a JWT: expected jwt_file or jwt_env";
            return Err(self.error(self.name.referenced, what));
        }
        let list = |ids: BTreeSet<u64>| ids.into_iter().collect();
        Ok(AccountOptions {
            name: self.name.value,
            kind,
            origin,
            scope: ScopeOptions {
                organization_ids: list(self.organization_ids),
                user_ids: list(self.user_ids),
                whitelabel_organization_ids: list(self.whitelabel.organization_ids),
                whitelabel_user_ids: list(self.whitelabel.user_ids),
            },
            collectors: self.collectors.apply_to(defaults.clone())?,
            place: Some(place(path, Some(location))),
        })
    }

    /// Returns the position, kind and origin of the credential.
    fn credential(&self, path: &Path) -> Result<(Location, CredentialKind, CredentialOrigin), LineError> {
        let file = |file: &Spanned<PathBuf>| {
            (file.referenced, Ok(CredentialOrigin::File(super::relative_to(path, &file.value))))
        };
        let variable = |Spanned { value: name, referenced, .. }: &Spanned<String>| {
            let origin = CredentialOrigin::variable(name);
            (*referenced, origin.ok_or_else(|| format!("the environment variable {name} is not set")))
        };
        let configured = [
            (CredentialKind::ApiKey, self.key_file.as_ref().map(file)),
            (CredentialKind::ApiKey, self.key_env.as_ref().map(variable)),
            (CredentialKind::Jwt, self.jwt_file.as_ref().map(file)),
            (CredentialKind::Jwt, self.jwt_env.as_ref().map(variable)),
        ];
        let mut configured = configured.into_iter().filter_map(|(kind, origin)| Some((kind, origin?)));
        let expected = "key_file, key_env, jwt_file";
        match (configured.next(), configured.next()) {
            (Some((kind, (location, origin))), None) => {
                origin.map(|origin| (location, kind, origin)).map_err(|what| self.error(location, &what))
            }
            (None, _) => {
                let what = format!("no credential: expected {expected} or jwt_env");
                Err(self.error(self.name.referenced, &what))
            }
            (Some(_), Some((_, (second, _)))) => {
                let what = format!("more than one credential: expected one of {expected} and jwt_env");
                Err(self.error(second, &what))
            }
        }
    }

    fn error(&self, location: Location, what: &str) -> LineError {
        LineError::at_location(location, format!("account {}: {what}", self.name.value))
    }
}
