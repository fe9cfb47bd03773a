//! All that is known when the page is asked for. Nothing is asked for it.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use crate::api::Error;
use crate::collect;
use crate::collect::Account;
use crate::collect::Exporter;
use crate::collect::store::CallStatus;
use crate::config::AccountOptions;
use crate::model::{AccountStatus, Facts, UnixTime};
use crate::model::{Call, Collector};

/// What is known of a call.
pub(super) type CallHistory = CallStatus;

/// All that the page is written from.
pub(super) struct PageState<'a> {
    pub(super) exporter: &'a Exporter,
    /// The time of day.
    pub(super) now: UnixTime,
    /// The same moment, for ages.
    pub(super) moment: Instant,
    pub(super) accounts: Vec<AccountPageState<'a>>,
    /// The last good answers of all accounts, merged as a scrape does, however old they are.
    pub(super) facts: Facts,
}

/// What is known of one account.
pub(super) struct AccountPageState<'a> {
    pub(super) account: &'a Account,
    pub(super) options: &'a AccountOptions,
    pub(super) state: AccountStatus,
    pub(super) histories: Vec<(Call, CallHistory)>,
}

/// How many calls there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) calls: usize,
    /// Those that fail or are late.
    pub(super) troubled: usize,
    /// Those that the credential may not make.
    pub(super) forbidden: usize,
    /// Those that were never made.
    pub(super) waiting: usize,
}

impl AccountPageState<'_> {
    pub(super) fn count(&self) -> Count {
        let count =
            |is: fn(&CallHistory) -> bool| self.histories.iter().filter(|(_, history)| is(history)).count();
        Count {
            calls: self.histories.len(),
            troubled: count(is_troubled),
            forbidden: count(is_forbidden),
            waiting: count(is_waiting),
        }
    }
}

/// How fresh is what the page shows of one organization.
#[derive(Clone, Debug, Default)]
pub(super) struct Freshness {
    /// When the oldest answer about it was asked for.
    pub(super) read: Option<Instant>,
    /// Collectors that fail for it now.
    pub(super) failing: BTreeSet<&'static str>,
}

impl<'a> PageState<'a> {
    pub(super) fn of(exporter: &'a Exporter) -> Self {
        let mut facts = Facts::default();
        let mut accounts = Vec::new();
        for (account, options) in exporter.accounts.iter().zip(&exporter.configuration.accounts) {
            let histories = account.store().statuses();
            facts.merge(&collect::latest(account, &histories));
            accounts.push(AccountPageState { account, options, state: account.status(None), histories });
        }
        Self { exporter, now: exporter.clock.now(), moment: Instant::now(), accounts, facts }
    }

    /// Counts the calls of all accounts.
    pub(super) fn count(&self) -> Count {
        self.accounts.iter().map(AccountPageState::count).fold(Count::default(), |sum, one| Count {
            calls: sum.calls + one.calls,
            troubled: sum.troubled + one.troubled,
            forbidden: sum.forbidden + one.forbidden,
            waiting: sum.waiting + one.waiting,
        })
    }

    /// Returns how fresh is what is known of these organizations. Of accounts that ask the same, one that is answered
    /// is enough.
    pub(super) fn freshness(&self, ids: &BTreeSet<u64>) -> BTreeMap<u64, Freshness> {
        let mut asked: BTreeMap<(u64, Collector), (Option<Instant>, bool)> = BTreeMap::new();
        for (call, history) in self.accounts.iter().flat_map(|account| &account.histories) {
            if let Some(id) = call.organization_id.filter(|id| ids.contains(id))
                && call.collector.is_per_organization()
            {
                let (read, fails) = asked.entry((id, call.collector)).or_insert((None, true));
                *read = (*read).max(history.last_success);
                *fails &= is_troubled(history);
            }
        }
        let mut found: BTreeMap<u64, Freshness> = BTreeMap::new();
        for ((id, collector), (read, fails)) in asked {
            let freshness = found.entry(id).or_default();
            freshness.read = match (freshness.read, read) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            if fails {
                freshness.failing.insert(collector.name());
            }
        }
        found
    }
}

/// Tells whether the last call failed, or the one under way is late. What is not permitted is nothing that broke.
pub(super) fn is_troubled(history: &CallHistory) -> bool {
    (history.is_failing && !is_forbidden(history)) || history.late_since.is_some()
}

/// Tells whether the API says that the credential may not make the call.
const fn is_forbidden(history: &CallHistory) -> bool {
    history.is_failing && matches!(history.last_failure, Some((Error::Forbidden(_), _)))
}

/// Tells whether the call was never made.
pub(super) const fn is_waiting(history: &CallHistory) -> bool {
    history.last_success.is_none() && history.last_failure.is_none() && history.late_since.is_none()
}
