//! One user.

use std::sync::Arc;

use super::merge::{Id as _, record};
use super::{DailyRecord, UnixTime};

record! {
    /// The user that the JWT belongs to, with the `metrics` of its subscription (`plan.`), or a user of a white label.
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
        /// `hasPendingPayments`
        pub pending_payments: Option<bool>,
        /// `privatePersonalProjectsUsed`
        pub private_projects: Option<f64>,
        /// Number of elements in `organizations`.
        pub organizations: Option<u64>,
        /// `subscriptionDowngradeDate`
        pub subscription_downgrade: Option<UnixTime>,
        /// `subscriptionTerminationDate`
        pub subscription_termination: Option<UnixTime>,
        /// `plan.computeMinutesTotal`: CPU plus 3 times GPU compute time of the billing period, in seconds.
        pub plan_compute_time_used: Option<f64>,
        /// `plan.computeMinutesLimit`, in seconds.
        pub plan_compute_time_limit: Option<f64>,
        /// `plan.computeResetDate`
        pub plan_reset: Option<UnixTime>,
        /// The newest of `dailyMetrics`.
        pub daily: Option<DailyRecord>,
        /// All of `dailyMetrics`, in the order of the response; kept only for the command `history`.
        pub days: Option<Arc<Vec<DailyRecord>>>,
    }
}

impl User {
    /// Returns a user with nothing but the id.
    #[must_use]
    pub fn new(id: u64) -> Self {
        Self { id, ..Self::default() }
    }
}
