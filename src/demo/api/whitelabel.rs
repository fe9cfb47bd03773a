//! The calls about a white label.

use std::f64::consts::TAU;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};

use super::{ApiRequest, ApiResult, ErrorResponse, date, forbidden, person, success, with};
use crate::demo::world::{DAY, WHITELABEL, WHITELABEL_NAME, WHITELABEL_OWNER, WHITELABEL_USER, World};
use crate::model::{Clock, UnixTime};

/// Maximum and default number of elements in a page.
const PAGE: usize = 100;

/// Number of daily records.
const RECORDS: u32 = 365;

pub(super) fn routes() -> Router<(World, Clock)> {
    const WHITELABEL: &str = "/organizations/{organization_id}/whitelabel";
    let at = |path: &str| format!("{WHITELABEL}{path}");
    Router::new()
        .route(WHITELABEL, get(whitelabel))
        .route(&at("/organizations"), get(organizations))
        .route(&at("/organizations/{inner_organization_id}"), get(organization))
        .route(&at("/projects"), get(projects))
        .route(&at("/users"), get(users))
        .route(&at("/users/{user_id}"), get(user))
}

async fn whitelabel(request: ApiRequest, Path(owner): Path<u64>) -> ApiResult {
    request.admin_only(owner)?;
    let board =
        json!({ "id": 1, "name": "A board", "image": "board.png", "docsUrl": "https://docs.example.com" });
    let organizations = request.world.tenants + 1;
    Ok(success(json!({
        "whitelabel": {
            "id": WHITELABEL,
            "name": WHITELABEL_NAME,
            "domain": "studio.partner.example",
            "ownerOrganizationId": WHITELABEL_OWNER,
            "themeId": 1,
            "identityProviders": ["Google"],
            "allowPasswordAuth": true,
            "deploymentTargets": ["zip"],
            "allDeploymentTargets": ["zip", "wasm"],
            "allowSignup": true,
            "allowFreeProjects": true,
            "supportedProjectTypes": ["audio", "image"],
            "allowNewProjectUi": true,
            "learningBlocks": ["keras"],
            "allLearningBlocks": [{ "title": "Classification", "type": "keras" }],
            "developmentBoards": [board],
            "allDevelopmentBoards": [board],
            // 20 % more than there are, rounded up to tens.
            "organizationsLimit": (organizations * 6 / 5).div_ceil(10) * 10,
        },
    })))
}

async fn organizations(request: ApiRequest, Path(owner): Path<u64>) -> ApiResult {
    request.admin_only(owner)?;
    let (offset, limit) = request.page()?;
    let ids = request.world.portfolio().skip(offset).take(limit);
    let organizations = ids.filter_map(|id| request.world.organization(id, request.now)).map(|organization| {
        json!({
            "id": organization.id,
            "name": organization.name,
            "created": date(organization.created),
            "readme": "",
            "experiments": [],
            "whitelabelId": WHITELABEL,
            "billable": true,
            "privateProjectCount": organization.private_projects,
            "entitlementLimits": organization.limits,
        })
    });
    Ok(success(json!({
        "organizations": organizations.collect::<Vec<_>>(),
        "total": request.active(request.world.portfolio().count() as u64)?,
    })))
}

async fn organization(request: ApiRequest, Path((owner, id)): Path<(u64, u64)>) -> ApiResult {
    request.admin_only(owner)?;
    let is_listed = id == WHITELABEL_OWNER || request.world.is_tenant(id);
    let organization = request.world.organization(id, request.now).filter(|_| is_listed);
    let organization =
        organization.ok_or(ErrorResponse(StatusCode::NOT_FOUND, "No organization with this ID"))?;
    let length = (request.now - organization.compute_since).max(DAY);
    let record = |day: UnixTime| {
        let share = ((day + DAY - organization.compute_since) / length).clamp(0.0, 1.0);
        let totals = json!({
            "totalUsers": organization.users,
            "totalStaffUsers": organization.staff,
            "totalProjects": organization.private_projects,
            "computeTimeCalculatedSince": date(organization.compute_since),
            "totalStorageSizeBytes": (organization.storage * (0.6 + 0.4 * share)) as u64,
        });
        daily_record(day, organization.cpu * share, organization.gpu * share, totals)
    };
    let days = request.days().filter(|day| *day >= organization.created);
    Ok(success(json!({
        "billable": true,
        "entitlementLimits": organization.limits,
        "cpuComputeTime": organization.cpu,
        "gpuComputeTime": organization.gpu,
        "totalComputeTime": (organization.cpu + organization.gpu) / 60.0,
        "computeTimeCurrentContractSince": date(organization.compute_since),
        "totalStorage": organization.storage as u64,
        "dailyMetrics": days.map(record).collect::<Vec<_>>(),
    })))
}

async fn projects(request: ApiRequest, Path(owner): Path<u64>) -> ApiResult {
    request.admin_only(owner)?;
    let count = |id| request.world.organization(id, request.now).map_or(0, |it| it.private_projects);
    let total = request.active(request.world.portfolio().map(count).sum())?;
    let (offset, limit) = request.page()?;
    let project = |number: u64| {
        json!({
            "id": number,
            "name": format!("Project {number}"),
            "owner": WHITELABEL_NAME,
            "ownerOrganizationId": WHITELABEL_OWNER,
            "created": date(request.world.day(-300.0)),
            "whitelabelId": WHITELABEL,
            "tier": "enterprise",
        })
    };
    let projects: Vec<_> = (1..=total).skip(offset).take(limit).map(project).collect();
    Ok(success(json!({ "projects": projects, "total": total })))
}

