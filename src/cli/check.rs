//! `check`: makes every API call once and reports the results, to find out why a metric is missing.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::arguments::CheckFormat;
use super::check_table::table;
use super::output::print;
use super::scrape::collect_once;
use super::{Failure, configuration};
use crate::api::Error;
use crate::collect::account::Account;
use crate::collect::store::CallStatus;
use crate::collect::{self, Keep};
use crate::config::{CredentialKind, CredentialOrigin, Options};
use crate::model::{Call, CallResult, Collector, Organization, Snapshot, UnixTime};
use crate::page::advice;

/// Makes every call once and writes the results to standard output. The exit code is 1 if a permitted call failed, or if
/// no call of an account succeeded.
pub(super) async fn check(options: Options, format: CheckFormat) -> Result<ExitCode, Failure> {
    let (configuration, replay) = configuration(options)?;
    let origins: Vec<_> = configuration.accounts.iter().map(|account| account.origin.clone()).collect();
    let (exporter, _, snapshot) = collect_once(configuration, replay, Keep::default()).await?;
    let accounts = exporter.accounts.iter().zip(&origins);
    let accounts: Vec<_> =
        accounts.map(|(account, origin)| AccountSummary::new(account, origin, &snapshot)).collect();
    print(match format {
        CheckFormat::Table => table(&accounts, exporter.clock.now()),
        CheckFormat::Json => json(&accounts),
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
    /// True if compute times contradict each other; `None` if that cannot be told.
    pub(super) compute_time_unit_mismatch: Option<bool>,
    /// The organizations that were found, with the names that may be shown.
    pub(super) organizations: Vec<(u64, Option<String>)>,
    /// Calls, those that failed first.
    pub(super) calls: Vec<CallSummary>,
}

/// Calls of one collector with the same outcome.
#[derive(Debug)]
pub(super) struct CallSummary {
    pub(super) collector: Collector,
    pub(super) outcome: Outcome,
    /// Number of calls that were made.
    pub(super) made: usize,
    /// Number of other calls.
    pub(super) others: usize,
    /// One of the calls.
    pub(super) example: Call,
    pub(super) longest: Option<Duration>,
}

/// The outcome of a call, the most severe first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Failed {
        reason: &'static str,
        text: String,
        advice: &'static str,
    },
    /// Still running at the deadline.
    Running,
    /// Not made: the rate limit was reached.
    Deferred,
    /// The API refused the call.
    Forbidden {
        text: String,
        advice: &'static str,
    },
    Success,
    /// Not made: the kind of the credential or of the organization rules it out.
    Unsupported,
    /// Not made: no id for its path is configured or was found.
    NothingToCall,
    /// Not made: the collector is off by default.
    Off,
}

impl AccountSummary {
    fn new(account: &Account, origin: &CredentialOrigin, snapshot: &Snapshot) -> Self {
        let mut calls: BTreeMap<(Outcome, Collector), CallSummary> = BTreeMap::new();
        let mut add = |call: Call, outcome: Outcome, duration: Option<Duration>, is_made: bool| {
            let collector = call.collector;
            let summary = calls.entry((outcome.clone(), collector)).or_insert_with(|| CallSummary {
                collector,
                outcome,
                made: 0,
                others: 0,
                example: call,
                longest: None,
            });
            *(if is_made { &mut summary.made } else { &mut summary.others }) += 1;
            summary.longest = summary.longest.max(duration);
        };
        let mut without_call = account.scope.collectors.clone();
        let statuses = account.store().statuses();
        for (call, status) in &statuses {
            without_call.remove(&call.collector);
            let outcome = Outcome::of(status, origin);
            let is_made = outcome != Outcome::Deferred && !matches!(status.error(), Some(Error::Paused { .. }));
            add(*call, outcome, status.duration, is_made);
        }
        let is_unsupported =
            |row: &&CallResult| row.account == account.name && !row.supported && row.duration.is_none();
        for row in snapshot.call_results.iter().filter(is_unsupported) {
            if let Some(collector) = Collector::named(row.collector) {
                without_call.remove(&collector);
                let ids = (row.organization_id, row.user_id);
                let call = Call { organization_id: ids.0, user_id: ids.1, ..Call::of(collector) };
                add(call, Outcome::Unsupported, None, false);
            }
        }
        for collector in without_call {
            add(Call::of(collector), Outcome::NothingToCall, None, false);
        }
        let is_off = |it: &Collector| !it.is_on_by_default() && !account.scope.collectors.contains(it);
        for collector in Collector::ALL.into_iter().filter(is_off) {
            add(Call::of(collector), Outcome::Off, None, false);
        }
        let facts = collect::latest(account, &statuses);
        let status = account.status(None, &facts);
        let organizations = facts.organizations.values();
        let name = |organization: &Organization| organization.info.shown_name().map(str::to_owned);
        Self {
            name: account.name.to_string(),
            credential: account.kind(),
            expiry: status.credential_expiry,
            compute_time_unit_mismatch: status.compute_time_unit_mismatch,
            organizations: organizations.map(|organization| (organization.id, name(organization))).collect(),
            calls: calls.into_values().collect(),
        }
    }

