//! Collectors, the calls that they make, and who may make them.

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