async fn users(request: ApiRequest, Path(owner): Path<u64>) -> ApiResult {
    request.admin_only(owner)?;
    let organizations = request.world.tenants + 1;
    let by_tier = [
        ("free", 40 + organizations),
        ("community-plus", 12 + organizations / 3),
        ("professional", 5 + organizations / 5),
        ("enterprise", 20 + 9 * organizations),
    ];
    let all: u64 = by_tier.iter().map(|(_, users)| users).sum();
    let mut total = all;
    if let Some(tier) = request.query.get("tier") {
        let found = by_tier.iter().find(|(name, _)| name == tier);
        total = found.ok_or(ErrorResponse(StatusCode::BAD_REQUEST, "Invalid tier"))?.1;
    }
    total = total.min(request.active(all)?);
    let (offset, limit) = request.page()?;
    let ids = (WHITELABEL_USER..WHITELABEL_USER + total).skip(offset).take(limit);
    let users: Vec<_> = ids.map(|id| person(id, request.world.day(-400.0))).collect();
    Ok(success(json!({ "users": users, "total": total })))
}

async fn user(request: ApiRequest, Path((owner, user_id)): Path<(u64, u64)>) -> ApiResult {
    request.admin_only(owner)?;
    if user_id != WHITELABEL_USER {
        return Err(ErrorResponse(StatusCode::NOT_FOUND, "No user with this ID"));
    }
    let joined = request.world.day(-400.0);
    let record = |(ago, day): (u32, UnixTime)| {
        let days = (day - joined) / DAY;
        let totals = json!({
            "totalUsers": 0,
            "totalStaffUsers": 0,
            "totalProjects": 4 + (RECORDS - ago) / 90,
            "computeTimeCalculatedSince": date(day),
            "totalStorageSizeBytes": (2e9 + 5e7 * days).round() as i64,
        });
        daily_record(day, (600.0 * days).round(), (150.0 * days).round(), totals)
    };
    let json = with(
        person(user_id, joined),
        json!({
            "organizations": [],
            "projects": [],
            "experiments": [],
            "tier": "professional",
            "suspended": false,
            "trials": [],
            "dailyMetrics": (1..=RECORDS).rev().zip(request.days()).map(record).collect::<Vec<_>>(),
        }),
    );
    Ok(success(json!({ "user": json })))
}

impl ApiRequest {
    /// Returns an error unless the caller is permitted to read the owner of the white label.
    fn admin_only(&self, owner: u64) -> Result<(), ErrorResponse> {
        match self.readable(owner)?.id {
            WHITELABEL_OWNER => Ok(()),
            _ => Err(forbidden("You do not have permission: no white label")),
        }
    }

    /// Parses a number of the query.
    fn number(&self, name: &str) -> Result<Option<usize>, ErrorResponse> {
        let number = self.query.get(name).map(|text| text.parse()).transpose();
        number.map_err(|_| ErrorResponse(StatusCode::BAD_REQUEST, "Invalid query parameter"))
    }

    /// Returns how many of `all` are within the filter `active`, which all are without it.
    fn active(&self, all: u64) -> Result<u64, ErrorResponse> {
        let Some(days) = self.number("active")? else { return Ok(all) };
        let days = days as f64;
        // Follows the days of the week; the average of a week does not change.
        let week = (TAU * self.now / (7.0 * DAY)).sin() * 0.08 / days.max(1.0);
        Ok((all as f64 * ((0.18 * days.powf(0.35)).min(0.9) + week)).round() as u64)
    }

    /// Parses `offset` and `limit`.
    pub(super) fn page(&self) -> Result<(usize, usize), ErrorResponse> {
        let limit = self.number("limit")?.unwrap_or(PAGE).min(PAGE);
        Ok((self.number("offset")?.unwrap_or_default(), limit))
    }

    /// Returns the days with a daily record, up to the day before the request, oldest first.
    fn days(&self) -> impl Iterator<Item = UnixTime> + use<> {
        let today = (self.now / DAY).floor() * DAY;
        (1..=RECORDS).rev().map(move |ago| today - f64::from(ago) * DAY)
    }
}

/// Returns the record of the day that starts at `day`: `totals`, and compute time in seconds.
fn daily_record(day: UnixTime, cpu: f64, gpu: f64, totals: Value) -> Value {
    with(
        totals,
        json!({
            "date": date(day),
            "totalCurrentContractCpuComputeTimeSeconds": cpu as i64,
            "totalCurrentContractGpuComputeTimeSeconds": gpu as i64,
            "totalCurrentContractComputeTimeSeconds": 3.0f64.mul_add(gpu, cpu) as i64,
            "usersAdded": 0,
            "usersDeleted": 0,
            "projectsAdded": 0,
            "projectsDeleted": 0,
            "cpuComputeTimeSeconds": 600,
            "gpuComputeTimeSeconds": 150,
            "computeTimeSeconds": 1050,
            "storageBytesAdded": 50_000_000,
            "storageBytesDeleted": 0,
        }),
    )
}
