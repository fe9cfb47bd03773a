//! One storage bucket.

/// A storage bucket of an organization: `OrganizationBucket`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Id of the organization that the response is about.
    pub organization_id: u64,
    /// `id`
    pub id: u64,
    /// `bucket`: the name.
    pub name: Option<Box<str>>,
    /// `connected`
    pub connected: Option<bool>,
}
