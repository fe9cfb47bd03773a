//! What the page shows: the results of past calls. The only module of the page that reads the store.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use crate::api::Error;
use crate::collect::store::CallStatus;
use crate::collect::{self, Account, Exporter};
use crate::config::AccountOptions;
use crate::model::{AccountStatus, Call, Collector, Facts, UnixTime};

/// The state of all accounts at one time.
pub(super) struct PageState<'a> {
    pub(super) exporter: &'a Exporter,
    /// The time of day.
    pub(super) now: UnixTime,
    /// The same time, to compute ages.
    pub(super) moment: Instant,
    pub(super) accounts: Vec<AccountPageState<'a>>,
    /// The last good responses of all accounts, of any age, merged as in a scrape.
    pub(super) facts: Facts,
}

/// The state of one account.
pub(super) struct AccountPageState<'a> {
    pub(super) account: &'a Account,
    pub(super) options: &'a AccountOptions,
    pub(super) status: AccountStatus,
    pub(super) calls: Vec<(Call, CallStatus)>,
}

/// Numbers of calls.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CallCounts {
    pub(super) all: usize,
    /// Calls that failed.
    pub(super) failed: usize,
    /// Calls that take longer than a scrape could wait, and did not fail before.
    pub(super) late: usize,
    /// Calls that the credential is not permitted to make.
    pub(super) forbidden: usize,
    /// Calls that have not been made yet.
    pub(super) queued: usize,
}

/// How recent the data of one organization is.
#[derive(Clone, Debug, Default)]
pub(super) struct Freshness {
    /// When the oldest of its responses was requested.
    pub(super) read: Option<Instant>,
    /// Collectors that currently fail for it.
    pub(super) failing: BTreeSet<&'static str>,
}

/// What is wrong with a call.
#[derive(Clone, Copy)]
pub(super) enum Problem<'a> {
    /// The last call failed.
    Failing(&'a Error),
    /// The call takes longer than a scrape could wait.
    Late,
    /// The credential is not permitted to make the call.
    Forbidden(&'a Error),
    /// A call failed, and a later one succeeded.
    Resolved(&'a Error),
}

/// Returns true if the last call failed or the current one is late. A call that is not permitted is no failure.
pub(super) fn is_failing(call: &CallStatus) -> bool {
    has_failed(call) || call.late_since.is_some()
}

fn has_failed(call: &CallStatus) -> bool {
    call.is_failing && !call.is_forbidden()
}

/// Returns true if the call has not been made yet.
pub(super) fn is_queued(call: &CallStatus) -> bool {
    call.last_success.is_none() && problems(call).next().is_none()
}

/// Returns the problems of a call, each with the time of the request.
pub(super) fn problems(call: &CallStatus) -> impl Iterator<Item = (Problem<'_>, Instant)> {
    let failure = call.last_failure.as_deref().map(|(error, at)| match error {
        error if !call.is_failing => (Problem::Resolved(error), *at),
        Error::Forbidden(_) => (Problem::Forbidden(error), *at),
        error => (Problem::Failing(error), *at),
    });
    failure.into_iter().chain(call.late_since.map(|at| (Problem::Late, at)))
}

impl AccountPageState<'_> {
    /// Counts the calls of the account.
    pub(super) fn counts(&self) -> CallCounts {
        let count = |is: fn(&CallStatus) -> bool| self.calls.iter().filter(|(_, call)| is(call)).count();
        CallCounts {
            all: self.calls.len(),
            failed: count(has_failed),
            late: count(|call| is_failing(call) && !has_failed(call)),
            forbidden: count(CallStatus::is_forbidden),
            queued: count(is_queued),
        }
    }
}

impl<'a> PageState<'a> {
    pub(super) fn of(exporter: &'a Exporter) -> Self {
        let mut facts = Facts::default();
        let mut accounts = Vec::new();
        for (account, options) in exporter.accounts.iter().zip(&exporter.configuration.accounts) {
            let calls = account.store().statuses();
            let latest = collect::latest(account, &calls);
            accounts.push(AccountPageState { account, options, status: account.status(None, &latest), calls });
            facts.merge(&latest);
        }
        Self { exporter, now: exporter.clock.now(), moment: Instant::now(), accounts, facts }
    }

    /// Returns true if the last reload of the configuration file succeeded.
    pub(super) fn is_reload_successful(&self) -> bool {
        self.exporter.telemetry.load().successful
    }

    /// Returns true if a call of an account has succeeded.
    pub(super) fn has_read(&self) -> bool {
        self.accounts.iter().flat_map(|account| &account.calls).any(|(_, call)| call.last_success.is_some())
    }

    /// Counts the calls of all accounts.
    pub(super) fn counts(&self) -> CallCounts {
        self.accounts.iter().map(AccountPageState::counts).fold(CallCounts::default(), |sum, one| CallCounts {
            all: sum.all + one.all,
            failed: sum.failed + one.failed,
            late: sum.late + one.late,
            forbidden: sum.forbidden + one.forbidden,
            queued: sum.queued + one.queued,
        })
    }

    /// Returns how recent the data of these organizations is. If several accounts make the same call, one success is
    /// enough.
    pub(super) fn freshness(&self, ids: &BTreeSet<u64>) -> BTreeMap<u64, Freshness> {
        let mut calls: BTreeMap<(u64, Collector), (Option<Instant>, bool)> = BTreeMap::new();
        for (call, state) in self.accounts.iter().flat_map(|account| &account.calls) {
            if let Some(id) = call.organization_id.filter(|id| ids.contains(id))
                && call.collector.is_per_organization()
            {
                let (read, fails) = calls.entry((id, call.collector)).or_insert((None, true));
                *read = (*read).max(state.last_success);
                *fails &= is_failing(state);
            }
        }
        let mut organizations: BTreeMap<u64, Freshness> = BTreeMap::new();
        for ((id, collector), (read, fails)) in calls {
            let freshness = organizations.entry(id).or_default();
            freshness.read = freshness.read.into_iter().chain(read).min();
            if fails {
                freshness.failing.insert(collector.name());
            }
        }
        organizations
    }
}
