//! The simulated API over HTTP: the calls that the exporter makes, as the vendor's document has them.

mod whitelabel;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::json::{dataset, date, limits, member, object, person, project};
use super::scenarios::Trial;
use super::world::{Organization, Project, USER, WHITELABEL, WHITELABEL_NAME, WHITELABEL_OWNER, World};
use crate::model::Clock;

/// The media type of every answer.
const MEDIA_TYPE: &str = "application/json; charset=utf-8";

#[derive(Clone, Debug)]
struct Studio {
    world: World,
    clock: Clock,
}

/// Who asks.
enum Caller {
    /// The demo's user, by JWT.
    User,
    /// An organization, by API key.
    Organization(u64),
}

/// Why a call is refused, as the API says it.
struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, error) = self;
        respond(status, &json!({ "success": false, "error": error }))
    }
}

/// Builds the routes, below `/v1`.
pub fn app(world: World, clock: Clock) -> Router {
    let api = Router::new()
        .route("/organizations", get(organizations))
        .route("/organizations/{organization_id}", get(organization))
        .route("/organizations/{organization_id}/metrics", get(metrics))
        .merge(whitelabel::routes())
        .route("/user", get(user))
        .route("/users/{user_id}/organizations", get(user_organizations))
        .route("/users/{user_id}/trials", get(user_trials));
    Router::new()
        .nest("/v1/api", api)
        .fallback(async || Refusal(StatusCode::NOT_FOUND, "Not found"))
        .with_state(Studio { world, clock })
}

