//! One API key.

use super::UnixTime;

/// An API key of an organization that expires: an element of `ListOrganizationApiKeysResponse.apiKeys`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ApiKey {
    /// Id of the organization that the response is about.
    pub organization_id: u64,
    /// `id`
    pub id: u64,
    /// `expires`
    pub expiry: UnixTime,
}
