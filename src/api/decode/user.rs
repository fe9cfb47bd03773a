//! Answers about users, their organizations as they see them, and their trials.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::daily::Days;
use super::{DecodeOptions, LimitFields, date, only, unix};
use crate::api::Error;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Found, Unusable, fields};
use crate::model::{Facts, Organization, OrganizationInfo, Trial, User, Whitelabel};

fields!(
    /// `UserOrganization`
    UserOrganizationFields {
        id: "id",
        name: "name",
        developer_profile: "isDeveloperProfile",
        whitelabel_id: "whitelabelId",
        created: "created",
        trial_expired: "trialExpiredDate",
        trial_upgraded: "trialUpgradedDate",
        limits: "entitlementLimits",
        users: "userCount",
        admins: "adminCount",
        private_projects: "privateProjectCount",
    }
);

/// Converts an organization as a user sees it; without an id it is nobody's.
fn user_organization(fields: &UserOrganizationFields<'_>, unusable: &mut Unusable) -> Option<Organization> {
    let info = OrganizationInfo {
        name: fields.name.read(unusable),
        whitelabel_id: fields.whitelabel_id.read(unusable),
        whitelabel_name: None,
        developer_profile: None,
    }
    .of_kind(fields.developer_profile.find(unusable));
    Some(Organization {
        info,
        created: date(fields.created, unusable),
        trial_expired: date(fields.trial_expired, unusable),
        trial_upgraded: date(fields.trial_upgraded, unusable),
        limits: fields.limits.read::<LimitFields<'_>>(unusable).map(|limits| limits.convert(unusable)),
        users_used: fields.users.read(unusable),
        admins: fields.admins.read(unusable),
        private_projects: fields.private_projects.read(unusable),
        ..Organization::new(fields.id.require(unusable)?)
    })
}

fields!(
    /// `EnterpriseTrial`
    TrialFields {
        id: "id",
        organization_id: "organizationId",
        created: "created",
        expiration: "expirationDate",
        expired: "expiredDate",
        deleted: "deletedDate",
        upgraded: "upgradedDate",
    }
);

/// Converts a trial; without its own id and its organization's it cannot be told from others.
fn trial(fields: &TrialFields<'_>, unusable: &mut Unusable) -> Option<Trial> {
    Some(Trial {
        organization_id: fields.organization_id.require(unusable)?,
        id: fields.id.require(unusable)?,
        scheduled_expiration: date(fields.expiration, unusable),
        created: date(fields.created, unusable),
        expired: date(fields.expired, unusable),
        upgraded: date(fields.upgraded, unusable),
        deleted: date(fields.deleted, unusable),
    })
}

pub(super) async fn trials<S: Parts>(json: &mut JsonStream<S>) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    json.begin().await?;
    while let Some(name) = json.member().await? {
        match name {
            "trials" => {
                let mut found = Vec::new();
                let is_list = json.each::<TrialFields<'_>>("trials", |fields, unusable| {
                    found.extend(fields.and_then(|fields| trial(&fields, unusable)));
                });
                if is_list.await? {
                    facts = Some(Facts { trials: by_identity(found), ..Facts::default() });
                }
            }
            _ => json.envelope().await?,
        }
    }
    Ok(facts)
}

pub(super) async fn user<S: Parts>(json: &mut JsonStream<S>) -> Result<Option<Facts>, Error> {
    let mut members = UserMembers::default();
    json.begin().await?;
    while json.member().await?.is_some() {
        if !members.read(json).await? {
            json.envelope().await?;
        }
    }
    // Without its id nothing is known of the user, but of the organizations all the same.
    let is_user = members.user.organizations.is_some() || matches!(members.id, Found::Value(_));
    if !is_user {
        return Ok(None);
    }
    let id = std::mem::take(&mut members.id).require("id", &mut json.unusable);
    Ok(Some(Facts { own_user: id, ..members.finish(id) }))
}

