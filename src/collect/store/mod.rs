//! The latest results of an account's calls, shared by all scrapes. Age, sharing, lateness and staleness are decided here.

mod entry;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use entry::Entry;
pub use entry::{CachePolicy, CallStatus, Read, ReadResult};

use super::plan::Plan;
use super::rate_limit::Permit;
use crate::api::{Budget, Error, Share};
use crate::model::{Call, Collector, Facts, time_suspended};

/// The result of one call.
#[derive(Debug)]
pub struct Outcome {
    /// When the first request was sent; `None` if none was sent.
    pub requested_at: Option<Instant>,
    /// Generation of the credential that the request carried.
    pub generation: u64,
    /// The facts, or why there are none.
    pub result: Result<Facts, Error>,
}

/// The entries of an account's calls, and the queue of calls that wait for a worker.
#[derive(Debug, Default)]
pub struct Store(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// In boxes, since about half of the places in the nodes of the map are empty.
    entries: BTreeMap<Call, Box<Entry>>,
    /// What the facts of all entries may take.
    budget: Budget,
    queue: VecDeque<(Call, Permit)>,
    workers: usize,
    /// Number of the last started call.
    run: u64,
    /// Generation of the credential that all results in the entries come from.
    generation: u64,
    /// For how long the machine was suspended, as far as the entries show it.
    suspended: Duration,
}

/// Suspends shorter than this are differences between two readings of the clocks.
const SHORTEST_SUSPEND: Duration = Duration::from_secs(1);

/// A call for a worker.
#[derive(Debug)]
pub struct Queued {
    /// The call.
    pub call: Call,
    /// What its facts may take of the account's limits.
    pub share: Share,
    /// Its permit of the rate limit, which is returned when the call has ended.
    pub permit: Permit,
}

/// The calls that a scrape needs.
#[derive(Debug)]
pub struct Asked {
    /// The calls, which scrapes that wait at the same time share.
    plan: Arc<Plan>,
    /// How each call is served unless it is late; `None` if the scrape does not need it.
    results: Vec<Option<ReadResult>>,
    /// How old facts may be shown, which is the same for all calls of a collector.
    policies: BTreeMap<Collector, CachePolicy>,
    /// Number of the call that was started last. Those that are started later are not for this scrape.
    run: u64,
}

impl Asked {
    fn served(&self) -> impl DoubleEndedIterator<Item = (Call, ReadResult)> {
        self.plan.calls.iter().zip(&self.results).filter_map(|(call, result)| Some((*call, (*result)?)))
    }
}

impl Store {
    /// Queues those calls of `plan` that the scrape wants, and that are due and not running, if `permit` grants them a
    /// permit.
    pub(super) fn ask(
        &self,
        plan: Arc<Plan>,
        is_wanted: impl Fn(&Call) -> bool,
        policy: impl Fn(Call) -> CachePolicy,
        permit: impl Fn(Call) -> Option<Permit>,
    ) -> Asked {
        let (mut results, mut policies) = (vec![None; plan.calls.len()], BTreeMap::new());
        let mut due = Vec::new();
        let mut state = self.state();
        let State { entries, queue, run, .. } = &mut *state;
        let now = Instant::now();
        for (index, (call, result)) in plan.calls.iter().zip(&mut results).enumerate() {
            if !is_wanted(call) {
                continue;
            }
            let policy = policy(*call);
            policies.insert(call.collector, policy);
            let entry = entries.entry(*call).or_default();
            if entry.is_fresh(policy, now) {
                *result = Some(ReadResult::Reused);
            } else if entry.is_running() {
                *result = Some(ReadResult::Shared);
            } else {
                due.push((policy.is_spread.then(|| entry.last_success()), index));
            }
        }
        // The rate limit may defer some of these calls: the ones with the oldest facts come first.
        due.sort_by_key(|(last_success, _)| *last_success);
        for (_, index) in due {
            let (Some(call), Some(result)) = (plan.calls.get(index), results.get_mut(index)) else { continue };
            *result = Some(ReadResult::Deferred);
            if let Some(permit) = permit(*call) {
                *run += 1;
                entries.entry(*call).or_default().start(*run, now);
                queue.push_back((*call, permit));
                *result = Some(ReadResult::Fetched);
            }
        }
        Asked { plan, results, policies, run: *run }
    }

