//! Collectors, their endpoints and the permissions they need.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// Declares the collectors: variant, name and endpoint, then description and needed permission.
macro_rules! collectors {
    ($($variant:ident $name:literal $endpoint:literal: $about:literal, needs $needs:expr;)*) => {
        /// A collector: reads the facts of one API endpoint.
        ///
        /// The variants are in order of precedence: if two collectors report the same fact about an organization, the
        /// earlier one is used.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Collector {
            $(#[doc = concat!("`GET ", $endpoint, "`")] $variant,)*
        }

        impl Collector {
            /// Every collector, in order of precedence.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Returns the name in flags, labels and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the path of the endpoint relative to the base URL, with placeholders for ids.
            #[must_use]
            pub const fn endpoint(self) -> &'static str {
                match self { $(Self::$variant => $endpoint,)* }
            }

            /// Returns what the collector reads, for `--help`.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// Returns which credential or role the call needs.
            #[must_use]
            pub const fn needs(self) -> &'static str {
                match self { $(Self::$variant => $needs,)* }
            }
        }
    };
}

const JWT: &str = "a JWT";
const MEMBER: &str = "an admin or member of the organization";
const ADMIN: &str = "an admin of the white label";

collectors! {
    Usage "usage" "/api/organizations/{organizationId}/metrics":
        "usage of each organization: storage, compute time, projects, users",
        needs MEMBER;
    Organization "organization" "/api/organizations/{organizationId}":
        "limits, members, projects, datasets and job defaults of each organization",
        needs MEMBER;
    Buckets "buckets" "/api/organizations/{organizationId}/buckets":
        "whether each storage bucket of an organization can be reached", needs MEMBER;
    Pipelines "pipelines" "/api/organizations/{organizationId}/pipelines":
        "last and next run of each pipeline of an organization, and whether the last one failed",
        needs MEMBER;
    Jobs "jobs" "/api/organizations/{organizationId}/jobs":
        "queued and running jobs of each organization", needs MEMBER;
    FinishedJobs "finished_jobs" "/api/organizations/{organizationId}/jobs/all":
        "jobs of each organization that finished within the last 24 hours", needs MEMBER;
    TransformationJobs "transformation_jobs" "/api/organizations/{organizationId}/create-project":
        "the latest 100 transformation jobs of each organization by status", needs MEMBER;
    User "user" "/api/user":
        "user of the JWT: organizations with limits and counts, active trial", needs JWT;
    Trials "trials" "/api/users/{userId}/trials":
        "enterprise trials of the JWT's user and of each --user-id", needs JWT;
    UserOrganizations "user_organizations" "/api/users/{userId}/organizations":
        "organizations of each --user-id", needs JWT;
    WhitelabelOrganization "whitelabel_organization"
        "/api/organizations/{organizationId}/whitelabel/organizations/{innerOrganizationId}":
        "limits and usage of organizations that only their white label can access", needs ADMIN;
    WhitelabelOrganizations "whitelabel_organizations" "/api/organizations/{organizationId}/whitelabel/organizations":
        "names, limits and private projects of a white label's organizations", needs ADMIN;
    WhitelabelUser "whitelabel_user" "/api/organizations/{organizationId}/whitelabel/users/{userId}":
        "trials, tier and newest daily record of each --whitelabel.user-id", needs ADMIN;
    WhitelabelUsers "whitelabel_users" "/api/organizations/{organizationId}/whitelabel/users":
        "number of a white label's users by tier and by activity", needs ADMIN;
    Whitelabel "whitelabel" "/api/organizations/{organizationId}/whitelabel":
        "name of a white label and its maximum number of organizations", needs ADMIN;
    Organizations "organizations" "/api/organizations":
        "organization that an API key belongs to", needs "any API key";
    Plan "plan" "/api/user/subscription/metrics":
        "compute time of the JWT's user in the billing period, and its limit",
        needs "a JWT of a user with a subscription";
    WhitelabelActivity "whitelabel_activity" "/api/organizations/{organizationId}/whitelabel/projects":
        "number of a white label's projects, and of its active organizations and projects", needs ADMIN;
    ApiKeys "api_keys" "/api/organizations/{organizationId}/apikeys":
        "API keys of each organization: number by role, unused ones, expiry dates",
        needs "a JWT of an admin or member of the organization";
}

impl Collector {
    /// Returns the collector of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collector| collector.name() == name)
    }

    /// Returns false if the collector makes calls only if it is enabled.
    #[must_use]
    pub const fn is_on_by_default(self) -> bool {
        // Lists of past jobs are long.
        !matches!(self, Self::FinishedJobs | Self::TransformationJobs)
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
            | Self::Whitelabel
            | Self::WhitelabelActivity
            | Self::ApiKeys
            | Self::Buckets => Some(Duration::from_mins(15)),
            Self::Pipelines | Self::FinishedJobs | Self::TransformationJobs => Some(Duration::from_mins(5)),
            Self::Usage
            | Self::Organization
            | Self::Jobs
            | Self::User
            | Self::Trials
            | Self::UserOrganizations
            | Self::Plan => None,
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
        matches!(
            self,
            Self::Usage
                | Self::Organization
                | Self::Buckets
                | Self::Pipelines
                | Self::Jobs
                | Self::FinishedJobs
                | Self::TransformationJobs
                | Self::WhitelabelOrganization
                | Self::ApiKeys
        )
    }

    /// Returns true if the call needs a JWT: an API key is refused.
    #[must_use]
    pub const fn needs_jwt(self) -> bool {
        matches!(self, Self::User | Self::Trials | Self::UserOrganizations | Self::Plan | Self::ApiKeys)
    }
}
