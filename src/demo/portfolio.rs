//! The portfolio: organizations that are visible only through their white label, because the user is not a member.
//!
//! A tenant is computed from its id and the time when it is requested. It has no members, projects and datasets: the
//! calls of a white label report only their numbers.

use super::entities::Organization;
use super::scenarios::Limits;
use super::world::{DAY, WHITELABEL_OWNER, World, spread};
use crate::model::UnixTime;

const TERABYTE: f64 = 1e12;
const HOUR: f64 = 3600.0;

/// Id of the first tenant without a scenario.
const FIRST: u64 = 2001;

/// The limits of the contracts, from small to large.
const CONTRACTS: [Limits; 3] = [
    Limits {
        storage: Some(0.5 * TERABYTE),
        compute: Some(200.0 * HOUR),
        gpu_compute: Some(50.0 * HOUR),
        projects: Some(10),
        users: Some(8),
    },
    Limits {
        storage: Some(2.0 * TERABYTE),
        compute: Some(1000.0 * HOUR),
        gpu_compute: Some(200.0 * HOUR),
        projects: Some(40),
        users: Some(30),
    },
    Limits {
        storage: Some(10.0 * TERABYTE),
        compute: Some(4000.0 * HOUR),
        gpu_compute: Some(1000.0 * HOUR),
        projects: Some(150),
        users: Some(100),
    },
];

/// Parts of names.
const PLACES: [&str; 12] =
    ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper", "Larch", "Maple"];
const TRADES: [&str; 8] = ["Sensing", "Robotics", "Health", "Audio", "Vision", "Energy", "Mobility", "Farming"];

/// An organization as the calls of its white label report it.
#[derive(Clone, Debug)]
pub struct Tenant {
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

/// How a tenant uses its contract.
enum Pattern {
    /// Below all limits.
    Normal,
    /// Storage is nearly full.
    NearlyFull,
    /// More projects than the limit.
    OverLimit,
    /// No activity for months.
    Inactive,
    /// No limits.
    Unlimited,
}

impl Pattern {
    /// Returns the pattern of a tenant. The first tenants are normal, so that the default demo has few problems.
    const fn of(index: u64) -> Self {
        match index % 40 {
            7 | 27 => Self::NearlyFull,
            13 => Self::OverLimit,
            5 | 19 | 33 => Self::Inactive,
            38 => Self::Unlimited,
            _ => Self::Normal,
        }
    }
}

impl World {
    /// Returns the ids of all organizations of the white label. The user is a member of the first one only.
    pub fn portfolio(&self) -> impl Iterator<Item = u64> + use<> {
        std::iter::once(WHITELABEL_OWNER).chain(FIRST..FIRST + self.tenants)
    }

    /// Returns true for an organization that is visible only through its white label.
    #[must_use]
    pub fn is_tenant(&self, id: u64) -> bool {
        (FIRST..FIRST + self.tenants).contains(&id)
    }

    /// Returns the maximum number of organizations of the white label.
    #[must_use]
    pub const fn organizations_limit(&self) -> u64 {
        let of_white_label = self.tenants + 1;
        // 20 % more than there are, rounded up to tens.
        (of_white_label * 6 / 5).div_ceil(10) * 10
    }

    /// Returns an organization of the white label at the time `now`.
    #[must_use]
    pub fn tenant(&self, id: u64, now: UnixTime) -> Option<Tenant> {
        if id == WHITELABEL_OWNER {
            return self.organization(id, now).map(Tenant::from);
        }
        self.is_tenant(id).then(|| self.compute_tenant(id, now))
    }

