//! What responses of the API report, decoded and merged.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Organization, Trial, Unique, User, Whitelabel};

/// Facts about organizations, trials, users and white labels: what one answer of the API says, or several of them merged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Organizations by id; shared, since most of them are said once and shown as they are.
    pub organizations: BTreeMap<u64, Arc<Organization>>,
    /// Trials by organization id and trial id.
    pub trials: BTreeMap<(u64, u64), Trial>,
    /// Users by id.
    pub users: BTreeMap<u64, User>,
    /// The user that the credential belongs to.
    pub own_user: Option<u64>,
    /// White labels by the id of the organization that owns them. The user's own answer has those that it
    /// administers.
    pub whitelabels: BTreeMap<u64, Whitelabel>,
}

impl Facts {
    /// Returns what is said of one organization.
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

    /// Adds what `other` knows and `self` does not.
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

    /// Returns the white labels that have an id, in its order. Two organizations may answer for the same one: the
    /// first of them counts.
    #[must_use]
    pub fn whitelabels_by_id(&self) -> Unique<&Whitelabel> {
        let known = self.whitelabels.values().filter(|whitelabel| whitelabel.id.is_some());
        Unique::by(known.collect(), |whitelabel| &whitelabel.id)
    }
}
