//! One white label.

use super::{TIERS, WINDOWS};

/// Everything known about one white label.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Whitelabel {
    /// `ownerOrganizationId`: the organization that owns it, through which it is asked.
    pub owner: u64,
    /// `id`; a number of its own, not that of the owner.
    pub id: Option<u64>,
    /// `name`
    pub name: Option<String>,
    /// `total` of its organizations.
    pub organizations: Option<u64>,
    /// `organizationsLimit`
    pub organizations_limit: Option<f64>,
    /// `total` of its users of each of [`TIERS`].
    pub users_by_tier: Option<[u64; TIERS.len()]>,
    /// `total` of its users who were active within each of [`WINDOWS`].
    pub users_active: Option<[u64; WINDOWS.len()]>,
}

impl Whitelabel {
    /// Returns a white label of which only the owner is known.
    #[must_use]
    pub fn new(owner: u64) -> Self {
        Self { owner, ..Self::default() }
    }

    /// Takes from `other` what `self` does not know, a labelled family whole or not at all.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let Self { owner: _, id, name, organizations, organizations_limit, users_by_tier, users_active } =
            other;
        Self {
            owner: self.owner,
            id: self.id.or(id),
            name: self.name.or(name),
            organizations: self.organizations.or(organizations),
            organizations_limit: self.organizations_limit.or(organizations_limit),
            users_by_tier: self.users_by_tier.or(users_by_tier),
            users_active: self.users_active.or(users_active),
        }
    }
}
