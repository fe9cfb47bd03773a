//! A white label: its object, the numbers of its users and projects, and the list of its organizations.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::organization::{LimitFields, info};
use super::{DecodeOptions, PageInfo, Response};
use crate::api::fields::{Each, Fold, Single, fields, streamed};
use crate::api::values::{Boolean, Date, DecodeErrors, Id, Number, Text, Value};
use crate::model::{Call, Facts, Organization, Whitelabel};

streamed!(
    /// `GetWhitelabelResponse`
    WhitelabelResponse { whitelabel: Value<WhitelabelFields<'static>> = "whitelabel" }
);

fields!(
    /// `Whitelabel`, of which most is about blocks, boards and the theme.
    WhitelabelFields {
        id: Id = "id",
        name: Text = "name",
        organizations_limit: Number = "organizationsLimit",
        password_auth: Boolean = "allowPasswordAuth",
        signup: Boolean = "allowSignup",
    }
);

streamed!(
    /// `AdminGetUsersResponse` and `AdminListProjectsResponse`. The users and projects themselves are not read.
    TotalResponse { total: Single<Id> = "total" }
);

streamed!(
    /// `AdminGetOrganizationsResponse`
    OrganizationsResponse {
        organizations: Each<Organizations> = "organizations",
        total: Single<Id> = "total",
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
        billable: Boolean = "billable",
    }
);

/// Organizations by id; the first one of an id counts.
#[derive(Debug, Default)]
struct Organizations(BTreeMap<u64, Arc<Organization>>);

impl Fold for Organizations {
    type Element<'a> = OrganizationFields<'a>;

    /// The id is required.
    fn add(&mut self, fields: &OrganizationFields<'_>, _: &DecodeOptions, errors: &mut DecodeErrors) -> u64 {
        let private_projects = fields.private_projects.read(errors);
        let organization = Organization {
            info: info(&fields.name, &fields.developer_profile, &fields.whitelabel_id, errors),
            created: fields.created.read(errors),
            billable: fields.billable.read(errors),
            limits: fields.limits.read(errors).map(|limits| limits.convert(errors)),
            private_projects,
            // Private projects are those that count against the entitlement.
            projects_used: private_projects,
            ..Organization::default()
        };
        let Some(id) = fields.id.require(errors).filter(|id| !self.0.contains_key(id)) else { return 0 };
        if !errors.share.take_organization() {
            return 1;
        }
        self.0.insert(id, Arc::new(Organization { id, ..organization }));
        0
    }
}

impl Response for WhitelabelResponse {
    /// The API's document does not require the member: an organization may have no white label.
    fn is_absent(&self) -> bool {
        matches!(self.whitelabel, Value::Missing)
    }

    fn facts(self, call: &Call, _: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        let fields = self.whitelabel.valid()?;
        let owner = call.owner?;
        let whitelabel = Whitelabel {
            id: fields.id.read(errors),
            name: fields.name.read(errors),
            organizations_limit: fields.organizations_limit.read(errors),
            password_auth: fields.password_auth.read(errors),
            signup: fields.signup.read(errors),
            ..Whitelabel::new(owner)
        };
        Some(Facts { whitelabels: BTreeMap::from([(owner, whitelabel)]), ..Facts::default() })
    }
}

impl Response for TotalResponse {
    fn facts(self, _: &Call, _: &DecodeOptions, _: &mut DecodeErrors) -> Option<Facts> {
        Some(Facts::default())
    }

    fn page(&mut self, errors: &mut DecodeErrors) -> PageInfo {
        PageInfo { total: self.total.require(errors), ..PageInfo::default() }
    }
}

impl Response for OrganizationsResponse {
    fn facts(self, _: &Call, _: &DecodeOptions, _: &mut DecodeErrors) -> Option<Facts> {
        Some(Facts { organizations: self.organizations.fold?.0, ..Facts::default() })
    }

    fn page(&mut self, errors: &mut DecodeErrors) -> PageInfo {
        PageInfo {
            total: self.total.read(errors),
            elements: self.organizations.elements,
            ..PageInfo::default()
        }
    }
}
