//! The calls about organizations.

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::{ApiState, Caller, ErrorResponse, success};
use crate::demo::entities::{Organization, Project};
use crate::demo::json::{dataset, date, limits, member, object, project};
use crate::demo::scenarios::Trial;
use crate::demo::world::{WHITELABEL, WHITELABEL_NAME};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/organizations", get(organizations))
        .route("/organizations/{organization_id}", get(organization))
        .route("/organizations/{organization_id}/metrics", get(metrics))
}

impl ApiState {
    /// Returns the object of an organization in all responses but the user's.
    pub(super) fn organization_object(&self, organization: &Organization) -> Map<String, Value> {
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

    pub(super) fn trial_dates(&self, organization: &Organization) -> Map<String, Value> {
        let trial = organization.trial;
        let ended = trial.filter(|trial| self.world.day(trial.ends) <= self.clock.now());
        let end = |trial: Trial| date(self.world.day(trial.ends));
        object(json!({
            "trialId": trial.map(|trial| trial.id),
            "trialExpiredDate": ended.filter(|trial| !trial.upgraded).map(end),
            "trialUpgradedDate": ended.filter(|trial| trial.upgraded).map(end),
        }))
    }
}

async fn organizations(State(state): State<ApiState>, headers: HeaderMap) -> Result<Response, ErrorResponse> {
    let caller = state.caller(&headers)?;
    let visible = state.all().filter(|organization| match caller {
        Caller::User => true,
        Caller::Organization(id) => organization.id == id,
    });
    let organizations: Vec<_> = visible.map(|organization| state.organization_object(&organization)).collect();
    Ok(success(json!({ "organizations": organizations })))
}

async fn organization(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path(id): Path<u64>,
) -> Result<Response, ErrorResponse> {
    let organization = state.readable(&headers, id)?;
    Ok(success(json!({
        "organization": state.organization_object(&organization),
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
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path(id): Path<u64>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorResponse> {
    let organization = state.readable(&headers, id)?;
    if organization.developer_profile {
        return Err(ErrorResponse(
            StatusCode::FORBIDDEN,
            "You do not have permission: this is a developer profile",
        ));
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
