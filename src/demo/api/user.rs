//! The calls about users.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};

use super::{ApiRequest, ApiResult, date, person, success, with};
use crate::demo::scenarios::{Scenario, Trial};
use crate::demo::world::{DAY, USER, WHITELABEL, WHITELABEL_NAME, WHITELABEL_OWNER, World};
use crate::model::Clock;

pub(super) fn routes() -> Router<(World, Clock)> {
    Router::new()
        .route("/user", get(user))
        .route("/user/subscription/metrics", get(plan))
        .route("/users/{user_id}/organizations", get(organizations))
        .route("/users/{user_id}/trials", get(trials))
}

async fn user(request: ApiRequest) -> ApiResult {
    request.user_only()?;
    let whitelabel = request.world.has_whitelabel().then(|| {
        json!({
            "id": WHITELABEL,
            "domain": "studio.partner.example",
            "name": WHITELABEL_NAME,
            "ownerOrganizationId": WHITELABEL_OWNER,
            "isAdmin": true,
        })
    });
    let active = request.world.trials().filter(|(_, trial)| request.world.day(trial.ends) > request.now);
    let mut json = with(
        person(USER, request.world.day(-800.0)),
        json!({
            "tier": "enterprise",
            "hasPendingPayments": false,
            "organizations": request.world.scenarios().map(|it| request.user_organization(it)).collect::<Vec<_>>(),
            "projects": [],
            "experiments": [],
            "suspended": false,
            "notifications": [],
            "passwordConfigured": true,
            "projectsSortOrder": "created-asc",
            "hasEnterpriseFeaturesAccess": true,
            "lastAccessedProjects": { "projects": [], "hasMoreProjects": false },
            "eulas": [],
            "privatePersonalProjectsUsed": 2,
            "whitelabels": whitelabel.into_iter().collect::<Vec<_>>(),
        }),
    );
    if let Some((organization_id, trial)) = active.last() {
        json["activeEnterpriseTrial"] = request.trial(organization_id, trial);
    }
    Ok(success(json))
}

/// The plan is nearly used up: 30 days allow 100 hours, and 105 hours are needed. The demo starts three days before the
/// end of such a period.
async fn plan(request: ApiRequest) -> ApiResult {
    const PERIOD: f64 = 30.0 * DAY;
    const LIMIT: f64 = 6000.0;
    request.user_only()?;
    let since = (request.now - request.world.day(-27.0)).rem_euclid(PERIOD);
    let total = (LIMIT * 1.05 * since / PERIOD).floor();
    let gpu = (total / 12.0).floor();
    let mut json = json!({
        "metrics": {
            "computeMinutesCpu": 3.0f64.mul_add(-gpu, total),
            "computeMinutesGpu": gpu,
            "computeMinutesTotal": total,
            "computeMinutesLimit": LIMIT,
            "computeResetDate": date(request.now - since + PERIOD),
        },
    });
    if LIMIT - total < 60.0 {
        json["approachingComputeLimitMinutesLeft"] = (LIMIT - total).max(0.0).into();
    }
    Ok(success(json))
}

async fn organizations(request: ApiRequest, Path(user_id): Path<u64>) -> ApiResult {
    request.user_only()?;
    let belongs = |scenario: &&Scenario| user_id == USER || scenario.id % 4 == 1;
    let organizations: Vec<_> =
        request.world.scenarios().filter(belongs).map(|scenario| request.organization(scenario)).collect();
    Ok(success(json!({ "organizations": organizations })))
}

async fn trials(request: ApiRequest, Path(user_id): Path<u64>) -> ApiResult {
    request.user_only()?;
    let of_user = request.world.trials().filter(|_| user_id == USER);
    let trials: Vec<_> = of_user.map(|(id, trial)| request.trial(id, trial)).collect();
    Ok(success(json!({ "trials": trials })))
}

impl World {
    /// Returns all trials with the ids of their organizations.
    fn trials(&self) -> impl Iterator<Item = (u64, Trial)> + use<> {
        self.scenarios().filter_map(|scenario| Some((scenario.id, scenario.trial?)))
    }
}

impl ApiRequest {
    /// Returns the object of an organization in the user's response.
    fn user_organization(&self, scenario: &Scenario) -> Value {
        let members = self.members(scenario);
        let admins = members.iter().filter(|member| member["role"] == "admin").count();
        with(
            self.organization_head(scenario),
            json!({
                "isAdmin": true,
                "entitlementLimits": scenario.limits,
                "userCount": members.len(),
                "adminCount": admins,
                "privateProjectCount": scenario.private_projects(),
                "lastAccessed": date(self.now),
                "publicProjectLicense": { "name": "Apache-2.0", "link": "https://www.apache.org/licenses/LICENSE-2.0" },
            }),
        )
    }

    fn trial(&self, organization_id: u64, trial: Trial) -> Value {
        let Trial { id, ends, upgraded } = trial;
        let end = self.world.day(ends);
        json!({
            "id": id,
            "userId": USER,
            "organizationId": organization_id,
            "created": date(self.world.day(ends - 14.0)),
            "expirationDate": date(end),
            "notes": "Two weeks to try it.",
            "expiredDate": (end <= self.now && !upgraded).then(|| date(end)),
            "deletedDate": null,
            "upgradedDate": upgraded.then(|| date(end)),
        })
    }
}
