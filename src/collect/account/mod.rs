//! One credential with its scope, its limits, and the state that outlives a reload of the configuration.

mod call;
mod failures;
mod limits;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use failures::Failures;
pub use limits::Limits;

use super::Scope;
use super::credential::CredentialSource;
use super::plan::Plan;
use super::rate_limit::Permit;
use super::store::{Asked, CachePolicy, Queued, Read, ReadResult, Store};
use crate::api::{Client, Error};
use crate::config::CredentialKind;
use crate::metrics::telemetry::Telemetry;
use crate::model::{AccountStatus, Call, Clock, Collector, Facts};
use call::Pause;

/// Failed calls of a collector with an interval are repeated after this part of the interval, so that a failing API is
/// not called for a thousand organizations, or a thousand pages of a list, at each scrape.
const RETRIES_PER_INTERVAL: u32 = 5;

/// Shortest time after which a failed call is repeated, whatever `--cache.ttl`: any number of clients may scrape.
const MIN_RETRY: Duration = Duration::from_secs(1);

/// Longest time after which a failed call without an interval is repeated, whatever `--cache.ttl`: the API recovers.
const MAX_RETRY: Duration = Duration::from_secs(30);

/// What is said of compute times that contradict each other.
pub const UNIT_MISMATCH: &str = "usage contradicts itself: CPU and GPU compute time is about 60 times the total, or a \
    60th of it: set --api.compute-time-unit and --api.compute-time-total-unit to the units of the API";

/// What all accounts share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The exporter's own metrics.
    pub telemetry: Arc<Telemetry>,
    /// The time of day.
    pub clock: Clock,
    /// `--cache.ttl`: facts younger than this are used again.
    pub max_age: Duration,
    /// `--cache.stale-for`: age up to which facts are shown after a failure.
    pub stale_for: Duration,
    /// What is said of compute times that contradict each other.
    pub unit_mismatch: Arc<str>,
}

/// The state of an account. It outlives a reload of the configuration that does not change the account.
#[derive(Debug)]
pub struct AccountState {
    credential: CredentialSource,
    pause: Mutex<Option<Pause>>,
    /// True if the log reports that the current credential has expired.
    is_expiry_logged: Mutex<bool>,
    /// True if the log reports that the unit of compute times is wrong.
    is_unit_logged: Mutex<bool>,
    failures: Mutex<Failures>,
    store: Store,
    /// The latest plan, while a scrape uses it.
    pub(super) plan: Mutex<Weak<Plan>>,
    /// Intervals are counted from here.
    created: Instant,
}

impl AccountState {
    /// Returns a state without results.
    #[must_use]
    pub fn new(credential: CredentialSource) -> Self {
        Self {
            credential,
            pause: Mutex::default(),
            is_expiry_logged: Mutex::default(),
            is_unit_logged: Mutex::default(),
            failures: Mutex::default(),
            store: Store::default(),
            plan: Mutex::default(),
            created: Instant::now(),
        }
    }

    /// Pauses calls as long as a state of the same account before.
    pub fn take_over_pause(&self, before: &Self) {
        *self.pause.lock() = *before.pause.lock();
    }
}

/// A credential and the calls that are made with it.
#[derive(Debug)]
pub struct Account {
    /// Its name, the value of the `account` label.
    pub name: Arc<str>,
    /// What it reads.
    pub scope: Scope,
    /// Calls the API.
    pub client: Client,
    /// What it has read.
    pub state: Arc<AccountState>,
    /// Limits its calls.
    pub limits: Arc<Limits>,
    shared: Shared,
}

impl Account {
    /// Returns an account, whose telemetry series exist from now on.
    #[must_use]
    pub fn new(
        name: &str,
        state: Arc<AccountState>,
        scope: Scope,
        client: Client,
        shared: Shared,
        limits: Arc<Limits>,
    ) -> Self {
        let (telemetry, results) = (&shared.telemetry, ReadResult::ALL.map(ReadResult::name));
        for collector in scope.called(state.credential.kind()) {
            telemetry.init_series(name, collector.name(), collector.endpoint(), &Error::REASONS, &results);
        }
        Self { name: name.into(), scope, client, state, limits, shared }
    }

