//! A summary of the calls of one collector, with equal problems grouped.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::state::{AccountPageState, Problem, is_queued, problems};
use crate::collect::store::CallStatus;
use crate::model::{Call, Collector};

/// The calls of one collector.
pub(super) struct CallSummary<'a> {
    pub(super) collector: Collector,
    /// Number of calls.
    pub(super) calls: usize,
    /// Number of calls that have not been made yet.
    pub(super) queued: usize,
    /// When the oldest and the newest of the good responses were requested.
    pub(super) read: Option<(Instant, Instant)>,
    /// The problems, the most severe first.
    problems: BTreeMap<(u8, &'static str), ProblemGroup<'a>>,
}

/// Calls with the same problem.
pub(super) struct ProblemGroup<'a> {
    /// The problem of the latest call.
    pub(super) problem: Problem<'a>,
    pub(super) calls: Vec<Call>,
    /// When the latest call was made.
    pub(super) at: Instant,
}

/// Returns the key of the group of a problem, in the order of severity.
const fn group(problem: Problem<'_>) -> (u8, &'static str) {
    match problem {
        Problem::Failing(error) => (0, error.reason()),
        Problem::Late => (1, ""),
        Problem::Forbidden(error) => (2, error.reason()),
        Problem::Resolved(_) => (3, ""),
    }
}

impl<'a> CallSummary<'a> {
    /// Returns a summary for each enabled collector of the account.
    pub(super) fn of_account(account: &'a AccountPageState<'_>) -> Vec<Self> {
        let collectors =
            account.account.scope.collectors.iter().map(|collector| (*collector, Self::new(*collector)));
        let mut summaries: BTreeMap<Collector, Self> = collectors.collect();
        for (call, status) in &account.calls {
            summaries.entry(call.collector).or_insert_with(|| Self::new(call.collector)).add(*call, status);
        }
        summaries.into_values().collect()
    }

    const fn new(collector: Collector) -> Self {
        Self { collector, calls: 0, queued: 0, read: None, problems: BTreeMap::new() }
    }

    fn add(&mut self, call: Call, status: &'a CallStatus) {
        self.calls += 1;
        self.queued += usize::from(is_queued(status));
        if let Some(at) = status.last_success {
            self.read = Some(self.read.map_or((at, at), |(oldest, newest)| (oldest.min(at), newest.max(at))));
        }
        for (problem, at) in problems(status) {
            let new = || ProblemGroup { problem, calls: Vec::new(), at };
            let group = self.problems.entry(group(problem)).or_insert_with(new);
            group.calls.push(call);
            if at > group.at {
                (group.problem, group.at) = (problem, at);
            }
        }
    }

    /// Returns the problems, the most severe first.
    pub(super) fn problems(&self) -> impl ExactSizeIterator<Item = &ProblemGroup<'a>> {
        self.problems.values()
    }
}
