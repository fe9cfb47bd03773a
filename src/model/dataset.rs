//! One dataset of an organization.

use super::UnixTime;

/// `OrganizationDataset`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// The organization that has it.
    pub organization_id: u64,
    /// `dataset`: its name.
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
    /// `totalItemCount`, of clinical datasets.
    pub items: Option<f64>,
    /// `totalItemCountChecklistOK`, of clinical datasets.
    pub checklist_ok: Option<f64>,
    /// `totalItemCountChecklistFailed`, of clinical datasets.
    pub checklist_failed: Option<f64>,
    /// `lastFileCreated`, where there are files.
    pub last_file_created: Option<UnixTime>,
}
