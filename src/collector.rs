//! Collectors, the calls that they make, and who may make them.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// A set of facts that one endpoint of the API gives.
///
/// The order of the variants is the order of precedence: where two collectors know the same fact about an
/// organization, the earlier one is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
    /// `GET /api/organizations/{organizationId}/whitelabel/organizations/{innerOrganizationId}`
    WhitelabelOrganization,
    /// `GET /api/organizations/{organizationId}/whitelabel/organizations`
    WhitelabelOrganizations,
    /// `GET /api/organizations/{organizationId}/whitelabel/users/{userId}`
    WhitelabelUser,
    /// `GET /api/organizations/{organizationId}/whitelabel/users`
    WhitelabelUsers,
    /// `GET /api/organizations/{organizationId}/whitelabel`
    Whitelabel,
    /// `GET /api/organizations`
    Organizations,
}

impl Collector {
    /// Every collector, in order of precedence.
    pub const ALL: [Self; 11] = [
        Self::Usage,
        Self::Organization,
        Self::User,
        Self::Trials,
        Self::UserOrganizations,
        Self::WhitelabelOrganization,
        Self::WhitelabelOrganizations,
        Self::WhitelabelUser,
        Self::WhitelabelUsers,
        Self::Whitelabel,
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
            Self::WhitelabelOrganization => "whitelabel_organization",
            Self::WhitelabelOrganizations => "whitelabel_organizations",
            Self::WhitelabelUser => "whitelabel_user",
            Self::WhitelabelUsers => "whitelabel_users",
            Self::Whitelabel => "whitelabel",
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
            Self::WhitelabelOrganization => {
                "/api/organizations/{organizationId}/whitelabel/organizations/{innerOrganizationId}"
            }
            Self::WhitelabelOrganizations => "/api/organizations/{organizationId}/whitelabel/organizations",
            Self::WhitelabelUser => "/api/organizations/{organizationId}/whitelabel/users/{userId}",
            Self::WhitelabelUsers => "/api/organizations/{organizationId}/whitelabel/users",
            Self::Whitelabel => "/api/organizations/{organizationId}/whitelabel",
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
            Self::WhitelabelOrganization => {
                "limits, compute time, storage and users of an organization that only its white label sees"
            }
            Self::WhitelabelOrganizations => {
                "names, limits and private projects of all organizations of a white label"
            }
            Self::WhitelabelUser => "each --whitelabel.user-id: trials, tier, newest daily record",
            Self::WhitelabelUsers => "users of a white label, counted by tier and by activity",
            Self::Whitelabel => "a white label's name, and how many organizations it may have",
            Self::Organizations => "the organizations that an API key sees",
        }
    }

    /// Returns how long an answer is used, where that differs from `--cache.ttl`.
    #[must_use]
    pub const fn default_interval(self) -> Option<Duration> {
        match self {
            // An API key's list has one entry, which changes when the key does.
            Self::Organizations => Some(Duration::from_mins(10)),
            Self::WhitelabelOrganization
            | Self::WhitelabelOrganizations
            | Self::WhitelabelUser
            | Self::WhitelabelUsers
            | Self::Whitelabel => Some(Duration::from_mins(15)),
            Self::Usage | Self::Organization | Self::User | Self::Trials | Self::UserOrganizations => None,
        }
    }

    /// Returns the shortest interval that may be asked for: answers with a year of records are expensive to make.
    #[must_use]
    pub const fn least_interval(self) -> Option<Duration> {
        match self {
            Self::WhitelabelOrganization | Self::WhitelabelUser => Some(Duration::from_mins(15)),
            _ => None,
        }
    }

    /// Tells whether one call is made for each organization.
    #[must_use]
    pub const fn is_per_organization(self) -> bool {
        matches!(self, Self::Usage | Self::Organization | Self::WhitelabelOrganization)
    }

    /// Returns who may make the call, in the API's words for roles.
    #[must_use]
    pub const fn needs(self) -> &'static str {
        match self {
            Self::Organizations => "any API key",
            Self::Usage => "an admin or member of the organization",
            Self::Organization => "an admin, member or guest of the organization",
            Self::User | Self::Trials | Self::UserOrganizations => "a JWT",
            Self::WhitelabelOrganization
            | Self::WhitelabelOrganizations
            | Self::WhitelabelUser
            | Self::WhitelabelUsers
            | Self::Whitelabel => "an admin of the white label",
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
