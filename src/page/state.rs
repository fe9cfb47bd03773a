//! What the page shows: the results of past calls. The only module of the page that reads the store.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use crate::api::Error;
use crate::collect;
use crate::collect::Account;
use crate::collect::Exporter;
use crate::collect::store::CallStatus;
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
    pub(super) calls: Vec<(Call, CallState)>,
}

/// The state of one call.
pub(super) struct CallState(CallStatus);

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

impl CallState {
    /// Returns when the last good response was requested.
    pub(super) const fn read(&self) -> Option<Instant> {
        self.0.last_success
    }

    /// Returns true if the last call failed or the current one is late. A call that is not permitted is no failure.
    pub(super) fn is_failing(&self) -> bool {
        self.problems().any(|(problem, _)| matches!(problem, Problem::Failing(_) | Problem::Late))
    }

    /// Returns true if the last call failed.
    fn has_failed(&self) -> bool {
        self.problems().any(|(problem, _)| matches!(problem, Problem::Failing(_)))
    }

    /// Returns true if the credential is not permitted to make the call.
    fn is_forbidden(&self) -> bool {
        self.problems().any(|(problem, _)| matches!(problem, Problem::Forbidden(_)))
    }

    /// Returns true if the call has not been made yet.
    pub(super) fn is_queued(&self) -> bool {
        self.read().is_none() && self.problems().next().is_none()
    }

    /// Returns the problems of the call, each with the time of the request.
    pub(super) fn problems(&self) -> impl Iterator<Item = (Problem<'_>, Instant)> {
        let failure = self.0.last_failure.as_ref().map(|(error, at)| match error {
            Error::Forbidden(_) if self.0.is_failing => (Problem::Forbidden(error), *at),
            error if self.0.is_failing => (Problem::Failing(error), *at),
            error => (Problem::Resolved(error), *at),
        });
        failure.into_iter().chain(self.0.late_since.map(|at| (Problem::Late, at)))
    }
}

impl AccountPageState<'_> {
    /// Counts the calls of the account.
    pub(super) fn counts(&self) -> CallCounts {
        let count = |is: fn(&CallState) -> bool| self.calls.iter().filter(|(_, state)| is(state)).count();
        CallCounts {
            all: self.calls.len(),
            failed: count(CallState::has_failed),
            late: count(|call| call.is_failing() && !call.has_failed()),
            forbidden: count(CallState::is_forbidden),
            queued: count(CallState::is_queued),
        }
    }
}

impl<'a> PageState<'a> {
    pub(super) fn of(exporter: &'a Exporter) -> Self {
        let mut facts = Facts::default();
        let mut accounts = Vec::new();
        for (account, options) in exporter.accounts.iter().zip(&exporter.configuration.accounts) {
            let statuses = account.store().statuses();
            facts.merge(&collect::latest(account, &statuses));
            let calls = statuses.into_iter().map(|(call, status)| (call, CallState(status))).collect();
            accounts.push(AccountPageState { account, options, status: account.status(None), calls });
        }
        Self { exporter, now: exporter.clock.now(), moment: Instant::now(), accounts, facts }
    }

    /// Returns true if the last reload of the configuration file succeeded.
    pub(super) fn is_reload_successful(&self) -> bool {
        self.exporter.telemetry.load().successful
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
                let (read, is_failing) = calls.entry((id, call.collector)).or_insert((None, true));
                *read = (*read).max(state.read());
                *is_failing &= state.is_failing();
            }
        }
        let mut organizations: BTreeMap<u64, Freshness> = BTreeMap::new();
        for ((id, collector), (read, is_failing)) in calls {
            let freshness = organizations.entry(id).or_default();
            freshness.read = freshness.read.into_iter().chain(read).min();
            if is_failing {
                freshness.failing.insert(collector.name());
            }
        }
        organizations
    }
}
