//! One white label.

use super::merge::{Id as _, record};
use super::{TIERS, WINDOWS};

record! {
    /// A white label.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Whitelabel {
        /// `ownerOrganizationId`: id of the owning organization, which is in the path of every call about the white label.
        pub owner: u64,
        /// `id`: the white label's id, which is not the owner's.
        pub id: Option<u64>,
        /// `name`
        pub name: Option<String>,
        /// Number of organizations: `total` of the list of organizations.
        pub organizations: Option<u64>,
        /// `organizationsLimit`: maximum number of organizations.
        pub organizations_limit: Option<f64>,
        /// `allowPasswordAuth`: users may sign in with a password.
        pub password_auth: Option<bool>,
        /// `allowSignup`: users may register themselves.
        pub signup: Option<bool>,
        /// Number of users in each of [`TIERS`]: `total` of the list of users with the filter `tier`.
        pub users_by_tier: Option<[u64; TIERS.len()]>,
        /// Number of users who were active within each of [`WINDOWS`]: `total` of the list of users with the filter
        /// `active`.
        pub users_active: Option<[u64; WINDOWS.len()]>,
        /// Number of organizations that were active within each of [`WINDOWS`]: `total` of the list of organizations with
        /// the filter `active`.
        pub organizations_active: Option<[u64; WINDOWS.len()]>,
        /// Number of projects: `total` of the list of projects.
        pub projects: Option<u64>,
        /// Number of projects that were active within each of [`WINDOWS`]: `total` of the list of projects with the filter
        /// `active`.
        pub projects_active: Option<[u64; WINDOWS.len()]>,
    }
}

impl Whitelabel {
    /// Returns a white label with nothing but its owner.
    #[must_use]
    pub fn new(owner: u64) -> Self {
        Self { owner, ..Self::default() }
    }
}
