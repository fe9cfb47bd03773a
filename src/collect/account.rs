//! One credential, and everything that lives as long as it: its cells and its pauses.

mod patient;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::scope::Scope;
use crate::api::{Client, Error};
use crate::collect::credential::CredentialSource;
use crate::collect::rate_limit::{Permit, RateLimiter};
use crate::collect::store::{Cell, Freshness, History, Outcome, Reading};
use crate::config::CredentialKind;
use crate::metrics::telemetry::Telemetry;
use crate::model::Clock;
use crate::model::{AccountStatus, Facts, UnixTime};
use crate::model::{Call, Collector};

/// Longest pause that the API can ask for: whatever it says, a fault of its own must not silence an account for long.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// How often a call that the credential may not make is tried again.
const FORBIDDEN_INTERVAL: Duration = Duration::from_mins(10);

/// How much earlier than its interval says a spread call is made again after a failure: the fifth part of it, so that
/// an API that fails for all of a thousand organizations is not asked about all of them at each scrape.
const RETRIES_PER_INTERVAL: u32 = 5;

/// What all accounts share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The exporter's counters.
    pub own: Arc<Telemetry>,
    /// The time of day.
    pub clock: Clock,
    /// Answers younger than this are used again.
    pub max_age: Duration,
    /// How old a good answer may be that is shown after a failure.
    pub stale_for: Duration,
}

/// What one account may ask of the API, whatever the others do.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bounds the calls at one time.
    pub permits: Arc<Semaphore>,
    /// Bounds the calls in a minute.
    pub pace: Arc<RateLimiter>,
}

/// What an account knows. It outlives a change of the configuration that does not concern the account.
#[derive(Debug)]
pub struct AccountState {
    credential: CredentialSource,
    pause_end: Mutex<Option<UnixTime>>,
    /// Whether the log says that the credential in use has expired.
    told_expired: Mutex<bool>,
    cells: Mutex<BTreeMap<Call, Arc<Cell<Facts, Error>>>>,
    /// From here intervals are counted.
    began: Instant,
}

impl AccountState {
    /// Makes a memory that is empty but for the credential.
    #[must_use]
    pub fn new(credential: CredentialSource) -> Self {
        Self {
            credential,
            pause_end: Mutex::default(),
            told_expired: Mutex::default(),
            cells: Mutex::default(),
            began: Instant::now(),
        }
    }
}

/// A credential with its answers.
#[derive(Debug)]
pub struct Account {
    /// Its name, the value of the `account` label.
    pub name: Arc<str>,
    /// What it reads.
    pub scope: Scope,
    /// Speaks to the API.
    pub client: Client,
    /// What it knows.
    pub memory: Arc<AccountState>,
    shared: Shared,
    share: Limits,
}

impl Account {
    /// Makes an account.
    #[must_use]
    pub fn new(
        name: &str,
        memory: Arc<AccountState>,
        scope: Scope,
        client: Client,
        shared: Shared,
        share: Limits,
    ) -> Self {
        for collector in scope.called(memory.credential.kind()) {
            shared.own.init_series(name, collector.name(), collector.endpoint(), &Error::REASONS);
        }
        Self { name: name.into(), scope, client, memory, shared, share }
    }

