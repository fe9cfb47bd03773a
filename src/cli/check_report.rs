//! What each account may ask, and what comes of it: the answer to "why is this metric missing?".

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::Error;
use crate::collect::Account;
use crate::collect::Exporter;
use crate::collect::store::CallStatus;
use crate::model::{Call, Collector};
use crate::model::{Snapshot, UnixTime};

/// What was found out about every account.
#[derive(Debug)]
pub struct Report {
    now: UnixTime,
    accounts: Vec<Checked>,
}

/// An account, and how its calls went.
#[derive(Debug)]
struct Checked {
    name: String,
    credential: &'static str,
    expiry: Option<UnixTime>,
    findings: Vec<CallSummary>,
}

/// Calls of one collector that went the same way.
#[derive(Debug)]
struct CallSummary {
    collector: Collector,
    outcome: Outcome,
    calls: usize,
    /// One of the calls.
    example: Call,
    longest: Option<Duration>,
}

/// How a call went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Answered,
    /// The API refuses it to this credential, or the kind of credential rules it out.
    NotPermitted(Option<String>),
    Failed {
        reason: &'static str,
        text: String,
    },
    /// It is still under way.
    Unanswered,
    /// There was nothing to ask about.
    NotAsked,
}

impl Report {
    /// Takes together what `exporter` has learned with the scrape that gave `snapshot`.
    #[must_use]
    pub fn new(exporter: &Exporter, snapshot: &Snapshot) -> Self {
        let accounts = exporter.accounts.iter().map(|account| Checked::new(account, snapshot)).collect();
        Self { now: exporter.clock.now(), accounts }
    }

    /// Tells whether every call that is permitted was answered, and there was one in each account.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.accounts.iter().all(|account| {
            let is_bad =
                |finding: &CallSummary| matches!(finding.outcome, Outcome::Failed { .. } | Outcome::Unanswered);
            let is_answered = |finding: &CallSummary| finding.outcome == Outcome::Answered;
            account.findings.iter().any(is_answered) && !account.findings.iter().any(is_bad)
        })
    }

    /// Writes the report for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        for account in &self.accounts {
            let expiry = match account.expiry {
                None => "does not say when it expires".to_owned(),
                Some(expiry) if expiry <= self.now => "has expired".to_owned(),
                Some(expiry) => {
                    // A token may name a time that no duration reaches.
                    let remaining = Duration::try_from_secs_f64(expiry - self.now).unwrap_or(Duration::MAX);
                    format!("expires in {}", round(remaining))
                }
            };
            let mut rows = vec![["COLLECTOR", "CALLS", "PERMITTED", "NEEDS", "ANSWER"].map(str::to_owned)];
            rows.extend(account.findings.iter().map(CallSummary::row));
            // Writing to a `String` does not fail.
            let _ = writeln!(text, "Account {}: its {} {expiry}.", account.name, account.credential);
            text += &columns(&rows);
            text += "\n";
        }
        text
    }

    /// Writes the report for machines: an array with an object for each account.
    #[must_use]
    pub fn json(&self) -> String {
        let accounts = self.accounts.iter().map(|account| {
            json!({
                "account": account.name,
                "credential": account.credential,
                "expiry_timestamp_seconds": account.expiry,
                "checks": account.findings.iter().map(CallSummary::json).collect::<Vec<_>>(),
            })
        });
        format!("{:#}\n", Value::Array(accounts.collect()))
    }
}

