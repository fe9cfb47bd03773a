//! Collectors, their endpoints and the permissions they need.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// A collector: reads the facts of one API endpoint.
///
/// The variants are in order of precedence: if two collectors report the same fact about an organization, the earlier one
/// is used.
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

    /// Returns the name in flags, labels and logs.
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

    /// Returns the collector of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collector| collector.name() == name)
    }

    /// Returns the path of the endpoint relative to the base URL, with placeholders for ids.
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

    /// Returns what the collector reads, for `--help`.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Usage => "usage of each organization: storage, compute time, projects, users",
            Self::Organization => "limits, members, projects, datasets and job defaults of each organization",
            Self::User => "user of the JWT: organizations with limits and counts, active trial",
            Self::Trials => "enterprise trials of the JWT's user and of each --user-id",
            Self::UserOrganizations => "organizations of each --user-id",
            Self::WhitelabelOrganization => {
                "limits and usage of organizations that only their white label can access"
            }
            Self::WhitelabelOrganizations => {
                "names, limits and private projects of a white label's organizations"
            }
            Self::WhitelabelUser => "trials, tier and newest daily record of each --whitelabel.user-id",
            Self::WhitelabelUsers => "number of a white label's users by tier and by activity",
            Self::Whitelabel => "name of a white label and its maximum number of organizations",
            Self::Organizations => "organization that an API key belongs to",
        }
    }

    /// Returns the default interval between calls, or `None` for collectors that follow `--cache.ttl`.
    #[must_use]
    pub const fn default_interval(self) -> Option<Duration> {
        match self {
            // The list of an API key has one entry, which changes only with the key.
            Self::Organizations => Some(Duration::from_mins(10)),
            Self::WhitelabelOrganization
            | Self::WhitelabelOrganizations
            | Self::WhitelabelUser
            | Self::WhitelabelUsers
            | Self::Whitelabel => Some(Duration::from_mins(15)),
            Self::Usage | Self::Organization | Self::User | Self::Trials | Self::UserOrganizations => None,
        }
    }

    /// Returns the minimum interval: a response with a year of daily records is expensive for the API.
    #[must_use]
    pub const fn least_interval(self) -> Option<Duration> {
        match self {
            Self::WhitelabelOrganization | Self::WhitelabelUser => Some(Duration::from_mins(15)),
            _ => None,
        }
    }

    /// Returns true if the collector makes one call per organization.
    #[must_use]
    pub const fn is_per_organization(self) -> bool {
        matches!(self, Self::Usage | Self::Organization | Self::WhitelabelOrganization)
    }

    /// Returns which credential or role the call needs.
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

    /// Returns true if the call needs a JWT: an API key is refused.
    #[must_use]
    pub const fn needs_jwt(self) -> bool {
        matches!(self, Self::User | Self::Trials | Self::UserOrganizations)
    }
}
