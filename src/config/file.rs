//! The configuration file: several accounts, and everything that flags can say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::collectors::{ProjectVisibility, allowed_interval};
use super::{
    AccountOptions, ApiOptions, CacheOptions, CollectorOptions, CommonOptions, Configuration, CredentialKind,
    CredentialOrigin, LogOptions, ScopeOptions, ScrapeOptions, WebOptions, values,
};
use crate::model::Collector;

/// Configuration of edgeimpulse-exporter: what `--config.file` reads. Durations are written as 30s or 1m30s, sizes as
/// 64MiB; paths are relative to the file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct File {
    /// How the API is asked.
    api: ApiOptions,
    /// Who asks. Where two accounts see the same organization, the earlier one is believed.
    #[schemars(length(min = 1))]
    accounts: Vec<Account>,
    /// What all accounts read, unless they say otherwise.
    collectors: Collectors,
    /// How the exporter is reached. A change needs a restart.
    web: WebOptions,
    /// How long a scrape may take.
    scrape: ScrapeOptions,
    /// How long answers are used.
    cache: CacheOptions,
    /// What is logged. A change needs a restart.
    log: LogOptions,
}

/// A credential, in exactly one of `key_file`, `key_env`, `jwt_file` and `jwt_env`, and what to read with it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Account {
    /// Value of the account label.
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9_.-]+$"))]
    name: Spanned<String>,
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
    /// Read these organizations only; without it all that the credential sees.
    #[serde(default)]
    organization_ids: BTreeSet<u64>,
    /// Read these users too; a JWT is needed.
    #[serde(default)]
    user_ids: BTreeSet<u64>,
    /// The white label that the credential administers.
    #[serde(default)]
    whitelabel: Whitelabel,
    /// What this account reads otherwise than all.
    #[serde(default)]
    collectors: Collectors,
}

/// A white label.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Whitelabel {
    /// Organizations that own the white label; without it those that the JWT's user administers.
    organization_ids: BTreeSet<u64>,
    /// Read these users of the white label.
    user_ids: BTreeSet<u64>,
}

/// What collectors do.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Collectors {
    /// Collectors that make no calls.
    disabled: Option<BTreeSet<Collector>>,
    /// How long a collector's answers are used; without it as long as `cache.ttl` says.
    #[schemars(with = "BTreeMap<Collector, Interval>")]
    intervals: BTreeMap<Collector, Spanned<Interval>>,
    /// A series per project.
    projects: Option<bool>,
    /// Most datasets of one organization that are shown.
    most_datasets: Option<usize>,
    /// Leave Edge Impulse staff out of the users in use.
    exclude_edge_impulse_users: Option<bool>,
    /// Which projects count as in use.
    project_visibility: Option<ProjectVisibility>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Interval(
    #[serde(deserialize_with = "values::from_text::positive_duration")]
    #[schemars(with = "String")]
    Duration,
);

/// Reads the file at `path`.
///
/// # Errors
/// If it cannot be read or cannot work; the message names the file, the line and what was expected.
pub fn read(path: &Path) -> Result<Configuration, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let place = |at: Location| format!("{}:{}", path.display(), at.line());
    let options = serde_saphyr::options! {
        strict_booleans: true,
    };
    let file: File = serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
        let at = error.location().map_or_else(|| path.display().to_string(), place);
        format!("{at}: {}", one_line(&error))
    })?;
    file.check(path, &place)
}

/// Returns what is wrong without the place and the picture of it, which are said another way.
fn one_line(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Advice to whoever writes programs helps nobody who writes a file.
    let text = text.split(" at line ").next().unwrap_or_default();
    text.split(", set DuplicateKeyPolicy").next().unwrap_or_default().to_owned()
}

/// Returns the JSON schema of the file.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(File);
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

impl File {
    fn check(self, path: &Path, place: &dyn Fn(Location) -> String) -> Result<Configuration, String> {
        let Self { mut api, accounts: sections, collectors, mut web, scrape, cache, log } = self;
        for path_in_file in [&mut api.ca_file, &mut web.web_config_file].into_iter().flatten() {
            *path_in_file = beside(path, path_in_file);
        }
        let whole = path.display();
        if sections.is_empty() {
            return Err(format!(
                "{whole}: no accounts: expected a list with at least one, each with a name and a key_file"
            ));
        }
        let concurrency = api.concurrency.unwrap_or(u16::MAX);
        if usize::from(concurrency) < sections.len() {
            return Err(format!(
                "{whole}: api.concurrency: expected {} or more, one call for each account, so that none waits for another",
                sections.len()
            ));
        }
        let collectors = collectors.over(CollectorOptions::default(), place)?;
        let mut accounts: Vec<AccountOptions> = Vec::new();
        for section in sections {
            let account = section.check(path, &collectors, place)?;
            if accounts.iter().any(|known| known.name == account.name) {
                let place = account.place.unwrap_or_default();
                return Err(format!(
                    "{place}: a second account with the name {}: expected another name",
                    account.name
                ));
            }
            accounts.push(account);
        }
        let common = CommonOptions { web, scrape, cache, collectors, log };
        Ok(Configuration { accounts, file: Some(path.to_owned()), ..Configuration::new(api, common) })
    }
}

