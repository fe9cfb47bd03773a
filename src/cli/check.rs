//! `check`: makes every API call once and reports the results. It answers "why is this metric missing?".

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use super::arguments::CheckFormat;
use super::output::print;
use super::scrape::collect_once;
use super::{Failure, check_format, configuration};
use crate::api::Error;
use crate::collect::Keep;
use crate::collect::account::Account;
use crate::collect::store::CallStatus;
use crate::config::{CredentialKind, Options};
use crate::model::{Call, CallResult, Collector, Snapshot, UnixTime};

/// Makes every call once and writes the results to standard output. The exit code is 1 if a permitted call failed, or if
/// no call of an account succeeded.
///
/// # Errors
/// If the configuration cannot work.
pub(super) async fn check(options: Options, format: CheckFormat) -> Result<ExitCode, Failure> {
    let (configuration, replay) = configuration(options)?;
    let (exporter, _, snapshot) = collect_once(configuration, replay, Keep::default()).await?;
    let accounts: Vec<_> =
        exporter.accounts.iter().map(|account| AccountSummary::new(account, &snapshot)).collect();
    print(&match format {
        CheckFormat::Table => check_format::table(&accounts, exporter.clock.now()),
        CheckFormat::Json => check_format::json(&accounts),
    })?;
    let is_good = accounts.iter().all(AccountSummary::is_good);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An account and the results of its calls.
#[derive(Debug)]
pub(super) struct AccountSummary {
    pub(super) name: String,
    pub(super) credential: CredentialKind,
    pub(super) expiry: Option<UnixTime>,
    pub(super) calls: Vec<CallSummary>,
}

/// Calls of one collector with the same outcome.
#[derive(Debug)]
pub(super) struct CallSummary {
    pub(super) collector: Collector,
    pub(super) outcome: Outcome,
    pub(super) count: usize,
    /// One of the calls.
    pub(super) example: Call,
    pub(super) longest: Option<Duration>,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Success,
    /// The API refused the call.
    Forbidden(String),
    /// Not made: the kind of the credential or of the organization rules it out.
    Unsupported,
    Failed {
        reason: &'static str,
        text: String,
    },
    /// Still running at the deadline.
    Running,
    /// Not made: no id for its path is configured or was found.
    NothingToCall,
}

impl AccountSummary {
    fn new(account: &Account, snapshot: &Snapshot) -> Self {
        let mut calls: BTreeMap<(Collector, Outcome), CallSummary> = BTreeMap::new();
        let mut add = |call: Call, outcome: Outcome, duration: Option<Duration>, count: usize| {
            let collector = call.collector;
            let summary = calls.entry((collector, outcome.clone())).or_insert_with(|| CallSummary {
                collector,
                outcome,
                count: 0,
                example: call,
                longest: None,
            });
            summary.count += count;
            summary.longest = summary.longest.max(duration);
        };
        let mut without_call = account.scope.collectors.clone();
        for (call, status) in account.store().statuses() {
            without_call.remove(&call.collector);
            add(call, Outcome::of(&status), status.duration, 1);
        }
        let is_unsupported =
            |row: &&CallResult| row.account == account.name && !row.supported && row.duration.is_none();
        for row in snapshot.call_results.iter().filter(is_unsupported) {
            if let Some(collector) = Collector::named(row.collector) {
                without_call.remove(&collector);
                let ids = (row.organization_id, row.user_id);
                let call = Call { organization_id: ids.0, user_id: ids.1, ..Call::of(collector) };
                add(call, Outcome::Unsupported, None, 1);
            }
        }
        for collector in without_call {
            add(Call::of(collector), Outcome::NothingToCall, None, 0);
        }
        Self {
            name: account.name.to_string(),
            credential: account.kind(),
            expiry: account.status(None).credential_expiry,
            calls: calls.into_values().collect(),
        }
    }

    /// Returns true if every permitted call succeeded, and at least one did.
    fn is_good(&self) -> bool {
        let is_bad = |call: &CallSummary| matches!(call.outcome, Outcome::Failed { .. } | Outcome::Running);
        self.calls.iter().any(|call| call.outcome == Outcome::Success) && !self.calls.iter().any(is_bad)
    }
}

impl Outcome {
    fn of(status: &CallStatus) -> Self {
        match status.error() {
            Some(error @ Error::Forbidden(_)) => Self::Forbidden(error.to_string()),
            Some(error) => Self::Failed { reason: error.reason(), text: error.to_string() },
            None if status.facts.is_some() => Self::Success,
            None => Self::Running,
        }
    }

    /// Returns true if the call is known to be permitted, and false if it is known not to be.
    pub(super) const fn is_permitted(&self) -> Option<bool> {
        match self {
            Self::Success => Some(true),
            Self::Forbidden(_) | Self::Unsupported => Some(false),
            Self::Failed { .. } | Self::Running | Self::NothingToCall => None,
        }
    }
}
