//! One enterprise trial.

use super::UnixTime;

/// `EnterpriseTrial`
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trial {
    /// `organizationId`
    pub organization_id: u64,
    /// `id`
    pub id: u64,
    /// `expirationDate`
    pub scheduled_expiration: Option<UnixTime>,
    /// `created`
    pub created: Option<UnixTime>,
    /// `expiredDate`
    pub expired: Option<UnixTime>,
    /// `upgradedDate`
    pub upgraded: Option<UnixTime>,
    /// `deletedDate`
    pub deleted: Option<UnixTime>,
}

impl Trial {
    /// Takes from `other` what `self` does not know.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            organization_id: self.organization_id,
            id: self.id,
            scheduled_expiration: self.scheduled_expiration.or(other.scheduled_expiration),
            created: self.created.or(other.created),
            expired: self.expired.or(other.expired),
            upgraded: self.upgraded.or(other.upgraded),
            deleted: self.deleted.or(other.deleted),
        }
    }
}
