//! One answer that many scrapes share: the only place that knows age, sharing, lateness and staleness.

#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// How long the last good answer stands in for one that is on its way: Prometheus' lookback, after which a series
/// that is not renewed would end anyway.
pub const STAND_IN: Duration = Duration::from_mins(5);

/// For how long an outcome may be used.
#[derive(Debug)]
pub struct Freshness<E> {
    /// Answers younger than this are used again, without asking.
    pub max_age: Duration,
    /// For how long a failure is taken for granted, without asking again, if its kind says so.
    pub believe: fn(&E) -> Option<Duration>,
    /// For how long any other is.
    pub retry: Duration,
    /// How old a good answer may be that is shown although a later call failed.
    pub stale_for: Duration,
}

impl<E> Clone for Freshness<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Freshness<E> {}

/// How a read was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By a call of its own.
    Fetched,
    /// By a call that another reader had begun.
    Shared,
    /// By an outcome that is fresh enough.
    Reused,
    /// By what is known, if anything: a new call is due, and has to wait for its turn.
    Deferred,
    /// Not at all, or by an older answer: the call is still under way.
    Late,
    /// By an older answer: the call failed.
    Stale,
}

impl How {
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

/// What became of a call.
#[derive(Debug)]
pub struct Outcome<T, E> {
    /// When it began; `None` if it was not made at all.
    pub began: Option<Instant>,
    /// Its answer, or why there is none.
    pub result: Result<T, E>,
}

/// What a reader is given.
#[derive(Debug)]
pub struct Reading<T, E> {
    /// What to show, if anything.
    pub value: Option<Arc<T>>,
    /// Whether that is news: the answer asked for, or at least one that came since it was last asked for.
    pub is_success: bool,
    /// How the read was served.
    pub how: How,
    /// Why the last completed call failed, if it did.
    pub error: Option<E>,
    /// Whether this reader is the first that the call under way is too late for.
    pub first_late: bool,
    /// What is known beside the answer.
    pub history: History<T, E>,
}

/// What is known of the calls up to now.
#[derive(Debug)]
pub struct History<T, E> {
    /// The last good answer, whether it is to be shown or not.
    pub last_good: Option<Arc<T>>,
    /// When the call began that gave the last good answer: age counts from here.
    pub last_good_at: Option<Instant>,
    /// The last failure, and when its call began; a later call may have succeeded.
    pub last_failure: Option<(E, Instant)>,
    /// Whether the last completed call failed.
    pub is_failing: bool,
    /// Since when a call is under way that is too late for a reader.
    pub late_since: Option<Instant>,
    /// How long the last completed call took.
    pub duration: Option<Duration>,
}

/// The answer to one call, fetched when it is read.
#[derive(Debug)]
pub struct Cell<T, E>(Mutex<State<T, E>>);

#[derive(Debug)]
struct State<T, E> {
    good: Option<Good<T>>,
    last_failure: Option<(E, Instant)>,
    /// Whether the last completed call failed.
    is_failing: bool,
    duration: Option<Duration>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Good<T> {
    value: Arc<T>,
    at: Instant,
    completed: Instant,
    /// Whether no reader was given it yet.
    unread: bool,
}

#[derive(Debug)]
struct Running {
    /// Closes when the call is over, however it ends.
    done: watch::Receiver<()>,
    since: Instant,
    late: bool,
}

impl<T, E> Default for Cell<T, E> {
    fn default() -> Self {
        Self(Mutex::new(State {
            good: None,
            last_failure: None,
            is_failing: false,
            duration: None,
            running: None,
        }))
    }
}

impl<T: Send + Sync + 'static, E: Clone + Send + 'static> Cell<T, E> {
    /// Returns an answer that is fresh enough, or waits until `deadline` for a call: one that is under way, or else
    /// the one that `fetch` makes, unless it makes none now.
    ///
    /// The call runs in a task of its own. It goes on when its readers have left or the deadline has passed, and the
    /// next reader has its answer.
    pub async fn read<F>(
        self: &Arc<Self>,
        freshness: Freshness<E>,
        deadline: Instant,
        fetch: impl FnOnce() -> Option<F>,
    ) -> Reading<T, E>
    where
        F: Future<Output = Outcome<T, E>> + Send + 'static,
    {
        let (mut done, how) = {
            let mut state = self.state();
            let now = Instant::now();
            if state.is_fresh(freshness, now) {
                return state.reading(How::Reused, freshness, now);
            }
            match &state.running {
                Some(running) if running.done.has_changed().is_ok() => (running.done.clone(), How::Shared),
                _ => {
                    let Some(fetch) = fetch() else {
                        return state.reading(How::Deferred, freshness, now);
                    };
                    let (running, done) = watch::channel(());
                    state.running = Some(Running { done: done.clone(), since: now, late: false });
                    let cell = Arc::clone(self);
                    tokio::spawn(async move {
                        let outcome = fetch.await;
                        cell.state().complete(outcome);
                        drop(running);
                    });
                    (done, How::Fetched)
                }
            }
        };
        // Whether it came in time is asked under the lock: it may come just after the deadline.
        let _ = timeout_at(deadline, done.changed()).await;
        let mut state = self.state();
        if state.running.as_ref().is_none_or(|running| !running.done.same_channel(&done)) {
            return state.reading(how, freshness, Instant::now());
        }
        if done.has_changed().is_err() {
            // The call died without an outcome, and left itself behind.
            state.running = None;
        }
        state.reading(How::Late, freshness, Instant::now())
    }