    fn compute_tenant(self, id: u64, now: UnixTime) -> Tenant {
        let chance = |salt| spread(id, salt);
        let index = id - FIRST;
        let (contract, pattern) = (CONTRACTS[pick(chance(10), CONTRACTS.len())], Pattern::of(index));
        let contract_ago = 20.0 + 300.0 * chance(11);
        let age = match pattern {
            Pattern::Inactive => (contract_ago - 90.0).max(0.0),
            _ => contract_ago + (now - self.day(0.0)) / DAY,
        };
        // Share of the storage limit.
        let share = match pattern {
            Pattern::NearlyFull => 0.86 + 0.1 * chance(12),
            Pattern::Inactive => 0.1 + 0.2 * chance(12),
            _ => 0.2 + 0.5 * chance(12),
        };
        let growth = if matches!(pattern, Pattern::Inactive) { 0.0 } else { 0.0004 * (0.5 + chance(13)) };
        let of_days = (now - self.day(0.0)) / DAY;
        let storage = contract.storage.unwrap_or_default() * (share + growth * of_days).max(0.0);
        let pace = (0.2 + 0.6 * chance(14)) * age.max(0.0) / 365.0;
        let gpu = contract.gpu_compute.unwrap_or_default() * pace;
        let of_limit = |limit: Option<u64>, share: f64| whole(limit.unwrap_or_default(), share);
        let over = if matches!(pattern, Pattern::OverLimit) { 1.15 } else { 0.2 + 0.6 * chance(15) };
        Tenant {
            id,
            name: format!(
                "{} {} {id}",
                PLACES[pick(chance(16), PLACES.len())],
                TRADES[pick(chance(17), TRADES.len())]
            ),
            limits: if matches!(pattern, Pattern::Unlimited) { Limits::default() } else { contract },
            created: self.day(-contract_ago - 400.0 * chance(18)),
            compute_since: self.day(-contract_ago),
            cpu: contract.compute.unwrap_or_default() * pace - gpu,
            gpu,
            storage,
            private_projects: of_limit(contract.projects, over),
            users: 2 + of_limit(contract.users, 0.2 + 0.5 * chance(19)),
            staff: u64::from(chance(20) > 0.5),
        }
    }

    /// Returns the number of users by tier: free, community plus, professional, enterprise.
    #[must_use]
    pub const fn users_by_tier(&self) -> [u64; 4] {
        let organizations = self.tenants + 1;
        [40 + organizations, 12 + organizations / 3, 5 + organizations / 5, 20 + 9 * organizations]
    }

    /// Returns the number of users who were active within `days` before `now`.
    #[must_use]
    pub fn active_users(&self, days: f64, now: UnixTime) -> u64 {
        let all: u64 = self.users_by_tier().iter().sum();
        // Follows the days of the week; the average of a week does not change.
        let week = (std::f64::consts::TAU * now / (7.0 * DAY)).sin() * 0.08 / days.max(1.0);
        whole(all, (0.18 * days.max(0.0).powf(0.35)).min(0.9) + week)
    }
}

impl From<Organization> for Tenant {
    fn from(organization: Organization) -> Self {
        let private_projects = organization.projects.iter().filter(|project| !project.public).count() as u64;
        let Organization { id, name, limits, created, compute_since, cpu, gpu, storage, members, .. } =
            organization;
        let (name, users, staff) = (name.to_owned(), members.len() as u64 + 1, 1);
        Self { id, name, limits, created, compute_since, cpu, gpu, storage, private_projects, users, staff }
    }
}

impl Tenant {
    /// Returns CPU and GPU compute time, in seconds, and storage in use, in bytes, at the end of the day that starts at
    /// `date`.
    #[must_use]
    pub fn on(&self, date: UnixTime, now: UnixTime) -> (f64, f64, f64) {
        let length = (now - self.compute_since).max(DAY);
        let share = ((date + DAY - self.compute_since) / length).clamp(0.0, 1.0);
        (self.cpu * share, self.gpu * share, self.storage * (0.6 + 0.4 * share))
    }
}

/// Returns a number below `count` for a `chance` from 0 to 1.
fn pick(chance: f64, count: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "small and positive"
    )]
    let index = (chance * count as f64) as usize;
    index.min(count - 1)
}

/// Returns a rounded share of a number.
fn whole(number: u64, share: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "small and positive"
    )]
    let whole = (number as f64 * share).round() as u64;
    whole
}