impl Account {
    fn check(
        self,
        path: &Path,
        defaults: &CollectorOptions,
        place: &dyn Fn(Location) -> String,
    ) -> Result<AccountOptions, String> {
        let Self {
            name,
            key_file,
            key_env,
            jwt_file,
            jwt_env,
            organization_ids,
            user_ids,
            whitelabel,
            collectors,
        } = self;
        let at = place(name.referenced);
        let name = name.value;
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if name.is_empty() || !name.chars().all(is_allowed) {
            return Err(format!("{at}: accounts.name {name:?}: expected letters, digits, `_`, `.` and `-`"));
        }
        let file = |path_in_file: Option<Spanned<PathBuf>>| {
            path_in_file
                .map(|said| (place(said.referenced), Ok(CredentialOrigin::File(beside(path, &said.value)))))
        };
        let variable = |variable: Option<Spanned<String>>| {
            variable.map(|said| {
                let name = said.value;
                let value = std::env::var(&name).ok().filter(|value| !value.is_empty());
                let origin = value.map(|value| CredentialOrigin::Environment(name.clone(), value.into()));
                (
                    place(said.referenced),
                    origin.ok_or_else(|| format!("environment variable {name} is not set")),
                )
            })
        };
        let mut said = [
            (CredentialKind::ApiKey, file(key_file)),
            (CredentialKind::ApiKey, variable(key_env)),
            (CredentialKind::Jwt, file(jwt_file)),
            (CredentialKind::Jwt, variable(jwt_env)),
        ]
        .into_iter()
        .filter_map(|(kind, origin)| Some((kind, origin?)));
        let (kind, (place_of_origin, origin)) = match (said.next(), said.next()) {
            (Some(one), None) => one,
            (None, _) => {
                return Err(format!(
                    "{at}: account {name} has no credential: expected key_file, key_env, jwt_file or jwt_env"
                ));
            }
            (Some(_), Some((_, (second, _)))) => {
                return Err(format!(
                    "{second}: account {name} has more than one credential: expected one of key_file, key_env, jwt_file and jwt_env"
                ));
            }
        };
        let origin = origin.map_err(|error| format!("{place_of_origin}: account {name}: {error}"))?;
        if kind == CredentialKind::ApiKey && !user_ids.is_empty() {
            return Err(format!("{at}: account {name}: user_ids need a JWT: expected jwt_file or jwt_env"));
        }
        let list = |ids: BTreeSet<u64>| ids.into_iter().collect();
        Ok(AccountOptions {
            name,
            kind,
            origin,
            scope: ScopeOptions {
                organization_ids: list(organization_ids),
                user_ids: list(user_ids),
                whitelabel_organization_ids: list(whitelabel.organization_ids),
                whitelabel_user_ids: list(whitelabel.user_ids),
            },
            collectors: collectors.over(defaults.clone(), place)?,
            place: Some(place_of_origin),
        })
    }
}

/// Returns the path of a file that is named in another one.
fn beside(path: &Path, named: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(named)
}

impl Collectors {
    /// Returns `defaults` with what is said here.
    fn over(
        self,
        mut defaults: CollectorOptions,
        place: &dyn Fn(Location) -> String,
    ) -> Result<CollectorOptions, String> {
        let Self {
            disabled,
            intervals,
            projects,
            most_datasets,
            exclude_edge_impulse_users,
            project_visibility,
        } = self;
        if let Some(disabled) = disabled {
            defaults.enabled =
                Collector::ALL.into_iter().filter(|collector| !disabled.contains(collector)).collect();
        }
        for (collector, said) in intervals {
            let Interval(interval) = said.value;
            allowed_interval(collector, interval)
                .map_err(|error| format!("{}: {error}", place(said.referenced)))?;
            defaults.intervals.insert(collector, interval);
        }
        defaults.projects = projects.unwrap_or(defaults.projects);
        defaults.most_datasets = most_datasets.unwrap_or(defaults.most_datasets);
        defaults.exclude_edge_impulse_users =
            exclude_edge_impulse_users.unwrap_or(defaults.exclude_edge_impulse_users);
        defaults.project_visibility = project_visibility.unwrap_or(defaults.project_visibility);
        Ok(defaults)
    }
}
