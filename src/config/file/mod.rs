//! The configuration file: every option, for several accounts.

mod account;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use account::Account;

use super::collectors::check_interval;
use super::yaml::{self, Booleans, LineError};
use super::{
    AccountOptions, ApiOptions, CacheOptions, CollectorOptions, CommonOptions, Configuration, LogOptions,
    OptionError, OptionSources, ProjectVisibility, ScrapeOptions, WebOptions, file_reader, shown_path, values,
};
use crate::model::Collector;

/// Configuration of edgeimpulse-exporter, the file that `--config.file` names. Durations are written as 30s or 1m30s,
/// sizes as 64MiB; paths are relative to the file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct File {
    /// Connection to the API.
    api: ApiOptions,
    /// Credentials, and what is read with each. If two accounts see the same organization, the earlier one takes
    /// precedence.
    #[schemars(length(min = 1))]
    accounts: Vec<Account>,
    /// Collectors of all accounts; an account can override them.
    collectors: Collectors,
    /// HTTP server. Changes need a restart.
    web: WebOptions,
    /// Time limits of scrapes.
    scrape: ScrapeOptions,
    /// How long responses are reused.
    cache: CacheOptions,
    /// Logging. Changes need a restart.
    log: LogOptions,
}

/// Collectors and their options.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Collectors {
    /// Collectors that make no calls.
    disabled: Option<BTreeSet<Collector>>,
    /// Collectors that make calls only if they are named here.
    enabled: Option<BTreeSet<Collector>>,
    /// How long a collector's responses are reused; default: `cache.ttl`.
    #[schemars(with = "BTreeMap<Collector, Interval>")]
    intervals: BTreeMap<CollectorName, Spanned<Interval>>,
    /// Export series per project.
    projects: Option<bool>,
    /// Maximum datasets exported per organization.
    most_datasets: Option<usize>,
    /// Do not count Edge Impulse staff as users.
    exclude_edge_impulse_users: Option<bool>,
    /// Projects that count as in use.
    project_visibility: Option<ProjectVisibility>,
}

/// Read as text, because only texts are part of the path of an error.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct CollectorName(Collector);

impl TryFrom<String> for CollectorName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let names = Collector::ALL.map(Collector::name);
        let unknown = || format!("unknown collector: {}", yaml::expected_one_of(&name, &names));
        Collector::named(&name).map(Self).ok_or_else(unknown)
    }
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Interval(
    #[serde(with = "values::positive_duration")]
    #[schemars(with = "String")]
    Duration,
);

/// Reads the file at `path`; `sources` has what named it.
///
/// # Errors
/// If the file cannot be read or used; the message names the file, line, column and field, and what is expected.
pub fn read(path: &Path, sources: &OptionSources) -> Result<Configuration, String> {
    let unusable =
        |what| sources.describe(OptionError::about("config.file", format!("{}: {what}", shown_path(path))));
    let content = file_reader::read(path).map_err(|error| unusable(error.to_string()))?;
    let text = String::from_utf8(content);
    let text = text.map_err(|_| unusable("not UTF-8: expected a text file".to_owned()))?;
    let fields = yaml::fields(&text);
    let configuration = yaml::parse(&text, Booleans::Strict).and_then(|file: File| file.check(path, &fields));
    let configuration = configuration.map_err(|error| error.in_file(path).to_string())?;
    Ok(Configuration { sources: sources.of_file(path, fields), ..configuration })
}

/// Returns the JSON schema of the file.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(File);
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

impl File {
    fn check(self, path: &Path, fields: &BTreeMap<String, Location>) -> Result<Configuration, LineError> {
        let Self { mut api, accounts: sections, collectors, mut web, scrape, cache, log } = self;
        for path_in_file in [&mut api.ca_file, &mut web.web_config_file].into_iter().flatten() {
            *path_in_file = relative_to(path, path_in_file);
        }
        if sections.is_empty() {
            return Err(LineError::without_line(
                "no accounts: expected at least one, with a name and a credential, e.g. key_file",
            ));
        }
        if api.concurrency.is_some_and(|concurrency| usize::from(concurrency) < sections.len()) {
            return Err(LineError::at_location(
                fields.get("api.concurrency").copied().unwrap_or(Location::UNKNOWN),
                format!(
                    "api.concurrency: expected {} or more, one call per account, so that no account blocks another",
                    sections.len()
                ),
            ));
        }
        let collectors = collectors.apply_to(CollectorOptions::default())?;
        let mut accounts: Vec<AccountOptions> = Vec::new();
        for section in sections {
            let name = section.name.clone();
            if accounts.iter().any(|other| other.name == name.value) {
                let what = format!("accounts: the name {:?} is used twice: expected another name", name.value);
                return Err(LineError::at(&name, what));
            }
            accounts.push(section.check(path, &collectors)?);
        }
        let common = CommonOptions { web, scrape, cache, collectors, log };
        let sources = OptionSources::default();
        Ok(Configuration { api, accounts, sources, common, file: Some(path.to_owned()), replay: None })
    }
}

impl Collectors {
    /// Returns `options` with the options that are set here replaced.
    fn apply_to(self, mut options: CollectorOptions) -> Result<CollectorOptions, LineError> {
        if let Some(collector) = self.enabled.iter().flatten().find(|collector| collector.is_on_by_default()) {
            return Err(LineError::without_line(format!(
                "collectors.enabled: {} is enabled by default: name those to switch off in collectors.disabled",
                collector.name()
            )));
        }
        let is_enabled = |collector: &Collector| {
            let is_named =
                |names: &Option<BTreeSet<Collector>>| names.as_ref().map(|it| it.contains(collector));
            let before = options.enabled.contains(collector);
            match collector.is_on_by_default() {
                true => is_named(&self.disabled).map_or(before, |disabled| !disabled),
                false => is_named(&self.enabled).unwrap_or(before) && is_named(&self.disabled) != Some(true),
            }
        };
        options.enabled = Collector::ALL.into_iter().filter(is_enabled).collect();
        for (CollectorName(collector), interval) in self.intervals {
            let Interval(duration) = interval.value;
            check_interval(collector, duration)
                .map_err(|what| LineError::at(&interval, format!("collectors.intervals.{what}")))?;
            options.intervals.insert(collector, duration);
        }
        let exclude_edge_impulse_users = self.exclude_edge_impulse_users;
        Ok(CollectorOptions {
            projects: self.projects.unwrap_or(options.projects),
            most_datasets: self.most_datasets.unwrap_or(options.most_datasets),
            exclude_edge_impulse_users: exclude_edge_impulse_users
                .unwrap_or(options.exclude_edge_impulse_users),
            project_visibility: self.project_visibility.unwrap_or(options.project_visibility),
            ..options
        })
    }
}

/// Returns the path of a file that the file at `path` names.
fn relative_to(path: &Path, named: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(named)
}
