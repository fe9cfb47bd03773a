//! The calls about organizations.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};

use super::{ApiRequest, ApiResult, date, forbidden, person, success, with};
use crate::demo::scenarios::{Scenario, Trial, is_public};
use crate::demo::world::{USER, WHITELABEL, WHITELABEL_NAME, World, spread};
use crate::model::Clock;

pub(super) fn routes() -> Router<(World, Clock)> {
    Router::new()
        .route("/organizations", get(organizations))
        .route("/organizations/{organization_id}", get(organization))
        .route("/organizations/{organization_id}/metrics", get(metrics))
        .route("/organizations/{organization_id}/buckets", get(buckets))
        .route("/organizations/{organization_id}/apikeys", get(api_keys))
}

async fn organizations(request: ApiRequest) -> ApiResult {
    let visible =
        request.world.scenarios().filter(|scenario| request.key_owner.is_none_or(|id| scenario.id == id));
    let organizations: Vec<_> = visible.map(|scenario| request.organization(scenario)).collect();
    Ok(success(json!({ "organizations": organizations })))
}

async fn organization(request: ApiRequest, Path(id): Path<u64>) -> ApiResult {
    let scenario = request.readable(id)?;
    Ok(success(json!({
        "organization": request.organization(scenario),
        "datasets": request.datasets(scenario),
        "defaultComputeLimits": {
            "requestsCpu": 1,
            "requestsMemory": 2_147_483_648_u64,
            "limitsCpu": 4.5,
            "limitsMemory": 8_589_934_592_u64,
        },
        "entitlementLimits": scenario.limits,
        "experiments": [
            { "type": "synthetic-data", "title": "Synthetic data", "enabled": true, "showToUser": true },
            { "type": "autolabel", "title": "Automatic labels", "enabled": id % 2 == 0, "showToUser": true },
        ],
        "cliLists": {
            "objectDetectionLastLayerOptions": [{ "label": "FOMO", "value": "fomo" }],
            "imageInputScalingOptions": [{ "label": "0..1", "value": "0..1" }],
        },
        "performance": { "jobLimitM": if scenario.developer_profile { 60 } else { 1440 } },
    })))
}

async fn metrics(request: ApiRequest, Path(id): Path<u64>) -> ApiResult {
    let scenario = request.readable(id)?;
    if scenario.developer_profile {
        return Err(forbidden("You do not have permission: this is a developer profile"));
    }
    let private_only = request.query.get("projectVisibility").is_some_and(|visibility| visibility == "private");
    let organization = request.world.of_scenario(scenario, request.now);
    let compute = organization.cpu + organization.gpu;
    Ok(success(json!({
        "metrics": {
            "totalJobsComputeTime": compute * 1.7,
            "jobsComputeTimeCurrentYear": compute,
            "jobsComputeTimeCurrentYearSince": date(organization.compute_since),
            "cpuComputeTimeCurrentContract": organization.cpu,
            "gpuComputeTimeCurrentContract": organization.gpu,
            "totalStorage": organization.storage.round(),
            "projectCount": if private_only { organization.private_projects } else { scenario.projects },
            "userCount": scenario.members,
        },
    })))
}

async fn buckets(request: ApiRequest, Path(id): Path<u64>) -> ApiResult {
    let scenario = request.readable(id)?;
    if scenario.developer_profile {
        return Err(forbidden("You do not have permission: this is a developer profile"));
    }
    let bucket = |(id, (name, connected)): (u64, &(&str, bool))| {
        json!({
            "id": id,
            "accessKey": "DEMOACCESSKEY",
            "endpoint": "https://s3.amazonaws.com",
            "bucket": name,
            "region": "eu-west-1",
            "connected": connected,
            "storageProvider": "s3",
        })
    };
    let buckets: Vec<_> = (1..).zip(scenario.buckets).map(bucket).collect();
    Ok(success(json!({ "buckets": buckets })))
}

/// The last key of the organization expires in days. Nobody has used the one before for a year.
async fn api_keys(request: ApiRequest, Path(id): Path<u64>) -> ApiResult {
    let scenario = request.readable(id)?;
    let count = 2 + id % 3;
    let key = |index: u64| {
        let chance = spread(id * 10 + index, 4);
        let (created, last_used) = if index + 2 == count {
            (-700.0, Some(request.world.day(-365.0)))
        } else {
            let last_used = request.world.last(scenario, 0.1 + 2.0 * chance, id + index, request.now);
            (-50.0 - 300.0 * chance, (last_used > request.world.day(-50.0)).then_some(last_used))
        };
        json!({
            "id": id * 10 + index,
            "name": format!("Demo Person {index}'s key"),
            "apiKey": "ei_demo***",
            "created": date(request.world.day(created)),
            "role": if index == 0 { "admin" } else { "member" },
            "isTransformationJobKey": false,
            "expires": (index + 1 == count).then(|| date(request.world.day(4.0 + (id * 53 % 300) as f64))),
            "lastUsed": last_used.map(date),
        })
    };
    // An API key gets no list of keys.
    let keys = if request.key_owner.is_some() { 0 } else { count };
    let mut keys: Vec<_> = (0..keys).map(key).collect();
    if let Some(key) = keys.first().cloned() {
        let of_job = json!({ "id": id * 10 + count, "name": "transformation", "isTransformationJobKey": true });
        keys.push(with(key, of_job));
    }
    Ok(success(json!({ "apiKeys": keys })))
}

