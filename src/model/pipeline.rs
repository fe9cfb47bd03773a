//! One pipeline.

use super::UnixTime;

/// A pipeline of an organization: `OrganizationPipeline`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pipeline {
    /// Id of the organization that the response is about.
    pub organization_id: u64,
    /// `id`
    pub id: u64,
    /// `name`
    pub name: Option<Box<str>>,
    /// `nextRun`
    pub next_run: Option<UnixTime>,
    /// `currentRun.created`
    pub current_run_created: Option<UnixTime>,
    /// `lastRun.created`
    pub last_run_created: Option<UnixTime>,
    /// `lastRun.finished`
    pub last_run_finished: Option<UnixTime>,
    /// Whether a job of a step of `lastRun.steps` failed.
    pub last_run_failed: Option<bool>,
    /// `lastRun.itemCountImportIntoProjectFailed`
    pub last_run_items_import_failed: Option<f64>,
    /// Whether there is a `lastRunStartError`.
    pub start_failed: Option<bool>,
}
