//! `check`: makes every API call once and reports the results, to find out why a metric is missing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::arguments::CheckFormat;
use super::output::print;
use super::scrape::collect_once;
use super::{Failure, configuration};
use crate::api::Error;
use crate::collect::Keep;
use crate::collect::account::Account;
use crate::collect::store::CallStatus;
use crate::config::{CredentialKind, Options};
use crate::model::{Call, CallResult, Collector, Snapshot, UnixTime};

/// Makes every call once and writes the results to standard output. The exit code is 1 if a permitted call failed, or if
/// no call of an account succeeded.
pub(super) async fn check(options: Options, format: CheckFormat) -> Result<ExitCode, Failure> {
    let (configuration, replay) = configuration(options)?;
    let (exporter, _, snapshot) = collect_once(configuration, replay, Keep::default()).await?;
    let accounts: Vec<_> =
        exporter.accounts.iter().map(|account| AccountSummary::new(account, &snapshot)).collect();
    print(match format {
        CheckFormat::Table => table(&accounts, exporter.clock.now()),
        CheckFormat::Json => json(&accounts),
    })?;
    let is_good = accounts.iter().all(AccountSummary::is_good);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An account and the results of its calls.
#[derive(Debug)]
struct AccountSummary {
    name: String,
    credential: CredentialKind,
    expiry: Option<UnixTime>,
    calls: Vec<CallSummary>,
}

/// Calls of one collector with the same outcome.
#[derive(Debug)]
struct CallSummary {
    collector: Collector,
    outcome: Outcome,
    count: usize,
    /// One of the calls.
    example: Call,
    longest: Option<Duration>,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
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

    /// Returns true or false if the result shows whether the call is permitted.
    const fn is_permitted(&self) -> Option<bool> {
        match self {
            Self::Success => Some(true),
            Self::Forbidden(_) | Self::Unsupported => Some(false),
            Self::Failed { .. } | Self::Running | Self::NothingToCall => None,
        }
    }
}

/// Writes a table for each account.
fn table(accounts: &[AccountSummary], now: UnixTime) -> String {
    let mut text = String::new();
    for account in accounts {
        let expiry = match (account.expiry, account.credential) {
            (None, CredentialKind::ApiKey) => "API keys carry no expiry date".to_owned(),
            (None, CredentialKind::Jwt) => "the JWT carries no expiry date".to_owned(),
            (Some(expiry), _) if expiry <= now => "the JWT has expired".to_owned(),
            (Some(expiry), _) => {
                // `exp` may be further away than a `Duration` can hold.
                let remaining = Duration::try_from_secs_f64(expiry - now).unwrap_or(Duration::MAX);
                format!("the JWT expires in {}", round(remaining))
            }
        };
        let mut rows = vec![["COLLECTOR", "CALLS", "PERMITTED", "NEEDS", "RESULT"].map(str::to_owned)];
        rows.extend(account.calls.iter().map(row));
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "Account {}: {expiry}.", account.name);
        text += &columns(&rows);
        text += "\n";
    }
    text
}

/// Writes an array with an object for each account.
fn json(accounts: &[AccountSummary]) -> String {
    let accounts = accounts.iter().map(|account| {
        json!({
            "account": account.name,
            "credential": account.credential.name(),
            "expiry_timestamp_seconds": account.expiry,
            "checks": account.calls.iter().map(object).collect::<Vec<_>>(),
        })
    });
    format!("{:#}\n", Value::Array(accounts.collect()))
}

fn row(summary: &CallSummary) -> [String; 5] {
    let CallSummary { collector, outcome, count, example, longest } = summary;
    let permitted = match outcome.is_permitted() {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let text = match outcome {
        Outcome::Success => format!("ok, in {}", longest.map(round).unwrap_or_default()),
        Outcome::Forbidden(text) => format!("GET {example}: {text}"),
        Outcome::Failed { reason, text } => format!("GET {example}: {reason}: {text}"),
        Outcome::Running => format!("GET {example}: no response yet"),
        Outcome::Unsupported if collector.needs_jwt() => "skipped: needs a JWT".to_owned(),
        Outcome::Unsupported if example.organization_id.is_none() => "skipped: no white label found".to_owned(),
        Outcome::Unsupported => "skipped: not available for this organization".to_owned(),
        Outcome::NothingToCall => "skipped: nothing configured, or no organization found".to_owned(),
    };
    let (name, needs) = (collector.name().to_owned(), collector.needs().to_owned());
    [name, count.to_string(), permitted.to_owned(), needs, text]
}

fn object(summary: &CallSummary) -> Value {
    let (reason, error) = match &summary.outcome {
        Outcome::Forbidden(text) => (Some("forbidden"), Some(text)),
        Outcome::Unsupported => (Some("forbidden"), None),
        Outcome::Failed { reason, text } => (Some(*reason), Some(text)),
        Outcome::Success | Outcome::Running | Outcome::NothingToCall => (None, None),
    };
    json!({
        "collector": summary.collector.name(),
        "endpoint": summary.collector.endpoint(),
        "calls": summary.count,
        "answered": summary.outcome == Outcome::Success,
        "permitted": summary.outcome.is_permitted(),
        "needs": summary.collector.needs(),
        "reason": reason,
        "error": error,
        "longest_call_seconds": summary.longest.map(|longest| longest.as_secs_f64()),
    })
}

/// Aligns the columns of a table.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("  {cell:width$}"));
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Writes the two largest units of a duration, or milliseconds if it is less than a second.
fn round(duration: Duration) -> String {
    let whole = match duration.as_secs() {
        0 => Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or_default().max(1)),
        seconds => Duration::from_secs(seconds),
    };
    let text = humantime::format_duration(whole).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