    /// Waits until all asked calls have ended, at most until `deadline`.
    pub async fn wait(&self, asked: &Asked, deadline: Instant) {
        // Calls end about in the order in which they are started: after the last one, few are left to wait for.
        let is_waited_for = |result| matches!(result, ReadResult::Fetched | ReadResult::Shared);
        let waited_for = |(call, result)| is_waited_for(result).then_some(call);
        let mut calls = asked.served().rev().filter_map(waited_for);
        while let Some(mut end) = self.next_end(&mut calls, asked.run) {
            // Nothing is ever sent: the channel closes when the call ends.
            if timeout_at(deadline, end.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Returns what tells the end of the next of `calls` that runs, and was started as number `run` or before.
    fn next_end(&self, calls: &mut impl Iterator<Item = Call>, run: u64) -> Option<watch::Receiver<()>> {
        let mut state = self.state();
        calls.find_map(|call| state.entries.get_mut(&call)?.end(run))
    }

    /// Adds what is known of the asked calls now to `reads`.
    pub fn read(&self, asked: &Asked, reads: &mut Vec<(Call, Read)>) {
        let mut state = self.state();
        let now = Instant::now();
        let read = |(call, result): (Call, ReadResult)| {
            let policy = *asked.policies.get(&call.collector)?;
            let entry = state.entries.entry(call).or_default();
            Some((call, entry.read(policy, result, asked.run, now)))
        };
        reads.reserve_exact(asked.served().count());
        reads.extend(asked.served().filter_map(read));
    }

    /// Returns the status of the asked calls now, in their order.
    #[must_use]
    pub fn peek(&self, asked: &Asked) -> Vec<(Call, CallStatus)> {
        let state = self.state();
        let status = |call: Call| state.entries.get(&call).map(|entry| entry.status()).unwrap_or_default();
        asked.served().map(|(call, _)| (call, status(call))).collect()
    }

    /// Returns the generation of the credential that all results come from.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Returns how many workers have to be started, of which there may be `most`.
    #[must_use]
    pub fn missing_workers(&self, most: usize) -> usize {
        let mut state = self.state();
        let missing = state.queue.len().min(most).saturating_sub(state.workers);
        state.workers += missing;
        missing
    }

    /// Returns the next call for a worker; a worker that gets none has ended.
    #[must_use]
    pub fn next_queued(&self) -> Option<Queued> {
        let mut state = self.state();
        let State { entries, budget, queue, workers, .. } = &mut *state;
        let Some((call, permit)) = queue.pop_front() else {
            *workers -= 1;
            // There may have been tens of thousands.
            queue.shrink_to_fit();
            return None;
        };
        let share = entries.entry(call).or_default().share(budget);
        Some(Queued { call, share, permit })
    }

    /// Stores the result of a running call. One that was made with a replaced credential is dropped.
    pub fn complete(&self, call: Call, outcome: Outcome) {
        let mut state = self.state();
        state.advance(outcome.generation);
        let is_current = outcome.generation == state.generation;
        state.entries.entry(call).or_default().complete(is_current.then_some(outcome));
    }

    /// Drops all results of credentials before that generation. Running calls go on.
    pub fn start_generation(&self, generation: u64) {
        self.state().advance(generation);
    }

    /// Returns true if no call is running, and the credential is permitted to make none of the calls.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.state().entries.values().all(|entry| entry.is_forbidden())
    }

    /// Returns the status of `call`, if it was ever asked for.
    #[must_use]
    pub fn status(&self, call: &Call) -> Option<CallStatus> {
        self.state().entries.get(call).map(|entry| entry.status())
    }

    /// Returns the status of every call that was asked for.
    #[must_use]
    pub fn statuses(&self) -> Vec<(Call, CallStatus)> {
        self.state().entries.iter().map(|(call, entry)| (*call, entry.status())).collect()
    }

    /// Returns when the request that gave the latest facts of `call` was sent.
    #[must_use]
    pub fn last_success(&self, call: &Call) -> Option<Instant> {
        self.state().entries.get(call)?.last_success()
    }

    /// Forgets the calls that are not kept, except running ones.
    pub fn retain(&self, keep: impl Fn(&Call) -> bool) {
        self.state().entries.retain(|call, entry| keep(call) || entry.is_running());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.lock();
        state.notice_suspend(time_suspended());
        state
    }
}

impl State {
    /// Makes results older that were read before a suspend.
    fn notice_suspend(&mut self, total: Duration) {
        let suspended = total.saturating_sub(self.suspended);
        if suspended >= SHORTEST_SUSPEND {
            self.suspended = total;
            self.entries.values_mut().for_each(|entry| entry.grow_older(suspended));
        }
    }

    fn advance(&mut self, generation: u64) {
        if generation > self.generation {
            self.generation = generation;
            self.entries.retain(|_, entry| entry.is_running());
            self.entries.values_mut().for_each(|entry| entry.forget());
        }
    }
}
