//! One API request of a collector.

use std::fmt;

use super::Collector;

/// One request that a collector makes: the endpoint and the ids in its path.
///
/// The order is by precedence of the collector, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The collector that the answer belongs to.
    pub collector: Collector,
    /// The organization that owns the white label which is asked: `organizationId` in the path of its calls.
    pub owner: Option<u64>,
    /// The organization that the answer is about: `innerOrganizationId` where a white label is asked about one of
    /// its organizations, else `organizationId` in the path.
    pub organization_id: Option<u64>,
    /// `userId` in the path.
    pub user_id: Option<u64>,
}

impl Call {
    /// Asks `collector`, whose path has no ids; or stands for a call of it that cannot be made.
    #[must_use]
    pub const fn of(collector: Collector) -> Self {
        Self { collector, owner: None, organization_id: None, user_id: None }
    }

    /// Asks for the organizations that the credential sees.
    #[must_use]
    pub const fn organizations() -> Self {
        Self::of(Collector::Organizations)
    }

    /// Asks for the user that the JWT belongs to.
    #[must_use]
    pub const fn user() -> Self {
        Self::of(Collector::User)
    }

    /// Asks `collector` about one organization.
    #[must_use]
    pub const fn of_organization(collector: Collector, organization_id: u64) -> Self {
        Self { organization_id: Some(organization_id), ..Self::of(collector) }
    }

    /// Asks `collector` about one user.
    #[must_use]
    pub const fn of_user(collector: Collector, user_id: u64) -> Self {
        Self { user_id: Some(user_id), ..Self::of(collector) }
    }

    /// Asks `collector` about the white label that the organization `owner` owns.
    #[must_use]
    pub const fn whitelabel(collector: Collector, owner: u64) -> Self {
        Self { owner: Some(owner), organization_id: Some(owner), ..Self::of(collector) }
    }

    /// Asks the white label that `owner` owns about one of its organizations.
    #[must_use]
    pub const fn whitelabel_organization(owner: u64, organization_id: u64) -> Self {
        let organization_id = Some(organization_id);
        Self { owner: Some(owner), organization_id, ..Self::of(Collector::WhitelabelOrganization) }
    }

    /// Asks the white label that `owner` owns about one of its users.
    #[must_use]
    pub const fn whitelabel_user(owner: u64, user_id: u64) -> Self {
        Self { user_id: Some(user_id), ..Self::whitelabel(Collector::WhitelabelUser, owner) }
    }
}

/// Writes the path with the ids filled in.
impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = [
            ("{organizationId}", self.owner.or(self.organization_id)),
            ("{innerOrganizationId}", self.organization_id),
            ("{userId}", self.user_id),
        ];
        let mut path = self.collector.endpoint().to_owned();
        for (placeholder, id) in ids {
            if let Some(id) = id {
                path = path.replace(placeholder, &id.to_string());
            }
        }
        formatter.write_str(&path)
    }
}
