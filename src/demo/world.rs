//! What the demo tells of: organizations with a story each, as a pure function of time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::scenarios::{Limits, STORIES, Story, Trial};
use crate::model::UnixTime;

/// Seconds in a day.
pub const DAY: f64 = 86_400.0;
/// The user that the demo's JWT belongs to.
pub const USER: u64 = 501;
/// Another user whom the demo reads.
pub const COLLEAGUE: u64 = 502;
/// A user of the white label.
pub const WHITELABEL_USER: u64 = 601;
/// The white label.
pub const WHITELABEL: u64 = 7;
/// The organization that owns the white label.
pub const WHITELABEL_OWNER: u64 = 1007;
/// The white label's name.
pub const WHITELABEL_NAME: &str = "Partner Cloud";

/// How many organizations there are in all, unless the demo is told otherwise: a story each, and three that only the
/// white label sees.
pub const ORGANIZATIONS: u64 = STORIES.len() as u64 + 3;

const GIGABYTE: f64 = 1e9;

/// The stories, fixed to the day on which the demo starts, so that each has the same plot whenever it is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct World {
    start: UnixTime,
    /// How many organizations there are that only the white label sees.
    pub(super) tenants: u64,
}

/// An organization at a moment.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: &'static str,
    /// What it may use.
    pub limits: Limits,
    /// When it was created.
    pub created: UnixTime,
    /// When its contract started.
    pub contract_start: Option<UnixTime>,
    /// Bytes in use.
    pub storage: f64,
    /// CPU compute time of the contract, in seconds.
    pub cpu: f64,
    /// GPU compute time of the contract, in seconds.
    pub gpu: f64,
    /// From when compute time is counted.
    pub compute_since: UnixTime,
    /// Its members.
    pub members: Vec<Member>,
    /// Its projects.
    pub projects: Vec<Project>,
    /// Its datasets.
    pub datasets: Vec<Dataset>,
    /// The trial that it belongs to.
    pub trial: Option<Trial>,
    /// Whether it belongs to the white label.
    pub whitelabel: bool,
    /// Whether it is a user's own corner.
    pub developer_profile: bool,
}

/// A member of an organization.
#[derive(Clone, Debug)]
pub struct Member {
    /// The user's id.
    pub id: u64,
    /// Their role.
    pub role: &'static str,
    /// Whether the invitation is open.
    pub pending: bool,
    /// Whether they have a second factor.
    pub mfa: bool,
    /// Whether they sign in through an identity provider.
    pub sso: bool,
    /// When they joined.
    pub added: UnixTime,
    /// When they were last there.
    pub last_access: Option<UnixTime>,
}

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its id.
    pub id: u64,
    /// When it was created.
    pub created: UnixTime,
    /// When it was last modified.
    pub modified: UnixTime,
    /// Whether anybody can see it.
    pub public: bool,
    /// When it will be deleted for good.
    pub deletion: Option<UnixTime>,
    /// Who works on it.
    pub collaborators: u64,
}

/// A dataset.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Its name.
    pub name: &'static str,
    /// `clinical` or `files`.
    pub kind: &'static str,
    /// Bytes.
    pub size: f64,
    /// Files.
    pub files: u64,
    /// Items.
    pub items: u64,
    /// Items whose checklist failed.
    pub failed: u64,
    /// When the newest file was created.
    pub newest: UnixTime,
}

/// The totals of a day.
#[derive(Clone, Copy, Debug)]
pub struct DailyRecord {
    /// The day's beginning.
    pub date: UnixTime,
    /// CPU compute time of the contract, in seconds.
    pub cpu: f64,
    /// GPU compute time of the contract, in seconds.
    pub gpu: f64,
    /// Bytes in use.
    pub storage: f64,
    /// Projects.
    pub projects: u64,
}

impl World {
    /// Returns the world of a demo that starts on the day of `now`.
    #[must_use]
    pub fn starting(now: UnixTime) -> Self {
        Self { start: (now / DAY).floor() * DAY, tenants: ORGANIZATIONS - STORIES.len() as u64 }
    }

    /// Has so many organizations in all: those without a story belong to the white label.
    #[must_use]
    pub const fn with_organizations(self, count: u64) -> Self {
        Self { tenants: count.saturating_sub(STORIES.len() as u64), ..self }
    }

