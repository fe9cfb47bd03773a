//! Organizations as a user's own response has them.

use super::limits::LimitFields;
use crate::api::fields::fields;
use crate::api::values::{Boolean, Date, DecodeErrors, Id, Number, Text};
use crate::model::{Organization, OrganizationInfo};

fields!(
    /// `UserOrganization`
    UserOrganizationFields {
        id: Id = "id",
        name: Text = "name",
        developer_profile: Boolean = "isDeveloperProfile",
        whitelabel_id: Id = "whitelabelId",
        created: Date = "created",
        trial_expired: Date = "trialExpiredDate",
        trial_upgraded: Date = "trialUpgradedDate",
        limits: LimitFields<'static> = "entitlementLimits",
        users: Number = "userCount",
        admins: Number = "adminCount",
        private_projects: Number = "privateProjectCount",
    }
);

impl UserOrganizationFields<'_> {
    /// Converts an organization; its id is required.
    pub(super) fn convert(&self, errors: &mut DecodeErrors) -> Option<Organization> {
        let info = OrganizationInfo {
            name: self.name.read(errors),
            whitelabel_id: self.whitelabel_id.read(errors),
            ..OrganizationInfo::default()
        }
        .of_kind(self.developer_profile.get(errors));
        Some(Organization {
            info,
            created: self.created.read(errors),
            trial_expired: self.trial_expired.read(errors),
            trial_upgraded: self.trial_upgraded.read(errors),
            limits: self.limits.read(errors).map(|limits| limits.convert(errors)),
            users_used: self.users.read(errors),
            admins: self.admins.read(errors),
            private_projects: self.private_projects.read(errors),
            ..Organization::new(self.id.require(errors)?)
        })
    }
}