    /// Returns what is known, without a call.
    #[must_use]
    pub fn history(&self) -> History<T, E> {
        self.state().history()
    }

    /// Tells whether a call is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state().running.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State<T, E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, E: Clone> State<T, E> {
    fn is_fresh(&self, freshness: Freshness<E>, now: Instant) -> bool {
        match (&self.last_failure, &self.good) {
            (Some((error, at)), _) if self.is_failing => {
                now.duration_since(*at) < (freshness.believe)(error).unwrap_or(freshness.retry)
            }
            (_, Some(good)) => now.duration_since(good.at) < freshness.max_age,
            (_, None) => false,
        }
    }

    fn complete(&mut self, outcome: Outcome<T, E>) {
        let now = Instant::now();
        let since = self.running.take().map_or(now, |running| running.since);
        let Outcome { began, result } = outcome;
        self.duration = began.map(|began| now.duration_since(began)).or(self.duration);
        let at = began.unwrap_or(since);
        self.is_failing = result.is_err();
        match result {
            Ok(value) => self.good = Some(Good { value: Arc::new(value), at, completed: now, unread: true }),
            Err(error) => self.last_failure = Some((error, at)),
        }
    }

    fn reading(&mut self, how: How, freshness: Freshness<E>, now: Instant) -> Reading<T, E> {
        let first_late = match &mut self.running {
            Some(running) if how == How::Late => !std::mem::replace(&mut running.late, true),
            _ => false,
        };
        let error = self.last_failure.as_ref().filter(|_| self.is_failing).map(|(error, _)| error.clone());
        let mut reading =
            Reading { value: None, is_success: false, how, error, first_late, history: self.history() };
        let Some(good) = &mut self.good else { return reading };
        let age = now.duration_since(good.at);
        let is_shown = match (how, &reading.error) {
            (_, Some(_)) => age < freshness.stale_for,
            (How::Late, None) => age < STAND_IN,
            (_, None) => true,
        };
        if !is_shown {
            return reading;
        }
        reading.value = Some(Arc::clone(&good.value));
        // A source that is slower than every scrape still works: each scrape is given the answer to the one before.
        let is_news = good.unread || now.duration_since(good.completed) < freshness.max_age;
        match (how, &reading.error) {
            (How::Late, error) => reading.is_success = error.is_none() && is_news,
            (_, None) => reading.is_success = true,
            (_, Some(_)) => reading.how = How::Stale,
        }
        good.unread = false;
        reading
    }

    fn history(&self) -> History<T, E> {
        History {
            last_good: self.good.as_ref().map(|good| Arc::clone(&good.value)),
            last_good_at: self.good.as_ref().map(|good| good.at),
            last_failure: self.last_failure.clone(),
            is_failing: self.is_failing,
            late_since: self.running.as_ref().filter(|running| running.late).map(|running| running.since),
            duration: self.duration,
        }
    }
}
