//! The list of organizations that a credential or a user has, and the organization object.

use std::sync::Arc;

use super::organization::{info, trial};
use super::organization_users::OrganizationUsers;
use super::projects::Projects;
use super::{DecodeOptions, Response, only};
use crate::api::Error;
use crate::api::fields::{Each, Object, Schema, Single, Slot, streamed};
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Boolean, Date, DecodeErrors, Id, Number, Text};
use crate::model::{Call, Collector, Facts, Organization, OrganizationInfo, User};

streamed!(
    /// `ListOrganizationsResponse`
    OrganizationsResponse { organizations: Organizations = "organizations" }
);

streamed!(
    /// `Organization`
    OrganizationObject {
        id: Single<Id> = "id",
        name: Single<Text> = "name",
        whitelabel_id: Single<Id> = "whitelabelId",
        whitelabel_name: Single<Text> = "whitelabelName",
        developer_profile: Single<Boolean> = "isDeveloperProfile",
        created: Single<Date> = "created",
        contract_start: Single<Date> = "contractStartDate",
        deleted: Single<Date> = "deletedDate",
        trial_id: Single<Number> = "trialId",
        trial_expired: Single<Date> = "trialExpiredDate",
        trial_upgraded: Single<Date> = "trialUpgradedDate",
        users: Each<OrganizationUsers> = "users",
        projects: Each<Projects> = "projects",
    }
);

impl OrganizationObject {
    /// Converts the object. The id of the call counts where there is one; an invalid one of the response is counted.
    pub(super) fn convert(self, id: u64, options: &DecodeOptions, errors: &mut DecodeErrors) -> Organization {
        let _ = self.id.read(errors);
        let (trial, trial_expired, trial_upgraded) =
            trial(&self.trial_id, &self.trial_expired, &self.trial_upgraded, errors);
        let mut organization = Organization {
            info: OrganizationInfo {
                whitelabel_name: self.whitelabel_name.read(errors),
                ..info(&self.name, &self.developer_profile, &self.whitelabel_id, errors)
            },
            created: self.created.read(errors),
            contract_start: self.contract_start.read(errors),
            deleted: self.deleted.read(errors),
            trial,
            trial_expired,
            trial_upgraded,
            ..Organization::new(id)
        };
        self.users.finish(&mut organization);
        self.projects.finish(&mut organization, options, errors);
        organization
    }
}

/// A list of organization objects, each converted when it has arrived; `None` without a list.
#[derive(Debug)]
struct Organizations(Option<Facts>);

impl Slot for Organizations {
    const SCHEMA: Schema = Schema::List(OrganizationObject::MEMBERS);

    fn new(_: &'static str) -> Self {
        Self(None)
    }

    async fn read<S: Parts>(&mut self, name: &'static str, json: &mut JsonStream<S>) -> Result<(), Error> {
        self.0 = None;
        if json.enter(b'[', name).await?.valid().is_some() {
            let facts = self.0.insert(Facts::default());
            while json.advance(b']').await? {
                let mut object = None::<OrganizationObject>;
                object.read(name, json).await?;
                if let Some(object) = object
                    && let Some(id) = object.id.require(&mut json.errors)
                {
                    if facts.organizations.contains_key(&id) || json.errors.share.take_organization() {
                        facts.merge(&only(object.convert(id, &json.options, &mut json.errors)));
                    } else {
                        json.errors.left_out(name, 1);
                    }
                }
            }
        }
        Ok(())
    }
}

impl Response for OrganizationsResponse {
    fn facts(self, call: &Call, _: &DecodeOptions, _: &mut DecodeErrors) -> Option<Facts> {
        let mut facts = self.organizations.0?;
        if call.collector == Collector::UserOrganizations {
            let organizations = Some(facts.organizations.len() as u64);
            facts.users.extend(call.user_id.map(|id| (id, User { organizations, ..User::new(id) })));
        } else {
            // This list is requested less often than the rest, so facts other than ids and names would be old.
            for (id, organization) in &mut facts.organizations {
                let info = organization.info.clone();
                *organization = Arc::new(Organization { info, ..Organization::new(*id) });
            }
        }
        Some(facts)
    }
}
