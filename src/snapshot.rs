//! What a scrape has learned: plain rows that know neither JSON nor Prometheus.
//!
//! `None` means that the API did not say, or said something that cannot be used; it becomes no sample. Nothing
//! here stands for "unknown" or "unlimited" with a number.

mod day;
mod organization;
mod whitelabel;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use day::DailyRecord;
pub use organization::{Dataset, EntitlementLimits, Limit, Organization, OrganizationInfo, Project};
pub use whitelabel::Whitelabel;

/// Seconds since 1970-01-01T00:00:00Z.
pub type UnixTime = f64;

/// Length of the windows in which activity is counted, in seconds, with the value of their `window` label.
pub const WINDOWS: [(&str, f64); 4] =
    [("1d", 86_400.0), ("7d", 604_800.0), ("30d", 2_592_000.0), ("90d", 7_776_000.0)];

/// Values of the `role` label: `OrganizationMemberRole`, and `other` for roles that the document does not name.
pub const ROLES: [&str; 4] = ["admin", "member", "guest", "other"];

/// Values of the `method` label of members' ways to sign in.
pub const SIGN_IN_METHODS: [&str; 3] = ["mfa", "sso", "password"];

/// Values of the `visibility` label.
pub const VISIBILITIES: [&str; 2] = ["private", "public"];

/// Values of the `tier` label of a white label's users: `UserTierEnum`.
pub const TIERS: [&str; 4] = ["free", "community-plus", "professional", "enterprise"];

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

/// Rows that become series of their own, one per key; rows whose key came again are kept aside, to be counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Unique<T> {
    /// The first row of each key, in the order of the keys.
    pub rows: Vec<T>,
    /// Further rows of the same keys.
    pub repeated: Vec<T>,
    /// Rows beyond a limit, the last by key.
    pub beyond: Vec<T>,
}

impl<T> Unique<T> {
    /// Sorts `rows` by `key`; of those that share a key the first stays.
    #[must_use]
    pub fn by<K: Ord>(mut rows: Vec<T>, key: impl Fn(&T) -> &K) -> Self {
        rows.sort_by(|a, b| key(a).cmp(key(b)));
        let mut unique =
            Self { rows: Vec::with_capacity(rows.len()), repeated: Vec::new(), beyond: Vec::new() };
        for row in rows {
            let again = unique.rows.last().is_some_and(|last| key(last) == key(&row));
            if again { unique.repeated.push(row) } else { unique.rows.push(row) }
        }
        unique
    }

    /// Keeps the first `most` rows; by key, so that the same ones stay from scrape to scrape.
    #[must_use]
    pub fn limited(mut self, most: usize) -> Self {
        self.beyond = self.rows.split_off(most.min(self.rows.len()));
        self
    }
}

/// `EnterpriseTrial`
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trial {
    /// `organizationId`
    pub organization_id: u64,
    /// `id`
    pub id: u64,
    /// `expirationDate`
    pub scheduled_expiration: Option<UnixTime>,
    /// `created`
    pub created: Option<UnixTime>,
    /// `expiredDate`
    pub expired: Option<UnixTime>,
    /// `upgradedDate`
    pub upgraded: Option<UnixTime>,
    /// `deletedDate`
    pub deleted: Option<UnixTime>,
}

impl Trial {
    /// Takes from `other` what `self` does not know.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            organization_id: self.organization_id,
            id: self.id,
            scheduled_expiration: self.scheduled_expiration.or(other.scheduled_expiration),
            created: self.created.or(other.created),
            expired: self.expired.or(other.expired),
            upgraded: self.upgraded.or(other.upgraded),
            deleted: self.deleted.or(other.deleted),
        }
    }
}

/// The credential's own user, or one that the configuration names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    /// `id`
    pub id: u64,
    /// `tier`
    pub tier: Option<String>,
    /// `suspended`
    pub suspended: Option<bool>,
    /// `mfaConfigured`
    pub mfa_configured: Option<bool>,
    /// `privatePersonalProjectsUsed`
    pub private_projects: Option<f64>,
    /// Number of `organizations`.
    pub organizations: Option<u64>,
    /// `subscriptionDowngradeDate`
    pub subscription_downgrade: Option<UnixTime>,
    /// `subscriptionTerminationDate`
    pub subscription_termination: Option<UnixTime>,
    /// The newest of `dailyMetrics`.
    pub daily: Option<DailyRecord>,
    /// All of `dailyMetrics`, if they are asked for, in the order in which they came.
    pub days: Option<Arc<Vec<DailyRecord>>>,
}

impl User {
    /// Returns a user of whom only the id is known.
    #[must_use]
    pub fn new(id: u64) -> Self {
        Self { id, ..Self::default() }
    }

    /// Takes from `other` what `self` does not know.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            id: self.id,
            tier: self.tier.or(other.tier),
            suspended: self.suspended.or(other.suspended),
            mfa_configured: self.mfa_configured.or(other.mfa_configured),
            private_projects: self.private_projects.or(other.private_projects),
            organizations: self.organizations.or(other.organizations),
            subscription_downgrade: self.subscription_downgrade.or(other.subscription_downgrade),
            subscription_termination: self.subscription_termination.or(other.subscription_termination),
            daily: self.daily.or(other.daily),
            days: self.days.or(other.days),
        }
    }
}

/// What one scrape learned, ready to be written.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The facts of all accounts, merged.
    pub facts: Facts,
    /// The state of each account, in the order of configuration.
    pub accounts: Vec<AccountState>,
    /// How each call of each account went.
    pub collections: Vec<Collection>,
}

/// One account after a scrape.
#[derive(Clone, Debug, Default)]
pub struct AccountState {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Whether at least one call gave a decodable success, if that was to be found out.
    pub up: Option<bool>,
    /// Until when calls are paused, because the API asked for it.
    pub pause_end: Option<UnixTime>,
    /// `exp` of the JWT.
    pub credential_expiry: Option<UnixTime>,
    /// Whether the credential's last load succeeded.
    pub credential_loaded: bool,
    /// When the credential was last loaded with success.
    pub credential_load: UnixTime,
}

/// How one call of a scrape went.
#[derive(Clone, Debug)]
pub struct Collection {
    /// The account's name.
    pub account: Arc<str>,
    /// The collector's name.
    pub collector: &'static str,
    /// The organization asked about.
    pub organization_id: Option<u64>,
    /// The user asked about.
    pub user_id: Option<u64>,
    /// Whether the answer arrived in time and could be read.
    pub success: bool,
    /// Whether the credential may make this call.
    pub supported: bool,
    /// Whether what is shown is older than this scrape should show.
    pub stale: bool,
    /// How long the last completed call took, in seconds.
    pub duration: Option<f64>,
    /// When the call that gave the last good answer began.
    pub last_success: Option<UnixTime>,
}
