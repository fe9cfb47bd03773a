//! What came of the calls of one collector, those that went alike taken together.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::state::{AccountPageState, CallHistory, is_waiting};
use crate::api::Error;
use crate::model::{Call, Collector};

/// The calls of one collector.
pub(super) struct CallSummary<'a> {
    pub(super) collector: Collector,
    /// How many calls it makes.
    pub(super) calls: usize,
    /// How many of them wait for their turn: they were never made.
    pub(super) waiting: usize,
    /// When the oldest and the newest of the good answers were asked for.
    pub(super) read: Option<(Instant, Instant)>,
    /// What went wrong, the worst first.
    pub(super) troubles: Vec<Trouble<'a>>,
}

/// Calls that went wrong in the same way.
pub(super) struct Trouble<'a> {
    pub(super) what: What<'a>,
    /// What the calls are about; all of them.
    pub(super) calls: Vec<Call>,
    /// When the latest of them was asked.
    pub(super) at: Instant,
}

/// How a call went wrong.
#[derive(Clone, Copy)]
pub(super) enum What<'a> {
    /// It fails.
    Fails(&'a Error),
    /// It has not answered yet, and a scrape could not wait for it.
    Late,
    /// The credential may not make it.
    Forbidden(&'a Error),
    /// It failed, and succeeded since.
    Failed(&'a Error),
}

impl What<'_> {
    /// Returns what calls have in common that went wrong in the same way.
    const fn key(self) -> (u8, &'static str) {
        match self {
            Self::Fails(error) => (0, error.reason()),
            Self::Late => (1, ""),
            Self::Forbidden(error) => (2, error.reason()),
            Self::Failed(_) => (3, ""),
        }
    }
}

impl<'a> CallSummary<'a> {
    /// Returns what came of the calls of every collector that is on, in the order of their names' list.
    pub(super) fn of_account(known: &'a AccountPageState<'_>) -> Vec<Self> {
        let mut findings: BTreeMap<Collector, (Self, Groups<'a>)> = BTreeMap::new();
        let begin = |collector| {
            (Self { collector, calls: 0, waiting: 0, read: None, troubles: Vec::new() }, Groups::new())
        };
        for collector in &known.account.scope.collectors {
            findings.insert(*collector, begin(*collector));
        }
        for (call, history) in &known.histories {
            let (finding, groups) = findings.entry(call.collector).or_insert_with(|| begin(call.collector));
            finding.add(*call, history, groups);
        }
        let finish = |(mut finding, groups): (Self, Groups<'a>)| {
            finding.troubles = groups.into_values().collect();
            finding
        };
        findings.into_values().map(finish).collect()
    }

    fn add(&mut self, call: Call, history: &'a CallHistory, groups: &mut Groups<'a>) {
        self.calls += 1;
        self.waiting += usize::from(is_waiting(history));
        if let Some(at) = history.last_success {
            self.read = Some(self.read.map_or((at, at), |(oldest, newest)| (oldest.min(at), newest.max(at))));
        }
        let failure = history.last_failure.as_ref().map(|(error, at)| match error {
            Error::Forbidden(_) if history.is_failing => (What::Forbidden(error), *at),
            error if history.is_failing => (What::Fails(error), *at),
            error => (What::Failed(error), *at),
        });
        for (what, at) in failure.into_iter().chain(history.late_since.map(|at| (What::Late, at))) {
            let trouble = groups.entry(what.key()).or_insert_with(|| Trouble { what, calls: Vec::new(), at });
            trouble.calls.push(call);
            if at > trouble.at {
                (trouble.what, trouble.at) = (what, at);
            }
        }
    }
}

type Groups<'a> = BTreeMap<(u8, &'static str), Trouble<'a>>;
