//! The organization object, which two responses have.

use std::sync::Arc;

use super::DecodeOptions;
use super::organization_users::{OrganizationUserFields, OrganizationUsers};
use super::projects::{ProjectFields, Projects};
use crate::api::Error;
use crate::api::fields::streamed;
use crate::api::schema::List;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Boolean, Date, Id, Text, Value};
use crate::model::{Organization, OrganizationInfo};

streamed!(
    /// `Organization`
    OrganizationObject {
        Id: Id = "id",
        Name: Text = "name",
        WhitelabelId: Id = "whitelabelId",
        WhitelabelName: Text = "whitelabelName",
        IsDeveloperProfile: Boolean = "isDeveloperProfile",
        Created: Date = "created",
        ContractStart: Date = "contractStartDate",
        Deleted: Date = "deletedDate",
        TrialExpired: Date = "trialExpiredDate",
        TrialUpgraded: Date = "trialUpgradedDate",
        Users: List<OrganizationUserFields<'static>> = "users",
        Projects: List<ProjectFields<'static>> = "projects",
    }
);

/// Reads the object that was entered. Returns its id, and the organization without it.
pub(super) async fn organization_object<S: Parts>(
    json: &mut JsonStream<S>,
    options: &DecodeOptions,
) -> Result<(Value<u64>, Organization), Error> {
    let mut id = Value::Missing;
    let mut is_developer_profile = Value::Missing;
    let mut organization = Organization::default();
    while let Some(member) = json.member().await? {
        match member {
            OrganizationObject::Id(key) => id = json.get(key).await?,
            OrganizationObject::Name(key) => organization.info.name = json.read(key).await?,
            OrganizationObject::WhitelabelId(key) => organization.info.whitelabel_id = json.read(key).await?,
            OrganizationObject::WhitelabelName(key) => {
                organization.info.whitelabel_name = json.read(key).await?;
            }
            OrganizationObject::IsDeveloperProfile(key) => is_developer_profile = json.get(key).await?,
            OrganizationObject::Created(key) => organization.created = json.read(key).await?,
            OrganizationObject::ContractStart(key) => organization.contract_start = json.read(key).await?,
            OrganizationObject::Deleted(key) => organization.deleted = json.read(key).await?,
            OrganizationObject::TrialExpired(key) => organization.trial_expired = json.read(key).await?,
            OrganizationObject::TrialUpgraded(key) => organization.trial_upgraded = json.read(key).await?,
            OrganizationObject::Users(key) => {
                let mut users = OrganizationUsers::default();
                let is_list = json.each(key, |user, errors| users.add(user.as_ref(), options.now, errors));
                if is_list.await? {
                    users.finish(&mut organization);
                }
            }
            OrganizationObject::Projects(key) => {
                let mut projects = Projects::default();
                let is_list = json.each(key, |project, errors| projects.add(project.as_ref(), options, errors));
                if is_list.await? {
                    projects.finish(&mut organization, options);
                }
            }
        }
    }
    organization.info = organization.info.of_kind(is_developer_profile);
    Ok((id, organization))
}

impl Organization {
    /// Sets the id, also that of its projects.
    pub(super) fn with_id(mut self, id: u64) -> Self {
        if let Some(projects) = self.projects.as_mut().and_then(Arc::get_mut) {
            for project in projects.rows.iter_mut().chain(&mut projects.repeated) {
                project.organization_id = id;
            }
        }
        Self { id, ..self }
    }
}

impl OrganizationInfo {
    /// Adds the kind. If it is invalid, the name is dropped: it may be a user's.
    pub(super) fn of_kind(self, is_developer_profile: Value<bool>) -> Self {
        let name = self.name.filter(|_| is_developer_profile != Value::Invalid);
        Self { name, developer_profile: is_developer_profile.valid(), ..self }
    }
}
