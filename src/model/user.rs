//! One user.

use std::sync::Arc;

use super::{DailyRecord, UnixTime};

/// The credential's own user, or one that the configuration names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    /// `id`
    pub id: u64,
    /// `tier`
    pub tier: Option<String>,
    /// `suspended`
    pub suspended: Option<bool>,
    /// `mfaConfigured`
    pub mfa_configured: Option<bool>,
    /// `privatePersonalProjectsUsed`
    pub private_projects: Option<f64>,
    /// Number of `organizations`.
    pub organizations: Option<u64>,
    /// `subscriptionDowngradeDate`
    pub subscription_downgrade: Option<UnixTime>,
    /// `subscriptionTerminationDate`
    pub subscription_termination: Option<UnixTime>,
    /// The newest of `dailyMetrics`.
    pub daily: Option<DailyRecord>,
    /// All of `dailyMetrics`, if they are asked for, in the order in which they came.
    pub days: Option<Arc<Vec<DailyRecord>>>,
}

impl User {
    /// Returns a user of whom only the id is known.
    #[must_use]
    pub fn new(id: u64) -> Self {
        Self { id, ..Self::default() }
    }

    /// Takes from `other` what `self` does not know.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            id: self.id,
            tier: self.tier.or(other.tier),
            suspended: self.suspended.or(other.suspended),
            mfa_configured: self.mfa_configured.or(other.mfa_configured),
            private_projects: self.private_projects.or(other.private_projects),
            organizations: self.organizations.or(other.organizations),
            subscription_downgrade: self.subscription_downgrade.or(other.subscription_downgrade),
            subscription_termination: self.subscription_termination.or(other.subscription_termination),
            daily: self.daily.or(other.daily),
            days: self.days.or(other.days),
        }
    }
}