impl Checked {
    fn new(account: &Account, snapshot: &Snapshot) -> Self {
        let mut findings: BTreeMap<(Collector, Outcome), CallSummary> = BTreeMap::new();
        let mut add = |call: Call, outcome: Outcome, duration: Option<Duration>| {
            let collector = call.collector;
            let finding = findings.entry((collector, outcome.clone())).or_insert_with(|| CallSummary {
                collector,
                outcome,
                calls: 0,
                example: call,
                longest: None,
            });
            finding.calls += 1;
            finding.longest = finding.longest.max(duration);
        };
        for (call, history) in account.store().statuses() {
            add(call, Outcome::of(&history), history.duration);
        }
        // What the kind of credential rules out was not called.
        for row in snapshot.call_results.iter().filter(|row| row.account == account.name && !row.supported) {
            let collector = Collector::ALL.into_iter().find(|collector| collector.name() == row.collector);
            let is_called = |call: Call| account.store().statuses().iter().any(|(called, _)| *called == call);
            if let Some(collector) = collector {
                let call =
                    Call { organization_id: row.organization_id, user_id: row.user_id, ..Call::of(collector) };
                if !is_called(call) && row.duration.is_none() {
                    add(call, Outcome::NotPermitted(None), None);
                }
            }
        }
        for collector in account.scope.collectors.iter().copied() {
            if !findings.keys().any(|(known, _)| *known == collector) {
                let (outcome, example) = (Outcome::NotAsked, Call::of(collector));
                let finding =
                    CallSummary { collector, outcome: outcome.clone(), calls: 0, example, longest: None };
                findings.insert((collector, outcome), finding);
            }
        }
        Self {
            name: account.name.to_string(),
            credential: account.kind().name(),
            expiry: account.status(None).credential_expiry,
            findings: findings.into_values().collect(),
        }
    }
}

impl Outcome {
    fn of(history: &CallStatus) -> Self {
        match (&history.last_failure, &history.facts) {
            (Some((Error::Forbidden(said), _)), _) if history.is_failing => {
                Self::NotPermitted(Some(Error::Forbidden(said.clone()).to_string()))
            }
            (Some((error, _)), _) if history.is_failing => {
                Self::Failed { reason: error.reason(), text: error.to_string() }
            }
            (_, Some(_)) => Self::Answered,
            (_, None) => Self::Unanswered,
        }
    }

    const fn permitted(&self) -> Option<bool> {
        match self {
            Self::Answered => Some(true),
            Self::NotPermitted(_) => Some(false),
            Self::Failed { .. } | Self::Unanswered | Self::NotAsked => None,
        }
    }
}

impl CallSummary {
    fn row(&self) -> [String; 5] {
        let permitted = match self.outcome.permitted() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not known",
        };
        let answer = match &self.outcome {
            Outcome::Answered => {
                format!("readable, in {}", self.longest.map(round).unwrap_or_default())
            }
            Outcome::NotPermitted(None) => {
                "not asked: ruled out for this credential or organization".to_owned()
            }
            Outcome::NotPermitted(Some(text)) => format!("GET {}: {text}", self.example),
            Outcome::Failed { reason, text } => format!("GET {}: {reason}: {text}", self.example),
            Outcome::Unanswered => format!("GET {}: none so far", self.example),
            Outcome::NotAsked => "not asked: there is nothing to ask about".to_owned(),
        };
        let needs = self.collector.needs().to_owned();
        [self.collector.name().to_owned(), self.calls.to_string(), permitted.to_owned(), needs, answer]
    }

    fn json(&self) -> Value {
        let (reason, error) = match &self.outcome {
            Outcome::Answered | Outcome::Unanswered | Outcome::NotAsked => (None, None),
            Outcome::NotPermitted(text) => (Some("forbidden"), text.as_ref()),
            Outcome::Failed { reason, text } => (Some(*reason), Some(text)),
        };
        json!({
            "collector": self.collector.name(),
            "endpoint": self.collector.endpoint(),
            "calls": self.calls,
            "answered": self.outcome == Outcome::Answered,
            "permitted": self.outcome.permitted(),
            "needs": self.collector.needs(),
            "reason": reason,
            "error": error,
            "longest_call_seconds": self.longest.map(|longest| longest.as_secs_f64()),
        })
    }
}

/// Returns rows as lines, each column as wide as its widest cell.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
            let _ = write!(line, "  {cell:width$}");
        }
        text += line.trim_end();
        text += "\n";
    }
    text
}

/// Writes a duration for people: its two largest units, of less than a second milliseconds.
fn round(duration: Duration) -> String {
    let whole = match duration.as_secs() {
        0 => Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or_default().max(1)),
        seconds => Duration::from_secs(seconds),
    };
    let text = humantime::format_duration(whole).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
