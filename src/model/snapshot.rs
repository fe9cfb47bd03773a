//! The result of one scrape.

use std::sync::Arc;

use super::{Facts, Organization, UnixTime};

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

/// Size of the text of a row in one metric, in bytes.
const ROW_TEXT: usize = 256;

impl Snapshot {
    /// Returns about how much memory it keeps with the text of one metric, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let organizations = &self.facts.organizations;
        let rows = organizations.values().map(|organization| {
            let datasets = organization.datasets.as_ref().map_or(0, |datasets| datasets.rows.len());
            let projects = organization.projects.as_ref().map_or(0, |projects| projects.rows.len());
            let buckets = organization.buckets.as_ref().map_or(0, |buckets| buckets.rows.len());
            let pipelines = organization.pipelines.as_ref().map_or(0, |pipelines| pipelines.rows.len());
            let keys = organization.expiring_api_keys.as_ref().map_or(0, |keys| keys.rows.len());
            datasets.max(projects).max(buckets).max(pipelines).max(keys)
        });
        let calls = self.call_results.len();
        organizations.len() * size_of::<Organization>()
            + calls * size_of::<CallResult>()
            + calls.max(rows.sum()) * ROW_TEXT
    }
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