impl ApiRequest {
    /// Returns the object of an organization in all responses but the user's.
    pub(super) fn organization(&self, scenario: &Scenario) -> Value {
        let mut json = with(
            self.organization_head(scenario),
            json!({
                "showHeaderImgMask": false,
                "users": self.members(scenario),
                "projects": self.projects(scenario),
                "contractStartDate": scenario.contract.map(|ago| date(self.world.day(-ago))),
            }),
        );
        if scenario.whitelabel {
            json["whitelabelName"] = WHITELABEL_NAME.into();
        }
        json
    }

    /// Returns the fields that every object of an organization has.
    pub(super) fn organization_head(&self, scenario: &Scenario) -> Value {
        let trial = scenario.trial;
        let ended = trial.filter(|trial| self.world.day(trial.ends) <= self.now);
        let end = |trial: Trial| date(self.world.day(trial.ends));
        json!({
            "id": scenario.id,
            "name": scenario.name,
            "isDeveloperProfile": scenario.developer_profile,
            "whitelabelId": scenario.whitelabel.then_some(WHITELABEL),
            "created": date(self.world.of_scenario(scenario, self.now).created),
            "trialId": trial.map(|trial| trial.id),
            "trialExpiredDate": ended.filter(|trial| !trial.upgraded).map(end),
            "trialUpgradedDate": ended.filter(|trial| trial.upgraded).map(end),
        })
    }

    pub(super) fn members(&self, scenario: &Scenario) -> Vec<Value> {
        let member = |index| {
            let (seed, chance) = (scenario.id * 1000 + index, spread(scenario.id, index));
            let id = if index == 0 { USER } else { seed };
            let added = self.world.day(-300.0 * spread(seed, 1) - 10.0);
            let is_pending = index > 2 && chance < 0.08;
            let role = match index {
                0..=1 => "admin",
                _ if chance > 0.85 => "guest",
                _ => "member",
            };
            let mut json = with(
                person(id, added),
                json!({
                    "pending": is_pending,
                    "activated": !is_pending,
                    "mfaConfigured": chance > 0.55,
                    "idps": if chance > 0.3 { json!(["Google"]) } else { json!([]) },
                    "added": date(added),
                    "role": role,
                    "projectCount": id % 7,
                    "datasets": [],
                }),
            );
            if !is_pending {
                let period = 0.2 + 40.0 * chance * chance;
                let at = self.world.last(scenario, period, seed, self.now);
                json["lastAccessToOrganization"] = date(at).into();
            }
            json
        };
        let mut members: Vec<_> = (0..scenario.members).map(member).collect();
        // Edge Impulse's support may have access to an organization.
        if !scenario.developer_profile {
            let staff = json!({ "isStaff": true, "hasSudoRights": true });
            let support = json!({ "role": "member", "pending": false, "activated": true, "staffInfo": staff });
            members.push(with(member(scenario.members), support));
        }
        members
    }

    fn projects(&self, scenario: &Scenario) -> Vec<Value> {
        let organization = self.world.of_scenario(scenario, self.now);
        let project = |id| {
            let chance = spread(id, 2);
            let modified = date(self.world.last(scenario, 0.5 + 60.0 * chance, id, self.now));
            let collaborator =
                |index| with(person(id * 10 + index, organization.created), json!({ "isOwner": index == 0 }));
            let mut json = json!({
                "id": id,
                "name": format!("Project {id}"),
                "description": "",
                "created": date(self.world.day(-600.0 * chance - 20.0)),
                "owner": scenario.name,
                "lastAccessed": modified,
                "lastModified": modified,
                "ownerOrganizationId": scenario.id,
                "ownerIsDeveloperProfile": scenario.developer_profile,
                "collaborators": (0..=id % 4).map(collaborator).collect::<Vec<_>>(),
                "labelingMethod": "single_label",
                "metadata": {},
                "isEnterpriseProject": true,
                "whitelabelId": scenario.whitelabel.then_some(WHITELABEL),
                "tier": "enterprise",
                "hasPublicVersion": is_public(id),
                "isPublic": false,
                "allowsLivePublicAccess": is_public(id),
                "indPauseProcessingSamples": false,
                "publicProjectListed": is_public(id),
            });
            if chance < 0.03 {
                json["scheduledFullDeletionDate"] = date(self.world.day(21.0)).into();
            }
            json
        };
        scenario.project_ids().map(project).collect()
    }

    fn datasets(&self, scenario: &Scenario) -> Vec<Value> {
        let storage = self.world.of_scenario(scenario, self.now).storage;
        let dataset = |(index, (name, kind)): (u64, &(&str, &str))| {
            let size = storage * 0.5 / f64::from(1 << index);
            let items = (size / 4e9) as u64;
            let failed = if *kind == "clinical" { items / 40 } else { 0 };
            json!({
                "dataset": name,
                "lastFileCreated": date(self.world.last(scenario, 0.3, scenario.id + index, self.now)),
                "totalFileSize": size as u64,
                "totalFileCount": (size / 2e6) as u64,
                "totalItemCount": items,
                "totalItemCountChecklistOK": items - failed,
                "totalItemCountChecklistFailed": failed,
                "tags": [],
                "category": "training",
                "bucket": {
                    "id": 1,
                    "bucket": "demo-bucket",
                    "path": "/",
                    "fullBucketPathDescription": "s3://demo-bucket/",
                    "dataItemNamingLevelsDeep": 1,
                },
                "type": kind,
            })
        };
        (0..).zip(scenario.datasets).map(dataset).collect()
    }
}
