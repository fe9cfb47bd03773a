//! The calls about a white label.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::{ApiState, ErrorResponse, success};
use crate::demo::json::{daily_record, date, integer, limits, object, person, tenant_record};
use crate::demo::portfolio::Tenant;
use crate::demo::world::{DAY, WHITELABEL, WHITELABEL_NAME, WHITELABEL_OWNER, WHITELABEL_USER};

/// Maximum and default number of elements in a page.
const PAGE: u64 = 100;

/// Number of daily records.
const RECORDS: u32 = 365;

/// The parameters of a query.
type Filters = BTreeMap<String, String>;

pub(super) fn routes() -> Router<ApiState> {
    const WHITELABEL: &str = "/organizations/{organization_id}/whitelabel";
    let at = |path: &str| format!("{WHITELABEL}{path}");
    Router::new()
        .route(WHITELABEL, get(whitelabel))
        .route(&at("/organizations"), get(organizations))
        .route(&at("/organizations/{inner_organization_id}"), get(organization))
        .route(&at("/users"), get(users))
        .route(&at("/users/{user_id}"), get(user))
}

impl ApiState {
    /// Returns an error unless the caller is permitted to read the owner of the white label.
    fn admin_only(&self, headers: &HeaderMap, owner: u64) -> Result<(), ErrorResponse> {
        match self.readable(headers, owner)?.id {
            WHITELABEL_OWNER => Ok(()),
            _ => Err(ErrorResponse(StatusCode::FORBIDDEN, "You do not have permission: no white label")),
        }
    }
}

fn filters(query: Option<String>) -> Filters {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

/// Returns an element of the list of organizations.
fn list_element(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "created": date(tenant.created),
        "readme": "",
        "experiments": [],
        "whitelabelId": WHITELABEL,
        "billable": true,
        "privateProjectCount": tenant.private_projects,
        "entitlementLimits": limits(&tenant.limits),
    })
}

/// Parses a number of the query.
fn number(filters: &Filters, name: &str) -> Result<Option<u64>, ErrorResponse> {
    let number = filters.get(name).map(|text| text.parse()).transpose();
    number.map_err(|_| ErrorResponse(StatusCode::BAD_REQUEST, "Invalid query parameter"))
}

/// Parses `offset` and `limit`.
fn page(filters: &Filters) -> Result<(usize, usize), ErrorResponse> {
    let offset = number(filters, "offset")?.unwrap_or_default();
    let limit = number(filters, "limit")?.unwrap_or(PAGE).min(PAGE);
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Ok((size(offset), size(limit)))
}

async fn whitelabel(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path(owner): Path<u64>,
) -> Result<Response, ErrorResponse> {
    state.admin_only(&headers, owner)?;
    let board =
        json!({ "id": 1, "name": "A board", "image": "board.png", "docsUrl": "https://docs.example.com" });
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
            "organizationsLimit": state.world.organizations_limit(),
        },
    })))
}

async fn organizations(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path(owner): Path<u64>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorResponse> {
    state.admin_only(&headers, owner)?;
    let filters = filters(query);
    let (offset, limit) = page(&filters)?;
    let now = state.clock.now();
    let ids = state.world.portfolio().skip(offset).take(limit);
    let elements = ids.filter_map(|id| state.world.tenant(id, now)).map(|tenant| list_element(&tenant));
    Ok(success(json!({
        "organizations": elements.collect::<Vec<_>>(),
        "total": state.world.portfolio().count(),
    })))
}

async fn organization(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path((owner, id)): Path<(u64, u64)>,
) -> Result<Response, ErrorResponse> {
    state.admin_only(&headers, owner)?;
    let now = state.clock.now();
    let tenant = state.world.tenant(id, now);
    let tenant = tenant.ok_or(ErrorResponse(StatusCode::NOT_FOUND, "No organization with this ID"))?;
    let today = (now / DAY).floor() * DAY;
    let days = (1..=RECORDS).rev().map(|ago| today - f64::from(ago) * DAY);
    let days = days.filter(|day| *day >= tenant.created);
    Ok(success(json!({
        "billable": true,
        "entitlementLimits": limits(&tenant.limits),
        "cpuComputeTime": tenant.cpu,
        "gpuComputeTime": tenant.gpu,
        "totalComputeTime": (tenant.cpu + tenant.gpu) / 60.0,
        "computeTimeCurrentContractSince": date(tenant.compute_since),
        "totalStorage": integer(tenant.storage),
        "dailyMetrics": days.map(|day| tenant_record(&tenant, day, now)).collect::<Vec<_>>(),
    })))
}

async fn users(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path(owner): Path<u64>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorResponse> {
    state.admin_only(&headers, owner)?;
    let filters = filters(query);
    let [free, community_plus, professional, enterprise] = state.world.users_by_tier();
    let all = free + community_plus + professional + enterprise;
    let of_tier = match filters.get("tier").map(String::as_str) {
        None => all,
        Some("free") => free,
        Some("community-plus") => community_plus,
        Some("professional") => professional,
        Some("enterprise") => enterprise,
        Some(_) => return Err(ErrorResponse(StatusCode::BAD_REQUEST, "Invalid tier")),
    };
    let total = match number(&filters, "active")? {
        None => of_tier,
        #[expect(clippy::cast_precision_loss, reason = "days")]
        Some(days) => state.world.active_users(days as f64, state.clock.now()).min(of_tier),
    };
    let (offset, limit) = page(&filters)?;
    let ids = (WHITELABEL_USER..WHITELABEL_USER + total).skip(offset).take(limit);
    let users: Vec<_> = ids.map(|id| Value::Object(person(id, state.world.day(-400.0)))).collect();
    Ok(success(json!({ "users": users, "total": total })))
}

async fn user(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path((owner, user_id)): Path<(u64, u64)>,
) -> Result<Response, ErrorResponse> {
    state.admin_only(&headers, owner)?;
    if user_id != WHITELABEL_USER {
        return Err(ErrorResponse(StatusCode::NOT_FOUND, "No user with this ID"));
    }
    let mut json = person(user_id, state.world.day(-400.0));
    json.extend(object(json!({
        "organizations": [],
        "projects": [],
        "experiments": [],
        "tier": "professional",
        "suspended": false,
        "trials": [],
        "dailyMetrics": state.world.daily_records(state.clock.now()).iter().map(daily_record).collect::<Vec<_>>(),
    })));
    Ok(success(json!({ "user": json })))
}
