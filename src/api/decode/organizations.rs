//! The list of organizations that a credential or a user has.

use std::sync::Arc;

use super::organization_object::{OrganizationObject, organization_object};
use super::{DecodeOptions, only};
use crate::api::Error;
use crate::api::fields::streamed;
use crate::api::schema::{Key, List};
use crate::api::stream::{JsonStream, Parts};
use crate::model::{Facts, Organization, User};

streamed!(
    /// `ListOrganizationsResponse`
    OrganizationsResponse { Organizations: List<OrganizationObject> = "organizations" }
);

/// Decodes the organizations of a user, and their number.
pub(super) async fn user_organizations<S: Parts>(
    json: &mut JsonStream<S>,
    user_id: Option<u64>,
    options: &DecodeOptions,
) -> Result<Option<Facts>, Error> {
    let Some(mut facts) = organizations(json, options).await? else { return Ok(None) };
    let count = facts.organizations.len() as u64;
    let user = |id| (id, User { organizations: Some(count), ..User::new(id) });
    facts.users = user_id.map(user).into_iter().collect();
    Ok(Some(facts))
}

/// Decodes ids and names only: this list is requested less often than the rest, so its other facts would be old.
pub(super) async fn names<S: Parts>(
    json: &mut JsonStream<S>,
    options: &DecodeOptions,
) -> Result<Option<Facts>, Error> {
    let Some(facts) = organizations(json, options).await? else { return Ok(None) };
    let organizations = facts.organizations.values().map(|organization| {
        let names = Organization { info: organization.info.clone(), ..Organization::new(organization.id) };
        (organization.id, Arc::new(names))
    });
    Ok(Some(Facts { organizations: organizations.collect(), ..Facts::default() }))
}

async fn organizations<S: Parts>(
    json: &mut JsonStream<S>,
    options: &DecodeOptions,
) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    while let Some(OrganizationsResponse::Organizations(key)) = json.member().await? {
        if json.enter_list(key).await? {
            let facts = facts.get_or_insert_with(Facts::default);
            let element = Key::<OrganizationObject>::new(key.name);
            while json.element().await? {
                if json.enter_object(element).await? {
                    let (id, organization) = organization_object(json, options).await?;
                    if let Some(id) = id.require("id", &mut json.errors) {
                        facts.merge(&only(organization.with_id(id)));
                    }
                }
            }
        }
    }
    Ok(facts)
}