pub(super) async fn whitelabel_user<S: Parts>(
    json: &mut JsonStream<S>,
    id: u64,
    terms: DecodeOptions,
) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    json.begin().await?;
    while let Some(name) = json.member().await? {
        match name {
            "user" => {
                if json.enter_object("user").await? {
                    let mut members = UserMembers { days: Days::new(terms.days), ..UserMembers::default() };
                    while json.member().await?.is_some() {
                        if !members.read(json).await? {
                            json.skip().await?;
                        }
                    }
                    // Another user's organizations are always empty here: that is no count of them.
                    members.user.organizations = members.user.organizations.filter(|count| *count > 0);
                    facts = Some(members.finish(Some(id)));
                }
            }
            _ => json.envelope().await?,
        }
    }
    Ok(facts)
}

fields!(
    /// `GetUserResponse.whitelabels[]`
    WhitelabelFields { owner: "ownerOrganizationId", is_admin: "isAdmin", id: "id", name: "name" }
);

/// Converts a white label that the user administers; without its owner it cannot be asked.
fn administered(fields: &WhitelabelFields<'_>, unusable: &mut Unusable) -> Option<Whitelabel> {
    if fields.is_admin.read(unusable) != Some(true) {
        return None;
    }
    Some(Whitelabel {
        id: fields.id.read(unusable),
        name: fields.name.read(unusable),
        ..Whitelabel::new(fields.owner.require(unusable)?)
    })
}

/// The members of a user object, which two endpoints send.
#[derive(Default)]
struct UserMembers {
    id: Found<u64>,
    user: User,
    organizations: Vec<Organization>,
    trials: Vec<Trial>,
    whitelabels: BTreeMap<u64, Whitelabel>,
    days: Days,
}

impl UserMembers {
    /// Reads the member that `json` stands at; returns false, and reads nothing, if it is none of a user's.
    async fn read<S: Parts>(&mut self, json: &mut JsonStream<S>) -> Result<bool, Error> {
        let Self { id, user, organizations, trials, whitelabels, days } = self;
        match json.name() {
            "id" => *id = json.find("id").await?,
            "tier" => user.tier = json.read("tier").await?,
            "suspended" => user.suspended = json.read("suspended").await?,
            "mfaConfigured" => user.mfa_configured = json.read("mfaConfigured").await?,
            "privatePersonalProjectsUsed" => {
                user.private_projects = json.read("privatePersonalProjectsUsed").await?;
            }
            "subscriptionDowngradeDate" => {
                user.subscription_downgrade = json.read("subscriptionDowngradeDate").await?.map(unix);
            }
            "subscriptionTerminationDate" => {
                user.subscription_termination = json.read("subscriptionTerminationDate").await?.map(unix);
            }
            "organizations" => {
                let mut count = 0;
                let is_list = json.each::<UserOrganizationFields<'_>>("organizations", |fields, unusable| {
                    count += 1;
                    organizations.extend(fields.and_then(|fields| user_organization(&fields, unusable)));
                });
                user.organizations = is_list.await?.then_some(count);
            }
            "activeEnterpriseTrial" => {
                json.object::<TrialFields<'_>>("activeEnterpriseTrial", |fields, unusable| {
                    trials.extend(trial(&fields, unusable));
                })
                .await?;
            }
            "trials" => {
                json.each::<TrialFields<'_>>("trials", |fields, unusable| {
                    trials.extend(fields.and_then(|fields| trial(&fields, unusable)));
                })
                .await?;
            }
            "dailyMetrics" => days.read(json).await?,
            "whitelabels" => {
                json.each::<WhitelabelFields<'_>>("whitelabels", |fields, unusable| {
                    let whitelabel = fields.and_then(|fields| administered(&fields, unusable));
                    if let Some(whitelabel) = whitelabel {
                        whitelabels.entry(whitelabel.owner).or_insert(whitelabel);
                    }
                })
                .await?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self, id: Option<u64>) -> Facts {
        let Days { newest: daily, all: days } = self.days;
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

/// Of trials that share their ids the first one counts, completed by the others.
fn by_identity(trials: Vec<Trial>) -> BTreeMap<(u64, u64), Trial> {
    let mut unique = BTreeMap::new();
    for trial in trials {
        unique
            .entry((trial.organization_id, trial.id))
            .and_modify(|known: &mut Trial| *known = known.or(trial))
            .or_insert(trial);
    }
    unique
}
