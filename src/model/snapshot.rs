//! The result of one scrape.

use std::sync::Arc;

use super::{Facts, JOB_RESULTS, Organization, Unique, UnixTime};

/// The facts and call results of one scrape.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The merged facts of all accounts.
    pub facts: Facts,
    /// The accounts, in the order of the configuration.
    pub accounts: Vec<AccountStatus>,
    /// The calls of all accounts.
    pub call_results: Vec<CallResult>,
}

/// Size of the text of a call in one metric, in bytes.
const CALL_TEXT: usize = 256;

/// Size of the text of a row in one metric without the texts in its labels, in bytes.
const ROW_TEXT: usize = 160;

/// Bytes of a character that is escaped in a label.
const ESCAPED: usize = 2;

impl Snapshot {
    /// Returns about how much memory it keeps with the text of one metric, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let organizations = &self.facts.organizations;
        let calls = self.call_results.len();
        let texts = [
            calls * CALL_TEXT,
            organizations.values().map(|organization| size_of_longest_list(organization)).sum(),
            self.facts.trials.len() * ROW_TEXT,
        ];
        organizations.len() * size_of::<Organization>()
            + calls * size_of::<CallResult>()
            + texts.into_iter().max().unwrap_or_default()
    }
}

/// Returns the size of the text of the list of an organization that is the longest in one metric, in bytes.
fn size_of_longest_list(organization: &Organization) -> usize {
    let Organization { info, datasets, projects, buckets, pipelines, expiring_api_keys: keys, .. } =
        organization;
    let (experiments, jobs) = (organization.experiments.iter(), organization.finished_jobs.iter());
    let lists = [
        row(&[info.name.as_deref(), info.whitelabel_name.as_deref()]),
        rows(datasets.as_deref(), |it| {
            let [kind, category, bucket] =
                [&it.dataset_type, &it.category, &it.bucket].map(|text| text.as_deref());
            let results = [it.items, it.checklist_ok, it.checklist_failed].iter().flatten().count();
            row(&[Some(&it.name), kind, category, bucket]).max(results * row(&[Some(&it.name)]))
        }),
        rows(projects.as_deref(), |it| row(&[it.name.as_deref()])),
        rows(buckets.as_deref(), |it| row(&[it.name.as_deref()])),
        rows(pipelines.as_deref(), |it| row(&[it.name.as_deref()])),
        rows(keys.as_deref(), |_| row(&[])),
        experiments.flat_map(|experiments| experiments.keys()).map(|name| row(&[Some(name)])).sum(),
        jobs.flat_map(|jobs| jobs.keys()).map(|category| JOB_RESULTS.len() * row(&[Some(category)])).sum(),
    ];
    lists.into_iter().max().unwrap_or_default()
}

/// Returns the size of the texts of all rows of a list, given that of one, in bytes.
fn rows<T>(list: Option<&Unique<T>>, size: impl Fn(&T) -> usize) -> usize {
    list.into_iter().flat_map(|list| &list.rows).map(size).sum()
}

/// Returns the size of the text of a row in one metric, in bytes.
fn row(texts: &[Option<&str>]) -> usize {
    ROW_TEXT + ESCAPED * texts.iter().flatten().map(|text| text.len()).sum::<usize>()
}

/// The state of one account after a scrape.
#[derive(Clone, Debug, Default)]
pub struct AccountStatus {
    /// Name of the account in the configuration.
    pub name: Arc<str>,
    /// True if at least one call succeeded; `None` if the scrape selects some collectors or one organization.
    pub up: Option<bool>,
    /// When the current or latest pause ends that the API requested with `Retry-After`.
    pub pause_end: Option<UnixTime>,
    /// When the credential expires: `exp` of the JWT. An API key has no expiry date.
    pub credential_expiry: Option<UnixTime>,
    /// True if the credential was loaded at the last attempt.
    pub credential_loaded: bool,
    /// True if compute times of an organization contradict each other; `None` if that cannot be told.
    pub compute_time_unit_mismatch: Option<bool>,
    /// When the credential was last loaded successfully.
    pub credential_load: UnixTime,
}

/// The result of one call in a scrape.
#[derive(Clone, Debug)]
pub struct CallResult {
    /// Name of the account.
    pub account: Arc<str>,
    /// Name of the collector.
    pub collector: &'static str,
    /// The organization that the call is about.
    pub organization_id: Option<u64>,
    /// The user that the call is about.
    pub user_id: Option<u64>,
    /// True if the response arrived before the deadline and could be decoded.
    pub success: bool,
    /// True if the credential is permitted to make the call and the organization supports it.
    pub supported: bool,
    /// True if the facts shown are older than the maximum age of the scrape.
    pub stale: bool,
    /// Duration of the last completed call, in seconds.
    pub duration: Option<f64>,
    /// When the request was sent that gave the latest facts.
    pub last_success: Option<UnixTime>,
}