    /// Returns the kind of credential.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        self.memory.credential.kind()
    }

    /// Returns how long the answers of `collector` are used, where that is not the same for all.
    #[must_use]
    pub fn interval(&self, collector: Collector) -> Option<Duration> {
        self.scope.intervals.get(&collector).copied()
    }

    /// Reads the answer to `call`, which may be one that another scrape asked for.
    pub async fn read(self: &Arc<Self>, call: Call, deadline: Instant) -> Reading<Facts, Error> {
        let answer = Arc::clone(self.cells().entry(call).or_default());
        let account = Arc::clone(self);
        let fetch = || {
            let place = account.place(call)?;
            Some(async move {
                let outcome = account.get(call).await;
                drop(place);
                outcome
            })
        };
        let reading = answer.read(self.freshness(call), deadline, fetch).await;
        if !matches!(reading.error, Some(Error::Paused { .. })) {
            self.shared.own.read(call.collector.name(), reading.how.name());
        }
        if reading.first_late {
            self.shared.own.deadline_exceeded(call.collector.name());
        }
        reading
    }

    /// Returns a place in this minute for `call`, unless it needs one and there is none left.
    fn place(&self, call: Call) -> Option<Permit> {
        if self.spread_over(call).is_none() || self.remaining_pause().is_some() {
            return Some(Permit::uncounted());
        }
        self.share.pace.take()
    }

    /// Returns the interval over which calls like this one are spread: there may be thousands of them.
    fn spread_over(&self, call: Call) -> Option<Duration> {
        self.interval(call.collector).filter(|_| call.collector.is_per_organization())
    }

    fn freshness(&self, call: Call) -> Freshness<Error> {
        let spread_over = self.spread_over(call);
        let max_age = match (self.interval(call.collector), spread_over) {
            (None, _) => self.shared.max_age,
            (Some(interval), None) => interval,
            // Each call has a moment of its own in every interval; what was read before the last one is too old.
            (Some(_), Some(interval)) => since_own_moment(call, interval, self.memory.began.elapsed()),
        };
        Freshness {
            max_age,
            believe: |error| match error {
                Error::Forbidden(_) => Some(FORBIDDEN_INTERVAL),
                Error::Paused { .. } => Some(Duration::ZERO),
                _ => None,
            },
            retry: spread_over.unwrap_or_default() / RETRIES_PER_INTERVAL,
            stale_for: self.shared.stale_for,
        }
    }

    /// Returns what is known of `call`, without asking.
    #[must_use]
    pub fn known(&self, call: &Call) -> Option<Arc<Facts>> {
        self.cells().get(call)?.history().last_good
    }

    /// Tells whether the API said at last that there is no such thing for this credential.
    #[must_use]
    pub fn is_denied(&self, call: &Call) -> bool {
        let history = self.cells().get(call).map(|cell| cell.history());
        history.is_some_and(|history| {
            history.is_failing
                && matches!(history.last_failure, Some((Error::Forbidden(_) | Error::NotFound(_), _)))
        })
    }

    /// Returns when the last good answer to `call` was asked for, if there is one.
    #[must_use]
    pub fn last_read(&self, call: &Call) -> Option<Instant> {
        self.cells().get(call)?.history().last_good_at
    }

    /// Returns what is known of every call that was made, without asking.
    #[must_use]
    pub fn histories(&self) -> Vec<(Call, History<Facts, Error>)> {
        self.cells().iter().map(|(call, answer)| (*call, answer.history())).collect()
    }

    /// Forgets the answers to all calls but these, and those that another scrape waits for.
    pub fn retain(&self, calls: &BTreeSet<Call>) {
        self.cells().retain(|call, answer| calls.contains(call) || answer.is_running());
    }

    /// Forgets what is known of organizations that are not among these.
    pub fn forget_all_organizations_but(&self, organizations: &BTreeSet<u64>) {
        let is_gone = |call: &Call| {
            call.collector.is_per_organization()
                && call.organization_id.is_some_and(|id| !organizations.contains(&id))
        };
        self.cells().retain(|call, cell| !is_gone(call) || cell.is_running());
    }

    /// Loads the credential again, if it is in a file. A changed one may see other things: all answers are forgotten.
    pub fn refresh_credential(&self) {
        let now = self.shared.clock.now();
        let (was_loaded, _) = self.memory.credential.last_load();
        let reload = self.memory.credential.reload(now);
        if let Err(error) = &reload
            && was_loaded
        {
            tracing::warn!(
                account = &*self.name,
                "the credential's file {error}; the last good one stays in use"
            );
        }
        if matches!(reload, Ok(true)) {
            tracing::info!(account = &*self.name, "the credential changed");
            self.cells().clear();
        }
        let credential = self.memory.credential.current();
        let has_expired = credential.expiry.is_some_and(|expiry| expiry <= now);
        let was_told = std::mem::replace(&mut *lock(&self.memory.told_expired), has_expired);
        if has_expired && !was_told {
            tracing::warn!(account = &*self.name, "the JWT has expired: provide a new one");
        }
    }

    /// Returns the account's own state; `up` is known to the scrape.
    #[must_use]
    pub fn state(&self, up: Option<bool>) -> AccountStatus {
        let (credential_loaded, credential_load) = self.memory.credential.last_load();
        AccountStatus {
            name: Arc::clone(&self.name),
            up,
            pause_end: self.pause_end(),
            credential_expiry: self.memory.credential.current().expiry,
            credential_loaded,
            credential_load,
        }
    }

    /// Makes `call` unless the account is paused; handles its failure, so that it is logged and counted once.
    async fn get(&self, call: Call) -> Outcome<Facts, Error> {
        // Only a closed semaphore gives no permit, and this one is never closed.
        let _permit = self.share.permits.acquire().await;
        if let Some(remaining) = self.remaining_pause() {
            return Outcome { began: None, result: Err(Error::Paused { remaining }) };
        }
        let began = Instant::now();
        // Boxed here, so that the many calls that wait for a permit do not each hold room for an answer.
        let result = self.survive(call, Box::pin(self.attempt(call))).await;
        if let Err(error) = &result {
            self.log(call, error, began.elapsed());
            self.pause(error.retry_after());
        }
        Outcome { began: Some(began), result }
    }

    /// Turns a panic into a failure of its call.
    async fn survive(
        &self,
        call: Call,
        attempt: impl Future<Output = Result<Facts, Error>>,
    ) -> Result<Facts, Error> {
        AssertUnwindSafe(attempt).catch_unwind().await.unwrap_or_else(|_| {
            let error = Error::Panic(format!("panic in the {} collector", call.collector.name()));
            self.shared.own.panic();
            self.shared.own.api_error(&self.name, call.collector.endpoint(), error.reason());
            Err(error)
        })
    }

    async fn attempt(&self, call: Call) -> Result<Facts, Error> {
        let now = self.shared.clock.now();
        let client = &self.client;
        let used = self.memory.credential.current();
        let result = client.get(&self.name, &call, &used, now).await;
        if !matches!(result, Err(Error::Unauthorized(_))) {
            return result;
        }
        // The credential may have been rotated a moment ago: then its file holds the new one.
        self.refresh_credential();
        let current = self.memory.credential.current();
        if current.expose() == used.expose() {
            result
        } else {
            client.get(&self.name, &call, &current, now).await
        }
    }

    fn log(&self, call: Call, error: &Error, duration: Duration) {
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    account = &*self.name,
                    endpoint = call.collector.endpoint(),
                    reason = error.reason(),
                    status = error.status(),
                    organization_id = call.organization_id,
                    user_id = call.user_id,
                    duration_seconds = duration.as_secs_f64(),
                    "{error}"
                )
            };
        }
        // Ordinary for a member who is no admin, and shown as supported 0.
        if matches!(error, Error::Forbidden(_)) { event!(info) } else { event!(warn) }
    }

    fn pause(&self, retry_after: Option<Duration>) {
        let Some(pause) = retry_after.map(|asked| asked.min(LONGEST_PAUSE)) else { return };
        let end = self.shared.clock.now() + pause.as_secs_f64();
        let mut pause_end = lock(&self.memory.pause_end);
        *pause_end = Some(pause_end.map_or(end, |known| known.max(end)));
        let until = humantime::format_duration(Duration::from_secs(pause.as_secs()));
        tracing::warn!(account = &*self.name, "the API asked to be left alone: no calls for {until}");
    }

    fn pause_end(&self) -> Option<UnixTime> {
        *lock(&self.memory.pause_end)
    }

    fn remaining_pause(&self) -> Option<Duration> {
        let remaining = self.pause_end()? - self.shared.clock.now();
        (remaining > 0.0).then(|| Duration::from_secs_f64(remaining))
    }

    fn cells(&self) -> MutexGuard<'_, BTreeMap<Call, Arc<Cell<Facts, Error>>>> {
        lock(&self.memory.cells)
    }
}

