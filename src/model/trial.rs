//! One enterprise trial.

use super::UnixTime;
use super::merge::{Id as _, record};

record! {
    /// An enterprise trial: `EnterpriseTrial`.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct Trial {
        /// `organizationId`
        pub organization_id: u64,
        /// `id`
        pub id: u64,
        /// `expirationDate`: end of the trial unless it is upgraded.
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
}
