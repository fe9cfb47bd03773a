//! The report of `check` as a table and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::check::{AccountSummary, CallSummary, Outcome};
use crate::config::CredentialKind;
use crate::model::UnixTime;

/// Writes a table for each account.
pub(super) fn table(accounts: &[AccountSummary], now: UnixTime) -> String {
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
pub(super) fn json(accounts: &[AccountSummary]) -> String {
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
        Outcome::Success | Outcome::Running | Outcome::NothingToCall => (None, None),
        Outcome::Forbidden(text) => (Some("forbidden"), Some(text)),
        Outcome::Unsupported => (Some("forbidden"), None),
        Outcome::Failed { reason, text } => (Some(*reason), Some(text)),
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

/// Writes the two largest units of a duration, or milliseconds if it is less than a second.
fn round(duration: Duration) -> String {
    let whole = match duration.as_secs() {
        0 => Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or_default().max(1)),
        seconds => Duration::from_secs(seconds),
    };
    let text = humantime::format_duration(whole).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
