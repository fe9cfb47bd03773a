//! One dataset of an organization.

use super::UnixTime;

/// A dataset: `OrganizationDataset`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// Id of the organization that the response is about.
    pub organization_id: u64,
    /// `dataset`: the name.
    pub name: String,
    /// `type`
    pub dataset_type: Option<String>,
    /// `category`
    pub category: Option<String>,
    /// `bucket.bucket`
    pub bucket: Option<String>,
    /// `totalFileSize`, in bytes.
    pub size: Option<f64>,
    /// `totalFileCount`
    pub files: Option<f64>,
    /// `totalItemCount`; clinical datasets only.
    pub items: Option<f64>,
    /// `totalItemCountChecklistOK`; clinical datasets only.
    pub checklist_ok: Option<f64>,
    /// `totalItemCountChecklistFailed`; clinical datasets only.
    pub checklist_failed: Option<f64>,
    /// `lastFileCreated`; `None` for a dataset without files.
    pub last_file_created: Option<UnixTime>,
}