    /// Returns the moment that lies `days` after the day on which the demo starts.
    #[must_use]
    pub fn day(&self, days: f64) -> UnixTime {
        self.start + days * DAY
    }

    /// Returns the JWT of the demo's user: shaped like a real one, good for nothing else.
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

    /// Returns the ids of the organizations that the user is a member of.
    pub fn ids() -> impl Iterator<Item = u64> {
        STORIES.iter().map(|story| story.id)
    }

    /// Returns the trials there are, with the organizations that belong to them.
    pub fn trials() -> impl Iterator<Item = (u64, Trial)> {
        STORIES.iter().filter_map(|story| Some((story.id, story.trial?)))
    }

    /// Returns an organization as it is at `now`.
    #[must_use]
    pub fn organization(&self, id: u64, now: UnixTime) -> Option<Organization> {
        let story = STORIES.iter().find(|story| story.id == id)?;
        let days = (now - self.start) / DAY;
        let created = self.day(story.trial.map_or(-700.0 - spread(id, 0) * 300.0, |trial| trial.ends - 14.0));
        let contract_start = story.contract.map(|ago| self.day(-ago));
        let compute_since = contract_start.unwrap_or(created);
        let of_contract = (now - compute_since).max(0.0) / DAY;
        let (storage, growth) = story.storage;
        // Work follows the week, jobs more than uploads. Totals only grow, as much in a week as without that.
        let per_radian = 7.0 / std::f64::consts::TAU;
        let week = |days: f64, depth: f64| days - depth * per_radian * (days / per_radian).sin();
        let storage = (storage + growth * week(days, 0.1)).max(0.0);
        Some(Organization {
            id,
            name: story.name,
            limits: story.limits,
            created,
            contract_start,
            storage,
            cpu: story.compute.0 * week(of_contract, 0.5),
            gpu: story.compute.1 * week(of_contract, 0.5),
            compute_since,
            members: (0..story.members).map(|index| self.member(story, index, now)).collect(),
            projects: (0..story.projects).map(|index| self.project(story, index, now)).collect(),
            datasets: story
                .datasets
                .iter()
                .zip(0..)
                .map(|(dataset, index)| self.dataset(story, *dataset, index, storage, now))
                .collect(),
            trial: story.trial,
            whitelabel: story.whitelabel,
            developer_profile: story.developer_profile,
        })
    }

    /// Returns the days of the white label's user, the newest last, as they are known at `now`.
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

    fn member(self, story: &Story, index: u64, now: UnixTime) -> Member {
        let (who, chance) = (story.id * 1000 + index, spread(story.id, index));
        let pending = index > 2 && chance < 0.08;
        Member {
            id: if index == 0 { USER } else { who },
            role: match index {
                0..=1 => "admin",
                _ if chance > 0.85 => "guest",
                _ => "member",
            },
            pending,
            mfa: chance > 0.55,
            sso: chance > 0.3,
            added: self.day(-300.0 * spread(who, 1) - 10.0),
            last_access: (!pending).then(|| self.last(story, 0.2 + 40.0 * chance * chance, who, now)),
        }
    }

    fn project(self, story: &Story, index: u64, now: UnixTime) -> Project {
        let which = story.id * 1000 + index;
        let chance = spread(which, 2);
        Project {
            id: which,
            created: self.day(-600.0 * chance - 20.0),
            modified: self.last(story, 0.5 + 60.0 * chance, which, now),
            public: chance > 0.93,
            deletion: (chance < 0.03).then(|| self.day(21.0)),
            collaborators: 1 + which % 4,
        }
    }

    fn dataset(
        self,
        story: &Story,
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
            newest: self.last(story, 0.3, story.id + index, now),
        }
    }

    /// Returns when something last happened that happens every `period` days.
    fn last(self, story: &Story, period: f64, seed: u64, now: UnixTime) -> UnixTime {
        let now = story.asleep.map_or(now, |days| self.day(-days));
        let period = period * DAY;
        let offset = spread(seed, 3) * period;
        ((now - offset) / period).floor() * period + offset
    }
}

/// Returns a number between 0 and 1 that is always the same for the same seeds.
pub(super) fn spread(seed: u64, salt: u64) -> f64 {
    let mut bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt.wrapping_mul(0xD1B5_4A32_D192_ED03);
    bits = (bits ^ (bits >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits ^= bits >> 29;
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are as good as all")]
    let low = bits as u32;
    f64::from(low) / f64::from(u32::MAX)
}
