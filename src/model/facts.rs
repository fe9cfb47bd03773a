//! Decoded values of the API's responses.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Organization, Trial, Unique, User, Whitelabel};

/// Facts about organizations, trials, users and white labels, from one response or merged from several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Organizations by id. Most come from one response and are shared with the store instead of copied.
    pub organizations: BTreeMap<u64, Arc<Organization>>,
    /// Trials by organization id and trial id.
    pub trials: BTreeMap<(u64, u64), Trial>,
    /// Users by id.
    pub users: BTreeMap<u64, User>,
    /// Id of the user that the JWT belongs to.
    pub own_user: Option<u64>,
    /// White labels by the id of the owning organization. The user call lists those that the user administers.
    pub whitelabels: BTreeMap<u64, Whitelabel>,
}

impl Facts {
    /// Returns the facts about one organization and its trials.
    #[must_use]
    pub fn about(&self, id: u64) -> Self {
        let organization = self.organizations.get(&id);
        let trials = self.trials.range((id, 0)..=(id, u64::MAX));
        Self {
            organizations: organization
                .map(|organization| (id, Arc::clone(organization)))
                .into_iter()
                .collect(),
            trials: trials.map(|(key, trial)| (*key, *trial)).collect(),
            ..Self::default()
        }
    }

    /// Returns whether compute times of an organization contradict each other; `None` if that can be told of none.
    #[must_use]
    pub fn compute_time_unit_mismatch(&self) -> Option<bool> {
        self.organizations.values().filter_map(|organization| organization.compute_time_unit_mismatch).max()
    }

    /// Adds the facts of `other` that are missing in `self`.
    pub fn merge(&mut self, other: &Self) {
        fn merge<K: Ord + Copy, V: Clone>(into: &mut BTreeMap<K, V>, from: &BTreeMap<K, V>, or: fn(V, V) -> V) {
            for (key, value) in from {
                let merged = match into.remove(key) {
                    Some(known) => or(known, value.clone()),
                    None => value.clone(),
                };
                into.insert(*key, merged);
            }
        }
        let Self { organizations, trials, users, own_user, whitelabels } = other;
        merge(&mut self.organizations, organizations, |known, other| {
            Arc::new(Arc::unwrap_or_clone(known).or(Arc::unwrap_or_clone(other)))
        });
        merge(&mut self.trials, trials, Trial::or);
        merge(&mut self.users, users, User::or);
        self.own_user = self.own_user.or(*own_user);
        merge(&mut self.whitelabels, whitelabels, Whitelabel::or);
    }

    /// Returns the white labels that have an id, sorted by it. Two organizations may report the same white label: the
    /// first one is used. `series` returns the number of series of a white label.
    #[must_use]
    pub fn whitelabels_by_id(&self, series: impl Fn(&Whitelabel) -> u64) -> Unique<&Whitelabel> {
        let known = self.whitelabels.values().filter(|whitelabel| whitelabel.id.is_some());
        let mut unique = Unique { rows: known.collect(), ..Unique::default() };
        unique.limit(usize::MAX, |whitelabel| &whitelabel.id, |whitelabel| series(whitelabel));
        unique
    }
}
