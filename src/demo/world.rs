//! The state of the simulated API: organizations as pure functions of time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::scenarios::{Limits, SCENARIOS, Scenario};
use crate::model::UnixTime;

/// Seconds in a day.
pub const DAY: f64 = 86_400.0;
/// Id of the user that the demo's JWT belongs to.
pub const USER: u64 = 501;
/// Id of another user, for `--user-id`.
pub const OTHER_USER: u64 = 502;
/// Id of a user of the white label.
pub const WHITELABEL_USER: u64 = 601;
/// Id of the white label.
pub const WHITELABEL: u64 = 7;
/// Id of the organization that owns the white label.
pub const WHITELABEL_OWNER: u64 = 1007;
/// Name of the white label.
pub const WHITELABEL_NAME: &str = "Partner Cloud";

/// Default number of organizations: one per scenario, and three that are visible only through their white label.
pub const ORGANIZATIONS: u64 = SCENARIOS.len() as u64 + 3;

/// An organization at a given time.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Id.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Entitlement limits.
    pub limits: Limits,
    /// Time of creation.
    pub created: UnixTime,
    /// Start of the period of `cpu` and `gpu`.
    pub compute_since: UnixTime,
    /// CPU compute time since `compute_since`, in seconds.
    pub cpu: f64,
    /// GPU compute time since `compute_since`, in seconds.
    pub gpu: f64,
    /// Storage in use, in bytes.
    pub storage: f64,
    /// Number of private projects.
    pub private_projects: u64,
    /// Number of users, Edge Impulse staff included.
    pub users: u64,
    /// Number of users who are Edge Impulse staff.
    pub staff: u64,
}

/// The organizations, with times relative to the day on which the demo starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct World {
    start: UnixTime,
    /// Number of organizations with a scenario, of which the user is a member.
    scenarios: usize,
    /// Number of organizations that are visible only through their white label.
    pub(super) tenants: u64,
}

impl World {
    /// Returns the state of a demo that starts on the day of `now`.
    #[must_use]
    pub fn starting(now: UnixTime) -> Self {
        let world = Self { start: (now / DAY).floor() * DAY, scenarios: 0, tenants: 0 };
        world.with_organizations(ORGANIZATIONS)
    }

    /// Sets the total number of organizations. Those without a scenario are visible only through their white label.
    #[must_use]
    pub fn with_organizations(self, count: u64) -> Self {
        let scenarios = SCENARIOS.len().min(count as usize);
        Self { scenarios, tenants: count - scenarios as u64, ..self }
    }

    /// Returns the time `days` after the start of the demo.
    #[must_use]
    pub fn day(&self, days: f64) -> UnixTime {
        self.start + days * DAY
    }

    /// Returns the JWT of the demo's user, which only the demo accepts.
    #[must_use]
    pub fn jwt(&self) -> String {
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let header = part(serde_json::json!({ "alg": "none", "typ": "JWT" }));
        let claims = part(serde_json::json!({ "sub": USER.to_string(), "exp": self.day(90.0) as i64 }));
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode("demo"))
    }

    /// Returns the API key of an organization.
    #[must_use]
    pub fn api_key(organization_id: u64) -> String {
        format!("ei_demo_{organization_id}")
    }

    /// Returns the ids of the organizations with the user as a member.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        self.scenarios().map(|scenario| scenario.id)
    }

    /// Returns the scenarios of the organizations with the user as a member.
    pub(super) fn scenarios(&self) -> impl Iterator<Item = &'static Scenario> + use<> {
        SCENARIOS.iter().take(self.scenarios)
    }

    /// Returns true if the organization that owns the white label exists.
    #[must_use]
    pub fn has_whitelabel(&self) -> bool {
        self.ids().any(|id| id == WHITELABEL_OWNER)
    }

    /// Returns the organization at the time `now`.
    #[must_use]
    pub fn organization(&self, id: u64, now: UnixTime) -> Option<Organization> {
        if self.is_tenant(id) {
            return Some(self.tenant(id, now));
        }
        let scenario = self.scenarios().find(|scenario| scenario.id == id);
        scenario.map(|scenario| self.of_scenario(scenario, now))
    }

    /// Returns the organization of a scenario at the time `now`.
    pub(super) fn of_scenario(&self, scenario: &Scenario, now: UnixTime) -> Organization {
        let Scenario { id, name, limits, contract, storage: (storage, growth), compute: (cpu, gpu), .. } =
            *scenario;
        let created = scenario.trial.map_or(-700.0 - spread(id, 0) * 300.0, |trial| trial.ends - 14.0);
        let created = self.day(created);
        let compute_since = contract.map_or(created, |ago| self.day(-ago));
        let of_contract = (now - compute_since).max(0.0) / DAY;
        // Activity follows the week, jobs more than uploads. Totals never fall, and the sum of a week does not change.
        let per_radian = 7.0 / std::f64::consts::TAU;
        let week = |days: f64, depth: f64| days - depth * per_radian * (days / per_radian).sin();
        Organization {
            id,
            name: name.to_owned(),
            limits,
            created,
            compute_since,
            cpu: cpu * week(of_contract, 0.5),
            gpu: gpu * week(of_contract, 0.5),
            storage: (storage + growth * week((now - self.start) / DAY, 0.1)).max(0.0),
            private_projects: scenario.private_projects(),
            users: scenario.members + 1,
            staff: 1,
        }
    }

    /// Returns the time of the last of events that occur every `period` days in the organization of a scenario.
    pub(super) fn last(&self, scenario: &Scenario, period: f64, seed: u64, now: UnixTime) -> UnixTime {
        let now = scenario.inactive.map_or(now, |days| self.day(-days));
        let period = period * DAY;
        let offset = spread(seed, 3) * period;
        ((now - offset) / period).floor() * period + offset
    }
}

/// Returns a number from 0 to 1 that looks random and depends only on the seeds.
pub(super) fn spread(seed: u64, salt: u64) -> f64 {
    let mut bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt.wrapping_mul(0xD1B5_4A32_D192_ED03);
    bits = (bits ^ (bits >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits ^= bits >> 29;
    f64::from(bits as u32) / f64::from(u32::MAX)
}
