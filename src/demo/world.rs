//! The state of the simulated API: organizations as pure functions of time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::entities::{DailyRecord, Dataset, Member, Organization, Project};
use super::scenarios::{SCENARIOS, Scenario, Trial};
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

const GIGABYTE: f64 = 1e9;

/// The organizations, with times relative to the day on which the demo starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct World {
    start: UnixTime,
    /// Number of organizations that are visible only through their white label.
    pub(super) tenants: u64,
}

impl World {
    /// Returns the state of a demo that starts on the day of `now`.
    #[must_use]
    pub fn starting(now: UnixTime) -> Self {
        Self { start: (now / DAY).floor() * DAY, tenants: ORGANIZATIONS - SCENARIOS.len() as u64 }
    }

    /// Sets the total number of organizations. Those without a scenario are visible only through their white label.
    #[must_use]
    pub const fn with_organizations(self, count: u64) -> Self {
        Self { tenants: count.saturating_sub(SCENARIOS.len() as u64), ..self }
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
        #[expect(clippy::cast_possible_truncation, reason = "a date of this century")]
        let claims = part(serde_json::json!({ "sub": USER.to_string(), "exp": self.day(90.0) as i64 }));
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode("demo"))
    }

    /// Returns the API key of an organization.
    #[must_use]
    pub fn api_key(organization_id: u64) -> String {
        format!("ei_demo_{organization_id}")
    }

    /// Returns the ids of the organizations with the user as a member.
    pub fn ids() -> impl Iterator<Item = u64> {
        SCENARIOS.iter().map(|scenario| scenario.id)
    }

    /// Returns all trials with the ids of their organizations.
    pub fn trials() -> impl Iterator<Item = (u64, Trial)> {
        SCENARIOS.iter().filter_map(|scenario| Some((scenario.id, scenario.trial?)))
    }

    /// Returns the organization at the time `now`.
    #[must_use]
    pub fn organization(&self, id: u64, now: UnixTime) -> Option<Organization> {
        let scenario = SCENARIOS.iter().find(|scenario| scenario.id == id)?;
        let days = (now - self.start) / DAY;
        let created =
            self.day(scenario.trial.map_or(-700.0 - spread(id, 0) * 300.0, |trial| trial.ends - 14.0));
        let contract_start = scenario.contract.map(|ago| self.day(-ago));
        let compute_since = contract_start.unwrap_or(created);
        let of_contract = (now - compute_since).max(0.0) / DAY;
        let (storage, growth) = scenario.storage;
        // Activity follows the week, jobs more than uploads. Totals never fall, and the sum of a week does not change.
        let per_radian = 7.0 / std::f64::consts::TAU;
        let week = |days: f64, depth: f64| days - depth * per_radian * (days / per_radian).sin();
        let storage = (storage + growth * week(days, 0.1)).max(0.0);
        Some(Organization {
            id,
            name: scenario.name,
            limits: scenario.limits,
            created,
            contract_start,
            storage,
            cpu: scenario.compute.0 * week(of_contract, 0.5),
            gpu: scenario.compute.1 * week(of_contract, 0.5),
            compute_since,
            members: (0..scenario.members).map(|index| self.member(scenario, index, now)).collect(),
            projects: (0..scenario.projects).map(|index| self.project(scenario, index, now)).collect(),
            datasets: scenario
                .datasets
                .iter()
                .zip(0..)
                .map(|(dataset, index)| self.dataset(scenario, *dataset, index, storage, now))
                .collect(),
            trial: scenario.trial,
            whitelabel: scenario.whitelabel,
            developer_profile: scenario.developer_profile,
        })
    }

    /// Returns the daily records of the white label's user up to the day before `now`, oldest first.
    #[must_use]
    pub fn daily_records(&self, now: UnixTime) -> Vec<DailyRecord> {
        let today = (now / DAY).floor() * DAY;
        let record = |ago: u32| {
            let date = today - f64::from(ago) * DAY;
            let days = (date - self.day(-400.0)) / DAY;
            let projects = 4 + ago.abs_diff(365) / 90;
            DailyRecord {
                date,
                cpu: (600.0 * days).round(),
                gpu: (150.0 * days).round(),
                storage: (2.0 * GIGABYTE + 0.05 * GIGABYTE * days).round(),
                projects: u64::from(projects),
            }
        };
        (1..=365).rev().map(record).collect()
    }

    fn member(self, scenario: &Scenario, index: u64, now: UnixTime) -> Member {
        let (id, chance) = (scenario.id * 1000 + index, spread(scenario.id, index));
        let pending = index > 2 && chance < 0.08;
        Member {
            id: if index == 0 { USER } else { id },
            role: match index {
                0..=1 => "admin",
                _ if chance > 0.85 => "guest",
                _ => "member",
            },
            pending,
            mfa: chance > 0.55,
            sso: chance > 0.3,
            added: self.day(-300.0 * spread(id, 1) - 10.0),
            last_access: (!pending).then(|| self.last(scenario, 0.2 + 40.0 * chance * chance, id, now)),
        }
    }

    fn project(self, scenario: &Scenario, index: u64, now: UnixTime) -> Project {
        let id = scenario.id * 1000 + index;
        let chance = spread(id, 2);
        Project {
            id,
            created: self.day(-600.0 * chance - 20.0),
            modified: self.last(scenario, 0.5 + 60.0 * chance, id, now),
            public: chance > 0.93,
            deletion: (chance < 0.03).then(|| self.day(21.0)),
            collaborators: 1 + id % 4,
        }
    }

    fn dataset(
        self,
        scenario: &Scenario,
        (name, kind): (&'static str, &'static str),
        index: u64,
        storage: f64,
        now: UnixTime,
    ) -> Dataset {
        let size = storage * 0.5 / f64::from(1 << index);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
        let (files, items) = ((size / 2e6) as u64, (size / 4e9) as u64);
        Dataset {
            name,
            kind,
            size,
            files,
            items,
            failed: if kind == "clinical" { items / 40 } else { 0 },
            newest: self.last(scenario, 0.3, scenario.id + index, now),
        }
    }

    /// Returns the time of the last of events that occur every `period` days.
    fn last(self, scenario: &Scenario, period: f64, seed: u64, now: UnixTime) -> UnixTime {
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
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are enough")]
    let low = bits as u32;
    f64::from(low) / f64::from(u32::MAX)
}
