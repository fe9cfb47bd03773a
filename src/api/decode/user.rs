//! A user: the credential's own, or one of a white label.

use std::sync::Arc;

use super::daily_records::DailyRecords;
use super::organization::{LimitFields, info, trial};
use super::trials::{TrialFields, by_identity};
use super::{DecodeOptions, Response, only};
use crate::api::fields::{Convert, Each, Fold, Single, fields, streamed};
use crate::api::limits::MAX_WHITELABELS;
use crate::api::values::{Boolean, Date, DecodeErrors, Id, Number, Text};
use crate::model::{Call, Facts, Organization, TIERS, Trial, User, Whitelabel};

streamed!(
    /// `GetUserResponse`, and `AdminGetUserResponse.user`
    UserObject {
        organizations: Each<Organizations> = "organizations",
        id: Single<Id> = "id",
        tier: Single<Text> = "tier",
        suspended: Single<Boolean> = "suspended",
        mfa_configured: Single<Boolean> = "mfaConfigured",
        pending_payments: Single<Boolean> = "hasPendingPayments",
        private_projects: Single<Number> = "privatePersonalProjectsUsed",
        subscription_downgrade: Single<Date> = "subscriptionDowngradeDate",
        subscription_termination: Single<Date> = "subscriptionTerminationDate",
        active_trial: Option<TrialFields<'static>> = "activeEnterpriseTrial",
        trials: Each<Vec<Trial>> = "trials",
        daily_records: Each<DailyRecords> = "dailyMetrics",
        whitelabels: Each<Vec<Whitelabel>> = "whitelabels",
    }
);

streamed!(
    /// `AdminGetUserResponse`
    WhitelabelUserResponse { user: Option<UserObject> = "user" }
);

fields!(
    /// `UserOrganization`
    UserOrganizationFields {
        id: Id = "id",
        name: Text = "name",
        developer_profile: Boolean = "isDeveloperProfile",
        whitelabel_id: Id = "whitelabelId",
        created: Date = "created",
        trial_id: Number = "trialId",
        trial_expired: Date = "trialExpiredDate",
        trial_upgraded: Date = "trialUpgradedDate",
        limits: LimitFields<'static> = "entitlementLimits",
        users: Number = "userCount",
        admins: Number = "adminCount",
        private_projects: Number = "privateProjectCount",
    }
);

fields!(
    /// `GetUserResponse.whitelabels[]`
    WhitelabelFields {
        owner: Id = "ownerOrganizationId",
        is_admin: Boolean = "isAdmin",
        id: Id = "id",
        name: Text = "name",
    }
);

/// Organizations by id; the first one of an id counts, completed by the others.
#[derive(Debug, Default)]
struct Organizations(Facts);

impl Fold for Organizations {
    type Element<'a> = UserOrganizationFields<'a>;

    /// The id is required.
    fn add(
        &mut self,
        fields: &UserOrganizationFields<'_>,
        _: &DecodeOptions,
        errors: &mut DecodeErrors,
    ) -> u64 {
        let Some(id) = fields.id.require(errors) else { return 0 };
        if !self.0.organizations.contains_key(&id) && !errors.share.take_organization() {
            return 1;
        }
        let (trial, trial_expired, trial_upgraded) =
            trial(&fields.trial_id, &fields.trial_expired, &fields.trial_upgraded, errors);
        self.0.merge(&only(Organization {
            info: info(&fields.name, &fields.developer_profile, &fields.whitelabel_id, errors),
            created: fields.created.read(errors),
            trial,
            trial_expired,
            trial_upgraded,
            limits: fields.limits.read(errors).map(|limits| limits.convert(errors)),
            users_used: fields.users.read(errors),
            admins: fields.admins.read(errors),
            private_projects: fields.private_projects.read(errors),
            ..Organization::new(id)
        }));
        0
    }
}

impl Convert for Whitelabel {
    const MAX: usize = MAX_WHITELABELS;

    type Fields<'a> = WhitelabelFields<'a>;

    /// The user must administer it. Its owner is required, since the path of its calls has it.
    fn convert(fields: &WhitelabelFields<'_>, errors: &mut DecodeErrors) -> Option<Self> {
        if fields.is_admin.read(errors) != Some(true) {
            return None;
        }
        Some(Self {
            id: fields.id.read(errors),
            name: fields.name.read(errors),
            ..Self::new(fields.owner.require(errors)?)
        })
    }
}

/// Returns a tier that the API documents, else `other`.
fn known_tier(tier: &str) -> &'static str {
    TIERS.into_iter().find(|known| *known == tier).unwrap_or("other")
}

impl Response for UserObject {
    fn facts(self, _: &Call, _: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        // The organizations are known even if the id is not.
        let id = match self.organizations.fold {
            Some(_) => self.id.require(errors),
            None => Some(self.id.read(errors)?),
        };
        Some(Facts { own_user: id, ..self.convert(id, false, errors) })
    }
}

impl Response for WhitelabelUserResponse {
    fn facts(self, call: &Call, options: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        let user = self.user?;
        // The id of the call counts; an invalid one of the response is counted.
        let _ = user.id.read(errors);
        let mut facts = user.convert(call.user_id, options.days, errors);
        for user in facts.users.values_mut() {
            // This list is always empty for other users: 0 is not their number of organizations.
            user.organizations = user.organizations.filter(|count| *count > 0);
        }
        Some(facts)
    }
}

impl UserObject {
    /// Converts the user; `days` tells whether daily records are kept one by one.
    fn convert(self, id: Option<u64>, days: bool, errors: &mut DecodeErrors) -> Facts {
        let daily_records = self.daily_records.fold.unwrap_or_default();
        let user = User {
            // Any other text is not shown: each would be a new series.
            tier: self.tier.read(errors).map(|tier| known_tier(&tier).to_owned()),
            suspended: self.suspended.read(errors),
            mfa_configured: self.mfa_configured.read(errors),
            pending_payments: self.pending_payments.read(errors),
            private_projects: self.private_projects.read(errors),
            subscription_downgrade: self.subscription_downgrade.read(errors),
            subscription_termination: self.subscription_termination.read(errors),
            organizations: self.organizations.fold.is_some().then_some(self.organizations.elements),
            daily: daily_records.newest,
            days: days.then(|| Arc::new(daily_records.all)),
            ..User::default()
        };
        let active_trial = self.active_trial.and_then(|trial| Trial::convert(&trial, errors));
        let whitelabels = self.whitelabels.fold.into_iter().flatten();
        Facts {
            trials: by_identity(active_trial, self.trials.fold.unwrap_or_default(), errors),
            users: id.map(|id| (id, User { id, ..user })).into_iter().collect(),
            // The first one of an owner counts.
            whitelabels: whitelabels.rev().map(|whitelabel| (whitelabel.owner, whitelabel)).collect(),
            ..self.organizations.fold.unwrap_or_default().0
        }
    }
}