    /// Returns true if every permitted call succeeded, and at least one did.
    pub(super) fn is_good(&self) -> bool {
        self.made(|outcome| *outcome == Outcome::Success) > 0
            && !self.calls.iter().any(|call| call.outcome.is_failure())
    }

    /// Returns how many calls with such an outcome were made.
    pub(super) fn made(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        self.calls.iter().filter(|call| is(&call.outcome)).map(|call| call.made).sum()
    }
}

impl Outcome {
    fn of(status: &CallStatus, origin: &CredentialOrigin) -> Self {
        match status.error() {
            Some(error @ Error::Forbidden(_)) => {
                Self::Forbidden { text: error.to_string(), advice: advice(error, origin) }
            }
            Some(error) => {
                Self::Failed { reason: error.reason(), text: error.to_string(), advice: advice(error, origin) }
            }
            None if status.facts.is_some() => Self::Success,
            None if status.late_since.is_some() => Self::Running,
            None => Self::Deferred,
        }
    }

    /// Returns true if the call should have succeeded.
    pub(super) const fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Running | Self::Deferred)
    }

    /// Returns what to do about it.
    pub(super) const fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Failed { advice, .. } | Self::Forbidden { advice, .. } => Some(advice),
            Self::Running => Some("Check the network and the proxy; if the API is slow, raise --api.timeout."),
            Self::Deferred => Some("Raise --api.calls-per-minute, or read fewer organizations."),
            Self::Success | Self::Unsupported | Self::NothingToCall | Self::Off => None,
        }
    }

    /// Returns true or false if the result shows whether the call is permitted.
    const fn is_permitted(&self) -> Option<bool> {
        match self {
            Self::Success => Some(true),
            Self::Forbidden { .. } | Self::Unsupported => Some(false),
            Self::Failed { .. } | Self::Running | Self::Deferred | Self::NothingToCall | Self::Off => None,
        }
    }
}

/// Writes an array with an object for each account.
fn json(accounts: &[AccountSummary]) -> String {
    let organization = |(id, name): &(u64, Option<String>)| json!({ "id": id, "name": name });
    let accounts = accounts.iter().map(|account| {
        json!({
            "account": account.name,
            "credential": account.credential.name(),
            "expiry_timestamp_seconds": account.expiry,
            "compute_time_unit_mismatch": account.compute_time_unit_mismatch,
            "organizations": account.organizations.iter().map(organization).collect::<Vec<_>>(),
            "checks": account.calls.iter().map(object).collect::<Vec<_>>(),
        })
    });
    format!("{:#}\n", Value::Array(accounts.collect()))
}

fn object(summary: &CallSummary) -> Value {
    let (reason, error) = match &summary.outcome {
        Outcome::Forbidden { text, .. } => (Some("forbidden"), Some(text)),
        Outcome::Unsupported => (Some("forbidden"), None),
        Outcome::Failed { reason, text, .. } => (Some(*reason), Some(text)),
        Outcome::Success | Outcome::Running | Outcome::Deferred | Outcome::NothingToCall | Outcome::Off => {
            (None, None)
        }
    };
    json!({
        "collector": summary.collector.name(),
        "endpoint": summary.collector.endpoint(),
        "calls": summary.made,
        "answered": summary.outcome == Outcome::Success,
        "permitted": summary.outcome.is_permitted(),
        "needs": summary.collector.needs(),
        "reason": reason,
        "error": error,
        "what_to_do": summary.outcome.advice(),
        "longest_call_seconds": summary.longest.map(|longest| longest.as_secs_f64()),
    })
}
