//! One API request of a collector.

use std::fmt;

use super::Collector;

/// One request of a collector: its endpoint and the ids in the path.
///
/// Sorted by precedence of the collector, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The collector that makes the request.
    pub collector: Collector,
    /// The organization that owns the white label: `organizationId` in the path of a white label's calls.
    pub owner: Option<u64>,
    /// The organization that the response is about: `innerOrganizationId` in the path if there is one, else
    /// `organizationId`.
    pub organization_id: Option<u64>,
    /// `userId` in the path.
    pub user_id: Option<u64>,
}

impl Call {
    /// Returns the call of a collector without ids in its path; also stands for a call that cannot be made.
    #[must_use]
    pub const fn of(collector: Collector) -> Self {
        Self { collector, owner: None, organization_id: None, user_id: None }
    }

    /// Returns the call for the organizations that the credential can access.
    #[must_use]
    pub const fn organizations() -> Self {
        Self::of(Collector::Organizations)
    }

    /// Returns the call for the user that the JWT belongs to.
    #[must_use]
    pub const fn user() -> Self {
        Self::of(Collector::User)
    }

    /// Returns the call of `collector` about an organization.
    #[must_use]
    pub const fn of_organization(collector: Collector, organization_id: u64) -> Self {
        Self { organization_id: Some(organization_id), ..Self::of(collector) }
    }

    /// Returns the call of `collector` about a user.
    #[must_use]
    pub const fn of_user(collector: Collector, user_id: u64) -> Self {
        Self { user_id: Some(user_id), ..Self::of(collector) }
    }

    /// Returns the call of `collector` about the white label that the organization `owner` owns.
    #[must_use]
    pub const fn whitelabel(collector: Collector, owner: u64) -> Self {
        Self { owner: Some(owner), organization_id: Some(owner), ..Self::of(collector) }
    }

    /// Returns the call about an organization of the white label that `owner` owns.
    #[must_use]
    pub const fn whitelabel_organization(owner: u64, organization_id: u64) -> Self {
        let organization_id = Some(organization_id);
        Self { owner: Some(owner), organization_id, ..Self::of(Collector::WhitelabelOrganization) }
    }

    /// Returns the call about a user of the white label that `owner` owns.
    #[must_use]
    pub const fn whitelabel_user(owner: u64, user_id: u64) -> Self {
        Self { user_id: Some(user_id), ..Self::whitelabel(Collector::WhitelabelUser, owner) }
    }
    /// Returns the path of an endpoint with the ids filled in.
    #[must_use]
    pub fn path(&self, endpoint: &str) -> String {
        let ids = [
            ("{organizationId}", self.owner.or(self.organization_id)),
            ("{innerOrganizationId}", self.organization_id),
            ("{userId}", self.user_id),
        ];
        let mut path = endpoint.to_owned();
        for (placeholder, id) in ids {
            if let Some(id) = id {
                path = path.replace(placeholder, &id.to_string());
            }
        }
        path
    }
}

/// Writes the path with the ids filled in.
impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.path(self.collector.endpoint()))
    }
}
