//! The white label's portfolio: organizations that the demo's user is no member of, made up as they are asked for.
//!
//! Each is a pure function of its number and the time, and costs no more than that: no members, projects or datasets
//! are made for it, since its white label is told their numbers only.

use super::scenarios::Limits;
use super::world::{DAY, Organization, WHITELABEL_OWNER, World, spread};
use crate::model::UnixTime;

const TERABYTE: f64 = 1e12;
const HOUR: f64 = 3600.0;

/// Number of the first organization of the portfolio that no story tells of.
const FIRST: u64 = 2001;

/// Contracts that the white label sells, from small to large.
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

/// Words that names are made of.
const PLACES: [&str; 12] =
    ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper", "Larch", "Maple"];
const TRADES: [&str; 8] = ["Sensing", "Robotics", "Health", "Audio", "Vision", "Energy", "Mobility", "Farming"];

/// An organization as an admin of its white label is told, at a moment.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What it may use.
    pub limits: Limits,
    /// When it was created.
    pub created: UnixTime,
    /// From when compute time is counted.
    pub compute_since: UnixTime,
    /// CPU compute time of the contract, in seconds.
    pub cpu: f64,
    /// GPU compute time of the contract, in seconds.
    pub gpu: f64,
    /// Bytes in use.
    pub storage: f64,
    /// Private projects.
    pub private_projects: u64,
    /// Users, staff included.
    pub users: u64,
    /// Users who are Edge Impulse staff.
    pub staff: u64,
}

/// How an organization of the portfolio fares.
enum Plot {
    /// In order.
    Fine,
    /// Storage is nearly full.
    NearlyFull,
    /// More projects than allowed.
    Over,
    /// Nobody was there for months.
    Asleep,
    /// There are no limits.
    Unlimited,
}

impl Plot {
    /// Tells how the organization of that index fares. The first few are fine, so that they are no news.
    const fn of(index: u64) -> Self {
        match index % 40 {
            7 | 27 => Self::NearlyFull,
            13 => Self::Over,
            5 | 19 | 33 => Self::Asleep,
            38 => Self::Unlimited,
            _ => Self::Fine,
        }
    }
}

impl World {
    /// Returns the ids of all organizations of the white label, of which the user is a member of the first only.
    pub fn portfolio(&self) -> impl Iterator<Item = u64> + use<> {
        std::iter::once(WHITELABEL_OWNER).chain(FIRST..FIRST + self.tenants)
    }

    /// Tells whether there is an organization that only the white label sees.
    #[must_use]
    pub fn is_tenant(&self, id: u64) -> bool {
        (FIRST..FIRST + self.tenants).contains(&id)
    }

    /// Returns how many organizations the white label may have.
    #[must_use]
    pub const fn organizations_limit(&self) -> u64 {
        let of_white_label = self.tenants + 1;
        // A fifth more than there are, in tens.
        (of_white_label * 6 / 5).div_ceil(10) * 10
    }

    /// Returns an organization of the white label as it is at `now`.
    #[must_use]
    pub fn tenant(&self, id: u64, now: UnixTime) -> Option<Tenant> {
        if id == WHITELABEL_OWNER {
            return self.organization(id, now).map(Tenant::from);
        }
        self.is_tenant(id).then(|| self.made_up(id, now))
    }

    fn made_up(self, id: u64, now: UnixTime) -> Tenant {
        let chance = |salt| spread(id, salt);
        let index = id - FIRST;
        let (contract, plot) = (CONTRACTS[pick(chance(10), CONTRACTS.len())], Plot::of(index));
        let contract_ago = 20.0 + 300.0 * chance(11);
        let age = match plot {
            Plot::Asleep => (contract_ago - 90.0).max(0.0),
            _ => contract_ago + (now - self.day(0.0)) / DAY,
        };
        // Shares of the contract's limits: of the year's compute time no more than its pace.
        let share = match plot {
            Plot::NearlyFull => 0.86 + 0.1 * chance(12),
            Plot::Asleep => 0.1 + 0.2 * chance(12),
            _ => 0.2 + 0.5 * chance(12),
        };
        let growth = if matches!(plot, Plot::Asleep) { 0.0 } else { 0.0004 * (0.5 + chance(13)) };
        let of_days = (now - self.day(0.0)) / DAY;
        let storage = contract.storage.unwrap_or_default() * (share + growth * of_days).max(0.0);
        let pace = (0.2 + 0.6 * chance(14)) * age.max(0.0) / 365.0;
        let gpu = contract.gpu_compute.unwrap_or_default() * pace;
        let of_limit = |limit: Option<u64>, share: f64| whole(limit.unwrap_or_default(), share);
        let over = if matches!(plot, Plot::Over) { 1.15 } else { 0.2 + 0.6 * chance(15) };
        Tenant {
            id,
            name: format!(
                "{} {} {id}",
                PLACES[pick(chance(16), PLACES.len())],
                TRADES[pick(chance(17), TRADES.len())]
            ),
            limits: if matches!(plot, Plot::Unlimited) { Limits::default() } else { contract },
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

    /// Returns how many users the white label has of each tier, in the order free, community plus, professional,
    /// enterprise.
    #[must_use]
    pub const fn users_by_tier(&self) -> [u64; 4] {
        let organizations = self.tenants + 1;
        [40 + organizations, 12 + organizations / 3, 5 + organizations / 5, 20 + 9 * organizations]
    }

    /// Returns how many users of the white label were active within so many days before `now`.
    #[must_use]
    pub fn active_users(&self, days: f64, now: UnixTime) -> u64 {
        let all: u64 = self.users_by_tier().iter().sum();
        // More on the days of a week's work; over a whole week that evens out.
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
    /// Returns what its daily record of the day that begins at `date` says, if it is known at `now`: CPU and GPU
    /// compute time of the contract, in seconds, and bytes in use.
    #[must_use]
    pub fn on(&self, date: UnixTime, now: UnixTime) -> (f64, f64, f64) {
        let length = (now - self.compute_since).max(DAY);
        let share = ((date + DAY - self.compute_since) / length).clamp(0.0, 1.0);
        (self.cpu * share, self.gpu * share, self.storage * (0.6 + 0.4 * share))
    }
}

/// Returns a number below `count`, evenly by `chance`.
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

/// Returns a share of a number, rounded.
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
