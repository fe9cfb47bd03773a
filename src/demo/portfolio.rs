//! The portfolio: organizations that are visible only through their white label, because the user is not a member.
//!
//! A tenant is computed from its id and the time when it is requested. It has no members, projects and datasets: the
//! calls of a white label report only their numbers.

use super::scenarios::Limits;
use super::world::{DAY, Organization, WHITELABEL_OWNER, World, spread};
use crate::model::UnixTime;

/// Id of the first tenant without a scenario.
const FIRST: u64 = 2001;

/// The limits of the contracts, from small to large.
const CONTRACTS: [Limits; 3] = [
    Limits::of(0.5, 200.0, 50.0, 10, 8),
    Limits::of(2.0, 1000.0, 200.0, 40, 30),
    Limits::of(10.0, 4000.0, 1000.0, 150, 100),
];

/// Parts of names.
const PLACES: [&str; 12] =
    ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper", "Larch", "Maple"];
const TRADES: [&str; 8] = ["Sensing", "Robotics", "Health", "Audio", "Vision", "Energy", "Mobility", "Farming"];

impl World {
    /// Returns the ids of all organizations of the white label. The user is a member of the first one only.
    pub fn portfolio(&self) -> impl Iterator<Item = u64> + use<> {
        let owner = self.has_whitelabel().then_some(WHITELABEL_OWNER);
        owner.into_iter().chain(FIRST..FIRST + self.tenants)
    }

    /// Returns true for an organization that is visible only through its white label.
    pub(super) fn is_tenant(&self, id: u64) -> bool {
        (FIRST..FIRST + self.tenants).contains(&id)
    }

    /// Returns an organization that is visible only through its white label, at the time `now`.
    pub(super) fn tenant(&self, id: u64, now: UnixTime) -> Organization {
        let chance = |salt| spread(id, salt);
        let contract = pick(&CONTRACTS, chance(10));
        let contract_ago = 20.0 + 300.0 * chance(11);
        let days = (now - self.day(0.0)) / DAY;
        let mut limits = contract;
        let mut age = contract_ago + days;
        // Shares of the limits, and growth of the share per day.
        let (mut storage, mut growth) = (0.2 + 0.5 * chance(12), 0.0004 * (0.5 + chance(13)));
        let mut projects = 0.2 + 0.6 * chance(15);
        // The first tenants are normal, so that the default demo has few problems.
        match (id - FIRST) % 40 {
            // Storage is nearly full.
            7 | 27 => storage = 0.86 + 0.1 * chance(12),
            // More projects than the limit.
            13 => projects = 1.15,
            // No activity for months.
            5 | 19 | 33 => {
                age = (contract_ago - 90.0).max(0.0);
                storage = 0.1 + 0.2 * chance(12);
                growth = 0.0;
            }
            // No limits.
            38 => limits = Limits::NONE,
            // Below all limits.
            _ => {}
        }
        let pace = (0.2 + 0.6 * chance(14)) * age.max(0.0) / 365.0;
        let gpu = contract.gpu_compute.unwrap_or_default() * pace;
        let share_of =
            |limit: Option<u64>, share: f64| (limit.unwrap_or_default() as f64 * share).round() as u64;
        Organization {
            id,
            name: format!("{} {} {id}", pick(&PLACES, chance(16)), pick(&TRADES, chance(17))),
            limits,
            created: self.day(-contract_ago - 400.0 * chance(18)),
            compute_since: self.day(-contract_ago),
            cpu: contract.compute.unwrap_or_default() * pace - gpu,
            gpu,
            storage: contract.storage.unwrap_or_default() * (storage + growth * days).max(0.0),
            private_projects: share_of(contract.projects, projects),
            users: 2 + share_of(contract.users, 0.2 + 0.5 * chance(19)),
            staff: u64::from(chance(20) > 0.5),
        }
    }
}

/// Returns one of the items for a `chance` from 0 to 1.
fn pick<T: Copy>(items: &[T], chance: f64) -> T {
    let index = (chance * items.len() as f64) as usize;
    items[index.min(items.len() - 1)]
}
