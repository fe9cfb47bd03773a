//! A user: the credential's own, or one of a white label.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::daily_records::{DailyRecords, RecordFields};
use super::trials::{TrialFields, by_identity};
use super::user_organizations::UserOrganizationFields;
use super::{DecodeOptions, only};
use crate::api::Error;
use crate::api::fields::{fields, streamed};
use crate::api::schema::List;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Boolean, Date, DecodeErrors, Id, Number, Text, Value};
use crate::model::{Facts, Organization, Trial, User, Whitelabel};

streamed!(
    /// `GetUserResponse`, and `AdminGetUserResponse.user`
    UserObject {
        Organizations: List<UserOrganizationFields<'static>> = "organizations",
        Id: Id = "id",
        Tier: Text = "tier",
        Suspended: Boolean = "suspended",
        MfaConfigured: Boolean = "mfaConfigured",
        PrivateProjects: Number = "privatePersonalProjectsUsed",
        SubscriptionDowngrade: Date = "subscriptionDowngradeDate",
        SubscriptionTermination: Date = "subscriptionTerminationDate",
        ActiveTrial: TrialFields<'static> = "activeEnterpriseTrial",
        Trials: List<TrialFields<'static>> = "trials",
        DailyRecords: List<RecordFields<'static>> = "dailyMetrics",
        Whitelabels: List<WhitelabelFields<'static>> = "whitelabels",
    }
);

streamed!(
    /// `AdminGetUserResponse`
    WhitelabelUserResponse { User: UserObject = "user" }
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

impl WhitelabelFields<'_> {
    /// Converts a white label that the user administers; its owner is required, since the path of its calls has it.
    fn convert(&self, errors: &mut DecodeErrors) -> Option<Whitelabel> {
        if self.is_admin.read(errors) != Some(true) {
            return None;
        }
        Some(Whitelabel {
            id: self.id.read(errors),
            name: self.name.read(errors),
            ..Whitelabel::new(self.owner.require(errors)?)
        })
    }
}

/// Decodes the credential's own user.
pub(super) async fn user<S: Parts>(json: &mut JsonStream<S>) -> Result<Option<Facts>, Error> {
    let mut members = UserMembers::read(json, false).await?;
    // The organizations are known even if the id is not.
    let is_user = members.user.organizations.is_some() || matches!(members.id, Value::Valid(_));
    if !is_user {
        return Ok(None);
    }
    let id = std::mem::take(&mut members.id).require("id", &mut json.errors);
    Ok(Some(Facts { own_user: id, ..members.finish(id) }))
}

/// Decodes a user of a white label.
pub(super) async fn whitelabel_user<S: Parts>(
    json: &mut JsonStream<S>,
    id: u64,
    options: &DecodeOptions,
) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    while let Some(WhitelabelUserResponse::User(key)) = json.member().await? {
        if json.enter_object(key).await? {
            let mut members = UserMembers::read(json, options.days).await?;
            // This list is always empty for other users: 0 is not their number of organizations.
            members.user.organizations = members.user.organizations.filter(|count| *count > 0);
            facts = Some(members.finish(Some(id)));
        }
    }
    Ok(facts)
}

/// The members of a user object.
#[derive(Default)]
struct UserMembers {
    id: Value<u64>,
    user: User,
    organizations: Vec<Organization>,
    trials: Vec<Trial>,
    whitelabels: BTreeMap<u64, Whitelabel>,
    daily_records: DailyRecords,
}

impl UserMembers {
    /// Reads the object that was entered; `days` tells whether daily records are kept one by one.
    async fn read<S: Parts>(json: &mut JsonStream<S>, days: bool) -> Result<Self, Error> {
        let mut members = Self { daily_records: DailyRecords::new(days), ..Self::default() };
        let Self { id, user, organizations, trials, whitelabels, daily_records } = &mut members;
        while let Some(member) = json.member().await? {
            match member {
                UserObject::Id(key) => *id = json.get(key).await?,
                UserObject::Tier(key) => user.tier = json.read(key).await?,
                UserObject::Suspended(key) => user.suspended = json.read(key).await?,
                UserObject::MfaConfigured(key) => user.mfa_configured = json.read(key).await?,
                UserObject::PrivateProjects(key) => user.private_projects = json.read(key).await?,
                UserObject::SubscriptionDowngrade(key) => user.subscription_downgrade = json.read(key).await?,
                UserObject::SubscriptionTermination(key) => {
                    user.subscription_termination = json.read(key).await?;
                }
                UserObject::Organizations(key) => {
                    let mut count = 0;
                    let is_list = json.each(key, |fields, errors| {
                        count += 1;
                        organizations.extend(fields.and_then(|fields| fields.convert(errors)));
                    });
                    user.organizations = is_list.await?.then_some(count);
                }
                UserObject::ActiveTrial(key) => {
                    json.object(key, |fields, errors| trials.extend(fields.convert(errors))).await?;
                }
                UserObject::Trials(key) => {
                    json.each(key, |fields, errors| {
                        trials.extend(fields.and_then(|fields| fields.convert(errors)));
                    })
                    .await?;
                }
                UserObject::DailyRecords(key) => daily_records.read(json, key).await?,
                UserObject::Whitelabels(key) => {
                    json.each(key, |fields, errors| {
                        if let Some(whitelabel) = fields.and_then(|fields| fields.convert(errors)) {
                            whitelabels.entry(whitelabel.owner).or_insert(whitelabel);
                        }
                    })
                    .await?;
                }
            }
        }
        Ok(members)
    }

    fn finish(self, id: Option<u64>) -> Facts {
        let DailyRecords { newest: daily, all: days } = self.daily_records;
        let user = |id| User { id, daily, days: days.map(Arc::new), ..self.user };
        let mut facts = Facts {
            trials: by_identity(self.trials),
            users: id.map(|id| (id, user(id))).into_iter().collect(),
            whitelabels: self.whitelabels,
            ..Facts::default()
        };
        for organization in self.organizations {
            facts.merge(&only(organization));
        }
        facts
    }
}
