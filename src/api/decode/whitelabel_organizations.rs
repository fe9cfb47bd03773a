//! One page of a white label's organizations.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PageInfo;
use super::limits::LimitFields;
use crate::api::Error;
use crate::api::fields::{fields, streamed};
use crate::api::schema::List;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Boolean, Date, DecodeErrors, Id, Number, Text};
use crate::model::{Facts, Organization, OrganizationInfo};

streamed!(
    /// `AdminGetOrganizationsResponse`
    OrganizationsResponse {
        Organizations: List<OrganizationFields<'static>> = "organizations",
        Total: Id = "total",
    }
);

fields!(
    /// `AdminGetOrganizationsResponse.organizations[]`
    OrganizationFields {
        id: Id = "id",
        name: Text = "name",
        // Not in the API's document. It is read so that a user's name stays hidden if the API sends it.
        developer_profile: Boolean = "isDeveloperProfile",
        whitelabel_id: Id = "whitelabelId",
        created: Date = "created",
        limits: LimitFields<'static> = "entitlementLimits",
        private_projects: Number = "privateProjectCount",
    }
);

impl OrganizationFields<'_> {
    /// Converts an organization; its id is required.
    fn convert(&self, errors: &mut DecodeErrors) -> Option<Organization> {
        let info = OrganizationInfo {
            name: self.name.read(errors),
            whitelabel_id: self.whitelabel_id.read(errors),
            ..OrganizationInfo::default()
        }
        .of_kind(self.developer_profile.get(errors));
        let private_projects = self.private_projects.read(errors);
        Some(Organization {
            info,
            created: self.created.read(errors),
            limits: self.limits.read(errors).map(|limits| limits.convert(errors)),
            private_projects,
            // Private projects are those that count against the entitlement.
            projects_used: private_projects,
            ..Organization::new(self.id.require(errors)?)
        })
    }
}

pub(super) async fn organizations<S: Parts>(
    json: &mut JsonStream<S>,
    page: &mut PageInfo,
) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    while let Some(member) = json.member().await? {
        match member {
            OrganizationsResponse::Organizations(key) => {
                let mut organizations = BTreeMap::new();
                let mut elements = 0;
                let is_list = json.each(key, |fields, errors| {
                    elements += 1;
                    if let Some(organization) = fields.and_then(|fields| fields.convert(errors)) {
                        organizations.entry(organization.id).or_insert(Arc::new(organization));
                    }
                });
                if is_list.await? {
                    page.elements = elements;
                    facts = Some(Facts { organizations, ..Facts::default() });
                }
            }
            OrganizationsResponse::Total(key) => page.total = json.read(key).await?,
        }
    }
    Ok(facts)
}