impl Studio {
    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(jwt) = header("x-jwt-token") {
            return match jwt == self.world.jwt() {
                true => Ok(Caller::User),
                false => Err(Refusal(StatusCode::UNAUTHORIZED, "Invalid JWT token")),
            };
        }
        let key = header("x-api-key");
        let owner = World::ids().find(|id| key.is_some_and(|key| key == World::api_key(*id)));
        owner.map(Caller::Organization).ok_or(Refusal(StatusCode::UNAUTHORIZED, "Invalid API key"))
    }

    /// Finds an organization that the caller may see.
    fn seen(&self, headers: &HeaderMap, id: u64) -> Result<Organization, Refusal> {
        let caller = self.caller(headers)?;
        if matches!(caller, Caller::Organization(own) if own != id) {
            return Err(Refusal(
                StatusCode::FORBIDDEN,
                "You do not have permission to access this organization",
            ));
        }
        if self.world.is_tenant(id) {
            // The user administers its white label, and is no member of it.
            return Err(Refusal(StatusCode::FORBIDDEN, "You do not have permission: you are not a member"));
        }
        let organization = self.world.organization(id, self.clock.now());
        organization.ok_or(Refusal(StatusCode::NOT_FOUND, "No organization with this ID"))
    }

    /// Lets only the demo's user pass.
    fn user_only(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match self.caller(headers)? {
            Caller::User => Ok(()),
            Caller::Organization(_) => {
                Err(Refusal(StatusCode::FORBIDDEN, "You do not have permission: this needs a JWT token"))
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = Organization> {
        World::ids().filter_map(move |id| self.world.organization(id, self.clock.now()))
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

    fn trial_dates(&self, organization: &Organization) -> Map<String, Value> {
        let trial = organization.trial;
        let ended = trial.filter(|trial| self.world.day(trial.ends) <= self.clock.now());
        let end = |trial: Trial| date(self.world.day(trial.ends));
        object(json!({
            "trialId": trial.map(|trial| trial.id),
            "trialExpiredDate": ended.filter(|trial| !trial.upgraded).map(end),
            "trialUpgradedDate": ended.filter(|trial| trial.upgraded).map(end),
        }))
    }

    fn organization_object(&self, organization: &Organization) -> Map<String, Value> {
        let mut json = object(json!({
            "id": organization.id,
            "name": organization.name,
            "showHeaderImgMask": false,
            "users": organization.members.iter().map(member).collect::<Vec<_>>(),
            "isDeveloperProfile": organization.developer_profile,
            "whitelabelId": organization.whitelabel.then_some(WHITELABEL),
            "projects": organization.projects.iter().map(|item| project(organization, item)).collect::<Vec<_>>(),
            "created": date(organization.created),
            "contractStartDate": organization.contract_start.map(date),
        }));
        if organization.whitelabel {
            json.insert("whitelabelName".to_owned(), WHITELABEL_NAME.into());
        }
        json.extend(self.trial_dates(organization));
        json
    }

    fn as_seen_by_user(&self, organization: &Organization) -> Map<String, Value> {
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
}

async fn organizations(State(studio): State<Studio>, headers: HeaderMap) -> Result<Response, Refusal> {
    let caller = studio.caller(&headers)?;
    let visible = studio.all().filter(|organization| match caller {
        Caller::User => true,
        Caller::Organization(id) => organization.id == id,
    });
    let organizations: Vec<_> = visible.map(|organization| studio.organization_object(&organization)).collect();
    Ok(success(json!({ "organizations": organizations })))
}

async fn user_organizations(
    State(studio): State<Studio>,
    headers: HeaderMap,
    Path(user_id): Path<u64>,
) -> Result<Response, Refusal> {
    studio.user_only(&headers)?;
    let belongs = |organization: &Organization| user_id == USER || organization.id % 4 == 1;
    let organizations: Vec<_> =
        studio.all().filter(belongs).map(|organization| studio.organization_object(&organization)).collect();
    Ok(success(json!({ "organizations": organizations })))
}

async fn organization(
    State(studio): State<Studio>,
    headers: HeaderMap,
    Path(id): Path<u64>,
) -> Result<Response, Refusal> {
    let organization = studio.seen(&headers, id)?;
    Ok(success(json!({
        "organization": studio.organization_object(&organization),
        "datasets": organization.datasets.iter().map(dataset).collect::<Vec<_>>(),
        "defaultComputeLimits": {
            "requestsCpu": 1,
            "requestsMemory": 2_147_483_648_u64,
            "limitsCpu": 4.5,
            "limitsMemory": 8_589_934_592_u64,
        },
        "entitlementLimits": limits(&organization.limits),
        "experiments": [
            { "type": "synthetic-data", "title": "Synthetic data", "enabled": true, "showToUser": true },
            { "type": "autolabel", "title": "Automatic labels", "enabled": id % 2 == 0, "showToUser": true },
        ],
        "cliLists": {
            "objectDetectionLastLayerOptions": [{ "label": "FOMO", "value": "fomo" }],
            "imageInputScalingOptions": [{ "label": "0..1", "value": "0..1" }],
        },
        "performance": { "jobLimitM": if organization.developer_profile { 60 } else { 1440 } },
    })))
}

async fn metrics(
    State(studio): State<Studio>,
    headers: HeaderMap,
    Path(id): Path<u64>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let organization = studio.seen(&headers, id)?;
    if organization.developer_profile {
        return Err(Refusal(StatusCode::FORBIDDEN, "You do not have permission: this is a developer profile"));
    }
    let private_only = query.is_some_and(|query| query.contains("projectVisibility=private"));
    let counts = |project: &&Project| !(private_only && project.public);
    let compute = organization.cpu + organization.gpu;
    Ok(success(json!({
        "metrics": {
            "totalJobsComputeTime": compute * 1.7,
            "jobsComputeTimeCurrentYear": compute,
            "jobsComputeTimeCurrentYearSince": date(organization.compute_since),
            "cpuComputeTimeCurrentContract": organization.cpu,
            "gpuComputeTimeCurrentContract": organization.gpu,
            "totalStorage": organization.storage.round(),
            "projectCount": organization.projects.iter().filter(counts).count(),
            "userCount": organization.members.len(),
        },
    })))
}

async fn user(State(studio): State<Studio>, headers: HeaderMap) -> Result<Response, Refusal> {
    studio.user_only(&headers)?;
    let organizations: Vec<_> =
        studio.all().map(|organization| studio.as_seen_by_user(&organization)).collect();
    let trials = World::trials();
    let active = trials.filter(|(_, trial)| studio.world.day(trial.ends) > studio.clock.now()).last();
    let mut json = person(USER, studio.world.day(-800.0));
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
        json.insert("activeEnterpriseTrial".to_owned(), studio.trial(organization_id, trial));
    }
    Ok(success(Value::Object(json)))
}

async fn user_trials(
    State(studio): State<Studio>,
    headers: HeaderMap,
    Path(user_id): Path<u64>,
) -> Result<Response, Refusal> {
    studio.user_only(&headers)?;
    let own = World::trials().filter(|_| user_id == USER);
    Ok(success(json!({ "trials": own.map(|(id, trial)| studio.trial(id, trial)).collect::<Vec<_>>() })))
}

fn success(mut json: Value) -> Response {
    json["success"] = true.into();
    respond(StatusCode::OK, &json)
}

fn respond(status: StatusCode, json: &Value) -> Response {
    (status, [("content-type", MEDIA_TYPE)], json.to_string()).into_response()
}
