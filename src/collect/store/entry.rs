//! The entry of one call: its latest results, and the running call if there is one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Outcome;
use crate::api::{Budget, Error, Share};
use crate::model::Facts;

/// How long the latest facts replace those of a late or deferred call, in addition to the interval: Prometheus' lookback,
/// after which a series without new samples ends anyway.
pub(super) const STAND_IN: Duration = Duration::from_mins(5);

/// For how long a refused call (HTTP 403) is not repeated.
const FORBIDDEN_INTERVAL: Duration = Duration::from_mins(10);

/// A late call still counts as a success until it has run this many times as long as the call before it: a source that is
/// slower than every scrape delivers steadily, one scrape later.
const SLOWNESS: u32 = 2;

/// For how long results are used.
#[derive(Clone, Copy, Debug)]
pub struct CachePolicy {
    /// Facts younger than this are used again without a call.
    pub max_age: Duration,
    /// Time between two calls of a collector with an interval, else zero.
    pub interval: Duration,
    /// Whether there may be thousands of such calls, which start at different times and may be deferred.
    pub is_spread: bool,
    /// For how long a failed call is not repeated.
    pub retry: Duration,
    /// Age up to which facts are shown after a later call failed.
    pub stale_for: Duration,
}

impl CachePolicy {
    const fn retry_after(&self, error: &Error) -> Duration {
        match error {
            Error::Forbidden(_) => FORBIDDEN_INTERVAL,
            Error::Paused { .. } => Duration::ZERO,
            _ => self.retry,
        }
    }
}

/// How a read was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadResult {
    /// By a call that this scrape started.
    Fetched,
    /// By a call that another scrape started.
    Shared,
    /// By a result that is fresh enough.
    Reused,
    /// By the latest facts, if any: the call is due, and the rate limit defers it.
    Deferred,
    /// By the latest facts, if any: the call is still running.
    Late,
    /// By older facts: the call failed.
    Stale,
}

impl ReadResult {
    /// Every result, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Fetched, Self::Shared, Self::Reused, Self::Deferred, Self::Late, Self::Stale];

    /// Returns the value of the `result` label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::Shared => "shared",
            Self::Reused => "reused",
            Self::Deferred => "deferred",
            Self::Late => "late",
            Self::Stale => "stale",
        }
    }
}

/// What a scrape reads of one call.
#[derive(Debug)]
pub struct Read {
    /// The facts to show, if any.
    pub facts: Option<Arc<Facts>>,
    /// True if these facts are as new as the scrape asked for, or come from a source that is steadily slower than a scrape.
    pub is_success: bool,
    /// How the read was served.
    pub result: ReadResult,
    /// True for the first reader that the running call is too late for.
    pub is_first_late: bool,
    /// The state of the entry.
    pub status: CallStatus,
}

/// The latest results of one call.
#[derive(Clone, Debug, Default)]
pub struct CallStatus {
    /// The latest facts, shown or not.
    pub facts: Option<Arc<Facts>>,
    /// When the request that gave these facts was sent: their age counts from here.
    pub last_success: Option<Instant>,
    /// The last failure, and when its request was sent; a later call may have succeeded.
    pub last_failure: Option<Arc<(Error, Instant)>>,
    /// True if the last completed call failed.
    pub is_failing: bool,
    /// Start of the running call, if a scrape did not wait for its end.
    pub late_since: Option<Instant>,
    /// Duration of the last completed call.
    pub duration: Option<Duration>,
}

impl CallStatus {
    /// Returns the error of the last completed call, if it failed.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.last_failure.as_deref().filter(|_| self.is_failing).map(|(error, _)| error)
    }

    /// Returns true if the last completed call failed because the credential is not permitted to make it.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self.error(), Some(Error::Forbidden(_)))
    }

    /// Returns true if the last completed call failed with 403 or 404.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self.error(), Some(Error::Forbidden(_) | Error::NotFound(_)))
    }

    /// Returns true if the call never succeeded and may do so later.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.facts.is_none() && !self.is_denied()
    }
}

#[derive(Debug, Default)]
pub(super) struct Entry {
    status: CallStatus,
    /// From the start of the call that gave the latest facts to its end, the time in the queue included.
    took: Duration,
    /// What the latest facts take of the account's limits.
    share: Option<Share>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    run: u64,
    since: Instant,
    /// A scrape did not wait for its end.
    is_late: bool,
    /// Dropped when the call ends, which tells the scrapes that wait for it; `None` if none does.
    end: Option<watch::Sender<()>>,
}

