//! Collectors, the calls that they make, and who may make them.

use std::fmt;

/// A set of facts that one endpoint of the API gives.
///
/// The order of the variants is the order of precedence: where two collectors know the same fact about an
/// organization, the earlier one is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collector {
    /// `GET /api/organizations/{organizationId}/metrics`
    Usage,
    /// `GET /api/organizations/{organizationId}`
    Organization,
    /// `GET /api/user`
    User,
    /// `GET /api/users/{userId}/trials`
    Trials,
    /// `GET /api/users/{userId}/organizations`
    UserOrganizations,
    /// `GET /api/organizations/{organizationId}/whitelabel/users/{userId}`
    WhitelabelUser,
    /// `GET /api/organizations`
    Organizations,
}

impl Collector {
    /// Every collector, in order of precedence.
    pub const ALL: [Self; 7] = [
        Self::Usage,
        Self::Organization,
        Self::User,
        Self::Trials,
        Self::UserOrganizations,
        Self::WhitelabelUser,
        Self::Organizations,
    ];

    /// Returns the name that flags, labels and logs use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Organization => "organization",
            Self::User => "user",
            Self::Trials => "trials",
            Self::UserOrganizations => "user_organizations",
            Self::WhitelabelUser => "whitelabel_user",
            Self::Organizations => "organizations",
        }
    }

    /// Returns the path of the endpoint, below the API's base URL, with placeholders for ids.
    #[must_use]
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::Usage => "/api/organizations/{organizationId}/metrics",
            Self::Organization => "/api/organizations/{organizationId}",
            Self::User => "/api/user",
            Self::Trials => "/api/users/{userId}/trials",
            Self::UserOrganizations => "/api/users/{userId}/organizations",
            Self::WhitelabelUser => "/api/organizations/{organizationId}/whitelabel/users/{userId}",
            Self::Organizations => "/api/organizations",
        }
    }

    /// Returns what the collector yields, in the words of its `--help`.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Usage => "storage, compute time, projects and users in use, per organization",
            Self::Organization => "limits, members, projects, datasets and compute defaults, per organization",
            Self::User => "the JWT's own user: its organizations with their limits and counts, its trial",
            Self::Trials => "enterprise trials of the JWT's user and of each --user-id",
            Self::UserOrganizations => "organizations of each --user-id",
            Self::WhitelabelUser => "each --whitelabel.user-id: trials, tier, newest daily record",
            Self::Organizations => "the organizations that an API key sees",
        }
    }

    /// Tells whether the endpoint answers a JWT only, not an API key.
    #[must_use]
    pub const fn needs_jwt(self) -> bool {
        matches!(self, Self::User | Self::Trials | Self::UserOrganizations)
    }
}

/// One request that a collector makes: the endpoint and the ids in its path.
///
/// The order is by precedence of the collector, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The collector that the answer belongs to.
    pub collector: Collector,
    /// `organizationId` in the path.
    pub organization_id: Option<u64>,
    /// `userId` in the path.
    pub user_id: Option<u64>,
}

impl Call {
    /// Asks for the organizations that the credential sees.
    #[must_use]
    pub const fn organizations() -> Self {
        Self { collector: Collector::Organizations, organization_id: None, user_id: None }
    }

    /// Asks for the user that the JWT belongs to.
    #[must_use]
    pub const fn user() -> Self {
        Self { collector: Collector::User, organization_id: None, user_id: None }
    }

    /// Asks `collector` about one organization.
    #[must_use]
    pub const fn of_organization(collector: Collector, organization_id: u64) -> Self {
        Self { collector, organization_id: Some(organization_id), user_id: None }
    }

    /// Asks `collector` about one user.
    #[must_use]
    pub const fn of_user(collector: Collector, user_id: u64) -> Self {
        Self { collector, organization_id: None, user_id: Some(user_id) }
    }

    /// Asks the white label that `organization_id` owns about one of its users.
    #[must_use]
    pub const fn whitelabel_user(organization_id: u64, user_id: u64) -> Self {
        Self {
            collector: Collector::WhitelabelUser,
            organization_id: Some(organization_id),
            user_id: Some(user_id),
        }
    }
}

/// Writes the path with the ids filled in.
impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = self.collector.endpoint().to_owned();
        if let Some(id) = self.organization_id {
            path = path.replace("{organizationId}", &id.to_string());
        }
        if let Some(id) = self.user_id {
            path = path.replace("{userId}", &id.to_string());
        }
        formatter.write_str(&path)
    }
}