/// Returns how long ago the last moment of `call` was, if it has one in every `interval`, `elapsed` after the start.
fn since_own_moment(call: Call, interval: Duration, elapsed: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    (call.collector.name(), call.organization_id).hash(&mut hasher);
    let part = Duration::from_nanos(hasher.finish() % u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX));
    let since = (elapsed + part).as_nanos() % interval.as_nanos();
    Duration::from_nanos(u64::try_from(since).unwrap_or(u64::MAX))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done here where a panic could strike.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{self, DecodeOptions, Settings};
    use crate::config::ApiOptions;
    use crate::config::CredentialOrigin;

    #[test]
    fn calls_are_spread_evenly_over_their_interval_and_each_comes_once_in_it() {
        let interval = Duration::from_mins(15);
        let mut by_minute = [0_u32; 30];
        for id in 0..2000 {
            let call = Call::of_organization(Collector::Organization, id);
            for (minute, calls) in (0..).zip(&mut by_minute) {
                // Due if its moment lies in the minute that ends here.
                let since = since_own_moment(call, interval, Duration::from_mins(minute + 1));
                *calls += u32::from(since < Duration::from_mins(1));
            }
        }
        assert_eq!(by_minute.iter().sum::<u32>(), 4000);
        assert!(by_minute.iter().all(|calls| (90..180).contains(calls)), "{by_minute:?}");
    }

    #[tokio::test]
    async fn a_panic_costs_its_call_and_is_counted() {
        let own = Arc::new(Telemetry::new(0.0));
        let settings = Settings {
            url: "http://127.0.0.1:9".parse().unwrap(),
            tls_server_name: None,
            timeout: Duration::from_secs(1),
            max_response_size: 1,
            usage_query: Vec::new(),
            terms: DecodeOptions {
                now: 0.0,
                compute_time_unit: 1.0,
                memory_unit: 1.0,
                projects: false,
                most_datasets: 0,
                days: false,
            },
            tap: None,
        };
        let client = Client::new(api::transport(&ApiOptions::default()).unwrap(), settings, Arc::clone(&own));
        let share = Limits { permits: Arc::new(Semaphore::new(1)), pace: Arc::new(RateLimiter::new(1)) };
        let shared = Shared {
            own: Arc::clone(&own),
            clock: Clock::System,
            max_age: Duration::ZERO,
            stale_for: Duration::ZERO,
        };
        let credential = CredentialSource::load(
            CredentialKind::ApiKey,
            CredentialOrigin::Environment("of the test".to_owned(), "ei_x".into()),
            0.0,
        )
        .unwrap();
        let memory = Arc::new(AccountState::new(credential));
        let account = Account::new("default", memory, Scope::default(), client, shared, share);
        let result = account.survive(Call::user(), async { panic!("expected in this test") }).await;
        assert_eq!(result.unwrap_err().reason(), "panic");
        let mut panics = 0;
        own.panics.each(|[], count| panics += count);
        assert_eq!(panics, 1);
    }
}
