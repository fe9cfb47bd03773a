//! The calls about users.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::{ApiState, ErrorResponse, success};
use crate::demo::entities::Organization;
use crate::demo::json::{date, limits, object, person};
use crate::demo::scenarios::Trial;
use crate::demo::world::{USER, WHITELABEL, WHITELABEL_NAME, WHITELABEL_OWNER, World};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/user", get(user))
        .route("/users/{user_id}/organizations", get(organizations))
        .route("/users/{user_id}/trials", get(trials))
}

impl ApiState {
    /// Returns the object of an organization in the user's response.
    fn user_organization(&self, organization: &Organization) -> Map<String, Value> {
        let admins = organization.members.iter().filter(|member| member.role == "admin").count();
        let mut json = object(json!({
            "id": organization.id,
            "name": organization.name,
            "isDeveloperProfile": organization.developer_profile,
            "whitelabelId": organization.whitelabel.then_some(WHITELABEL),
            "isAdmin": true,
            "created": date(organization.created),
            "entitlementLimits": limits(&organization.limits),
            "userCount": organization.members.len(),
            "adminCount": admins,
            "privateProjectCount": organization.projects.iter().filter(|project| !project.public).count(),
            "lastAccessed": date(self.clock.now()),
        }));
        json.extend(self.trial_dates(organization));
        json
    }

    fn trial(&self, organization_id: u64, trial: Trial) -> Value {
        let Trial { id, ends, upgraded } = trial;
        let end = self.world.day(ends);
        let has_ended = end <= self.clock.now();
        json!({
            "id": id,
            "userId": USER,
            "organizationId": organization_id,
            "created": date(self.world.day(ends - 14.0)),
            "expirationDate": date(end),
            "notes": "Two weeks to try it.",
            "expiredDate": (has_ended && !upgraded).then(|| date(end)),
            "deletedDate": null,
            "upgradedDate": upgraded.then(|| date(end)),
        })
    }
}

async fn user(State(state): State<ApiState>, headers: HeaderMap) -> Result<Response, ErrorResponse> {
    state.user_only(&headers)?;
    let organizations: Vec<_> =
        state.all().map(|organization| state.user_organization(&organization)).collect();
    let trials = World::trials();
    let active = trials.filter(|(_, trial)| state.world.day(trial.ends) > state.clock.now()).last();
    let mut json = person(USER, state.world.day(-800.0));
    json.extend(object(json!({
        "tier": "enterprise",
        "organizations": organizations,
        "projects": [],
        "experiments": [],
        "suspended": false,
        "notifications": [],
        "passwordConfigured": true,
        "projectsSortOrder": "created-asc",
        "hasEnterpriseFeaturesAccess": true,
        "lastAccessedProjects": { "projects": [], "hasMoreProjects": false },
        "privatePersonalProjectsUsed": 2,
        "whitelabels": [{
            "id": WHITELABEL,
            "domain": "studio.partner.example",
            "name": WHITELABEL_NAME,
            "ownerOrganizationId": WHITELABEL_OWNER,
            "isAdmin": true,
        }],
    })));
    if let Some((organization_id, trial)) = active {
        json.insert("activeEnterpriseTrial".to_owned(), state.trial(organization_id, trial));
    }
    Ok(success(Value::Object(json)))
}

async fn organizations(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path(user_id): Path<u64>,
) -> Result<Response, ErrorResponse> {
    state.user_only(&headers)?;
    let belongs = |organization: &Organization| user_id == USER || organization.id % 4 == 1;
    let organizations: Vec<_> =
        state.all().filter(belongs).map(|organization| state.organization_object(&organization)).collect();
    Ok(success(json!({ "organizations": organizations })))
}

async fn trials(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path(user_id): Path<u64>,
) -> Result<Response, ErrorResponse> {
    state.user_only(&headers)?;
    let own = World::trials().filter(|_| user_id == USER);
    Ok(success(json!({ "trials": own.map(|(id, trial)| state.trial(id, trial)).collect::<Vec<_>>() })))
}
