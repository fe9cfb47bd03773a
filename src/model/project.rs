//! One project of an organization.

use super::UnixTime;

/// A project: `Project`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    /// Id of the organization that the response is about.
    pub organization_id: u64,
    /// `id`
    pub id: u64,
    /// `name`
    pub name: Option<String>,
    /// `created`
    pub created: Option<UnixTime>,
    /// `lastModified`
    pub last_modified: Option<UnixTime>,
    /// `lastAccessed`
    pub last_accessed: Option<UnixTime>,
    /// `scheduledFullDeletionDate`
    pub scheduled_deletion: Option<UnixTime>,
    /// Number of elements in `collaborators`.
    pub collaborators: Option<u64>,
}