impl Entry {
    pub(super) fn is_fresh(&self, policy: CachePolicy, now: Instant) -> bool {
        match (self.status.last_failure.as_deref(), self.status.last_success) {
            (Some((error, at)), _) if self.status.is_failing => {
                now.duration_since(*at) < policy.retry_after(error)
            }
            (_, Some(at)) => now.duration_since(at) < policy.max_age,
            (_, None) => false,
        }
    }

    pub(super) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn is_forbidden(&self) -> bool {
        !self.is_running() && self.status.is_forbidden()
    }

    pub(super) const fn last_success(&self) -> Option<Instant> {
        self.status.last_success
    }

    /// Returns what tells the end of the running call, if it was started as number `run` or before.
    pub(super) fn end(&mut self, run: u64) -> Option<watch::Receiver<()>> {
        let running = self.running.as_mut().filter(|running| running.run <= run)?;
        Some(running.end.get_or_insert_with(|| watch::Sender::new(())).subscribe())
    }

    pub(super) fn start(&mut self, run: u64, now: Instant) {
        self.running = Some(Running { run, since: now, is_late: false, end: None });
    }

    /// Returns what its facts may take of the account's limits.
    pub(super) fn share(&mut self, budget: &Budget) -> Share {
        self.share.get_or_insert_with(|| Share::of(budget)).clone()
    }

    /// Ends the running call; without an outcome it changes nothing else.
    pub(super) fn complete(&mut self, outcome: Option<Outcome>) {
        let now = Instant::now();
        let since = self.running.take().map_or(now, |running| running.since);
        let is_kept = outcome.as_ref().is_some_and(|outcome| outcome.result.is_ok());
        self.share.iter().for_each(|share| share.settle(is_kept));
        let Some(Outcome { requested_at, result, .. }) = outcome else { return };
        let status = &mut self.status;
        status.duration = requested_at.map(|at| now.duration_since(at)).or(status.duration);
        status.is_failing = result.is_err();
        let at = requested_at.unwrap_or(since);
        match result {
            Ok(facts) => {
                status.facts = Some(Arc::new(facts));
                status.last_success = Some(at);
                self.took = now.duration_since(since);
            }
            Err(error) => status.last_failure = Some(Arc::new((error, at))),
        }
    }

    /// Adds the time of a suspend to the age of the results.
    pub(super) fn grow_older(&mut self, suspended: Duration) {
        let status = &mut self.status;
        status.last_success = status.last_success.and_then(|at| at.checked_sub(suspended));
        let before = |failure: Arc<(Error, Instant)>| {
            let (error, at) = Arc::unwrap_or_clone(failure);
            Some(Arc::new((error, at.checked_sub(suspended)?)))
        };
        status.last_failure = status.last_failure.take().and_then(before);
    }

    /// Drops all results.
    pub(super) fn forget(&mut self) {
        self.status = CallStatus::default();
    }

    pub(super) fn status(&self) -> CallStatus {
        let late_since = self.running.as_ref().filter(|running| running.is_late).map(|running| running.since);
        CallStatus { late_since, ..self.status.clone() }
    }

    /// Returns what is known now to a scrape that was served by `result` when it asked; the call number `run` was the last one
    /// that was started then. Depends on the entry and the time only, so that all scrapes see the same.
    pub(super) fn read(&mut self, policy: CachePolicy, result: ReadResult, run: u64, now: Instant) -> Read {
        let waits = matches!(result, ReadResult::Fetched | ReadResult::Shared);
        let late = self.running.as_mut().filter(|running| waits && running.run <= run);
        let runs_for = late.as_ref().map(|running| now.duration_since(running.since));
        let is_first_late = late.is_some_and(|running| !std::mem::replace(&mut running.is_late, true));
        let status = self.status();
        let age = status.last_success.map(|at| now.duration_since(at));
        let is_young = age.is_some_and(|age| age < policy.interval + STAND_IN);
        let is_shown = age.is_some_and(|age| match (status.is_failing, runs_for) {
            (true, _) => age < policy.stale_for,
            (false, Some(_)) => is_young,
            (false, None) => true,
        });
        let is_in_time = match (runs_for, result) {
            (Some(runs_for), _) => runs_for <= self.took * SLOWNESS,
            (None, ReadResult::Deferred) => is_young,
            (None, _) => true,
        };
        let result = match (runs_for, is_shown && status.is_failing) {
            (Some(_), _) => ReadResult::Late,
            (None, true) => ReadResult::Stale,
            (None, false) => result,
        };
        let facts = status.facts.clone().filter(|_| is_shown);
        Read { facts, is_success: is_shown && !status.is_failing && is_in_time, result, is_first_late, status }
    }
}
