//! One credential with its scope, its limits, and the state that outlives a reload of the configuration.

mod call;
mod failures;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use failures::Failures;

use super::Scope;
use super::credential::CredentialSource;
use super::rate_limit::{Permit, RateLimiter};
use super::store::{Asked, CachePolicy, Queued, Read, Store};
use crate::api::{Client, Error};
use crate::config::CredentialKind;
use crate::metrics::telemetry::Telemetry;
use crate::model::{AccountStatus, Call, Clock, Collector, UnixTime};

/// Failed calls of a collector with an interval are repeated after this part of the interval, so that a failing API is
/// not called for a thousand organizations at each scrape.
const RETRIES_PER_INTERVAL: u32 = 5;

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
}

/// The limits of one account.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Maximum concurrent calls.
    pub concurrency: usize,
    /// Has a permit for each of the concurrent calls.
    pub permits: Arc<Semaphore>,
    /// Maximum calls per minute.
    pub rate: Arc<RateLimiter>,
}

impl Limits {
    /// Returns limits of which nothing is used.
    #[must_use]
    pub fn new(concurrency: usize, calls_per_minute: usize) -> Self {
        let permits = Arc::new(Semaphore::new(concurrency));
        Self { concurrency, permits, rate: Arc::new(RateLimiter::new(calls_per_minute)) }
    }
}

/// The state of an account. It outlives a reload of the configuration that does not change the account.
#[derive(Debug)]
pub struct AccountState {
    credential: CredentialSource,
    pause_end: Mutex<Option<UnixTime>>,
    /// True if the log reports that the current credential has expired.
    is_expiry_logged: Mutex<bool>,
    failures: Mutex<Failures>,
    store: Store,
    /// Intervals are counted from here.
    created: Instant,
}

impl AccountState {
    /// Returns a state without results.
    #[must_use]
    pub fn new(credential: CredentialSource) -> Self {
        Self {
            credential,
            pause_end: Mutex::default(),
            is_expiry_logged: Mutex::default(),
            failures: Mutex::default(),
            store: Store::default(),
            created: Instant::now(),
        }
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
    shared: Shared,
    limits: Limits,
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
        limits: Limits,
    ) -> Self {
        for collector in scope.called(state.credential.kind()) {
            shared.telemetry.init_series(name, collector.name(), collector.endpoint(), &Error::REASONS);
        }
        Self { name: name.into(), scope, client, state, shared, limits }
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

    /// Starts those of `calls` that are due and not running.
    pub fn ask(self: &Arc<Self>, calls: impl IntoIterator<Item = Call>) -> Asked {
        let calls = calls.into_iter().map(|call| (call, self.policy(call)));
        let asked = self.store().ask(calls, |call| self.permit(call));
        for _ in 0..self.store().missing_workers(self.limits.concurrency) {
            tokio::spawn(Arc::clone(self).work());
        }
        asked
    }

    /// Returns what is known of the asked calls now, and counts how each read was served.
    #[must_use]
    pub fn read(&self, asked: &Asked) -> Vec<(Call, Read)> {
        let reads = self.store().read(asked);
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
        while let Some(Queued { call, permit }) = self.store().next_queued() {
            let outcome = self.call(call).await;
            drop(permit);
            self.store().complete(call, outcome);
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
        let max_age = match (interval, spread_over) {
            (None, _) => self.shared.max_age,
            (Some(interval), None) => interval,
            // Each call has a time slot of its own in every interval; facts from before the last slot are too old.
            (Some(_), Some(interval)) => since_own_slot(call, interval, self.state.created.elapsed()),
        };
        CachePolicy {
            max_age,
            retry: spread_over.unwrap_or_default() / RETRIES_PER_INTERVAL,
            stale_for: self.shared.stale_for,
        }
    }

    /// Loads the credential again, if it comes from a file. The facts that a replaced credential could see are dropped.
    pub fn refresh_credential(&self) {
        let now = self.shared.clock.now();
        let credential = &self.state.credential;
        let (was_loaded, _) = credential.last_load();
        match credential.reload(now) {
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
        let has_expired = credential.current().expiry.is_some_and(|expiry| expiry <= now);
        let was_logged = std::mem::replace(&mut *lock(&self.state.is_expiry_logged), has_expired);
        if has_expired && !was_logged {
            tracing::warn!(account = &*self.name, "JWT expired: provide a new one");
        }
    }

    /// Returns the status of the account; `up` is the scrape's.
    #[must_use]
    pub fn status(&self, up: Option<bool>) -> AccountStatus {
        let (credential_loaded, credential_load) = self.state.credential.last_load();
        AccountStatus {
            name: Arc::clone(&self.name),
            up,
            pause_end: self.pause_end(),
            credential_expiry: self.state.credential.current().expiry,
            credential_loaded,
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Critical sections cannot leave partial state, so poisoning is ignored.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