    /// Returns the kind of the credential.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        self.state.credential.kind()
    }

    /// Returns the results of this account's calls.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.state.store
    }

    /// Returns the interval of `collector`, if it has one.
    #[must_use]
    pub fn interval(&self, collector: Collector) -> Option<Duration> {
        self.scope.intervals.get(&collector).copied()
    }

    /// Returns true if the calls of `collector` are spread over its interval, because there may be thousands of them.
    #[must_use]
    pub fn is_spread(&self, collector: Collector) -> bool {
        collector.is_per_organization() && self.interval(collector).is_some()
    }

    /// Starts those calls of `plan` that are wanted, due and not running.
    pub(super) fn ask(self: &Arc<Self>, plan: Arc<Plan>, is_wanted: impl Fn(&Call) -> bool) -> Asked {
        let asked = self.store().ask(plan, is_wanted, |call| self.policy(call), |call| self.permit(call));
        for _ in 0..self.store().missing_workers(self.limits.concurrency()) {
            tokio::spawn(Arc::clone(self).work());
        }
        asked
    }

    /// Returns what is known of the asked calls now, and counts how each read was served.
    #[must_use]
    pub fn read(&self, asked: &[Asked]) -> Vec<(Call, Read)> {
        let mut reads = Vec::new();
        for asked in asked {
            self.store().read(asked, &mut reads);
        }
        for (call, read) in &reads {
            let collector = call.collector.name();
            if !matches!(read.status.error(), Some(Error::Paused { .. })) {
                self.shared.telemetry.read(collector, read.result.name());
            }
            if read.is_first_late {
                self.shared.telemetry.deadline_exceeded(collector);
            }
        }
        reads
    }

    /// Makes queued calls until there are none.
    async fn work(self: Arc<Self>) {
        let _reporting = self.report_if_last();
        while let Some(Queued { call, share, permit }) = self.store().next_queued() {
            let outcome = self.call(call, &share).await;
            drop(permit);
            let is_refused = matches!(outcome.result, Err(Error::Forbidden(_)));
            self.store().complete(call, outcome);
            // The refusal of a single call is normal, and logged at level info.
            if is_refused && self.store().is_forbidden() {
                let account = &*self.name;
                tracing::warn!(account, "every call is forbidden: use a credential with another role");
            }
        }
    }

    /// Returns a permit for `call`, or `None` if it needs one and the rate limit is reached.
    fn permit(&self, call: Call) -> Option<Permit> {
        if !self.is_spread(call.collector) || self.remaining_pause().is_some() {
            return Some(Permit::unlimited());
        }
        self.limits.rate.permit()
    }

    fn policy(&self, call: Call) -> CachePolicy {
        let interval = self.interval(call.collector);
        let spread_over = interval.filter(|_| self.is_spread(call.collector));
        // Without the account's own list nothing is read, and it is one request.
        let is_own_list = call.collector == Scope::discovery(self.kind());
        let retry = match interval {
            Some(interval) if !is_own_list => interval / RETRIES_PER_INTERVAL,
            _ => self.shared.max_age.min(MAX_RETRY),
        };
        let max_age = match (interval, spread_over) {
            (None, _) => self.shared.max_age,
            (Some(interval), None) => interval,
            // Each call has a time slot of its own in every interval; facts from before the last slot are too old.
            (Some(_), Some(interval)) => since_own_slot(call, interval, self.state.created.elapsed()),
        };
        CachePolicy {
            max_age,
            interval: interval.unwrap_or_default(),
            is_spread: spread_over.is_some(),
            retry: retry.max(MIN_RETRY),
            stale_for: self.shared.stale_for,
        }
    }

    /// Loads the credential again, if it comes from a file. The facts that a replaced credential could see are dropped.
    pub async fn refresh_credential(&self) {
        let now = self.shared.clock.now();
        let credential = &self.state.credential;
        let (was_loaded, _) = credential.last_load();
        match credential.reload(now).await {
            Ok(Some(generation)) => {
                tracing::info!(account = &*self.name, "credential changed");
                self.store().start_generation(generation);
            }
            Err(error) if was_loaded => {
                tracing::warn!(
                    account = &*self.name,
                    "credential file {error}; keeping the last good credential"
                );
            }
            Ok(None) | Err(_) => {}
        }
        self.report_expiry();
    }

    /// Logs once that the current credential has expired.
    pub fn report_expiry(&self) {
        let expired = self.expired();
        let was_logged = std::mem::replace(&mut *self.state.is_expiry_logged.lock(), expired.is_some());
        if let Some(text) = expired.filter(|_| !was_logged) {
            tracing::warn!(account = &*self.name, "{text}");
        }
    }

    /// Returns what to do if the current credential has expired.
    #[must_use]
    pub fn expired(&self) -> Option<String> {
        let credential = &self.state.credential;
        let has_expired = credential.current().expiry? <= self.shared.clock.now();
        has_expired.then(|| format!("JWT expired: provide a new one in {}", credential.origin()))
    }

    /// Logs once that compute times contradict each other.
    pub fn report_unit(&self, is_mismatch: Option<bool>) {
        if is_mismatch == Some(true) && !std::mem::replace(&mut *self.state.is_unit_logged.lock(), true) {
            tracing::warn!(account = &*self.name, "{}", self.shared.unit_mismatch);
        }
    }

    /// Returns the status of the account; `up` and the facts are the scrape's.
    #[must_use]
    pub fn status(&self, up: Option<bool>, facts: &Facts) -> AccountStatus {
        let (credential_loaded, credential_load) = self.state.credential.last_load();
        AccountStatus {
            name: Arc::clone(&self.name),
            up,
            pause_end: self.pause_end(),
            credential_expiry: self.state.credential.current().expiry,
            credential_loaded,
            compute_time_unit_mismatch: facts.compute_time_unit_mismatch(),
            credential_load,
        }
    }
}

/// Returns the time since the last slot of `call`, which has one in every `interval`, at `elapsed` after the start.
fn since_own_slot(call: Call, interval: Duration, elapsed: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    (call.collector.name(), call.organization_id).hash(&mut hasher);
    let offset = Duration::from_nanos(hasher.finish() % u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX));
    let since = (elapsed + offset).as_nanos() % interval.as_nanos();
    Duration::from_nanos(u64::try_from(since).unwrap_or(u64::MAX))
}
