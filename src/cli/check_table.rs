//! The report of `check` for people: a table of each account, and a verdict.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use super::check::{AccountSummary, CallSummary, Outcome};
use crate::collect::account::UNIT_MISMATCH;
use crate::config::{CredentialKind, OptionSources};
use crate::model::{Collector, UnixTime};

/// Maximum length of a line.
const WIDTH: usize = 100;

/// Maximum organizations that are named.
const MAX_NAMED: usize = 20;

/// Writes a table for each account, then the verdict.
pub(super) fn table(accounts: &[AccountSummary], now: UnixTime, sources: &OptionSources) -> String {
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
        text += &wrap(&format!("Account {}: {expiry}.", account.name), 0);
        text += &wrap(&format!("Organizations: {}.", organizations(account)), 0);
        if account.compute_time_unit_mismatch == Some(true) {
            text += &wrap(&format!("Compute time: {}.", sources.named_in(UNIT_MISMATCH)), 0);
        }
        text += "\n  RESULT   COLLECTOR                 CALLS  DETAILS\n";
        text.extend(account.calls.iter().map(|summary| row(summary, account.credential, sources)));
        text += "\n";
    }
    text + &verdict(accounts, sources)
}

/// Returns the names and ids of the organizations that were found.
fn organizations(account: &AccountSummary) -> String {
    let name = |(id, name): &(u64, Option<String>)| match name {
        Some(name) => format!("{} ({id})", printable(name)),
        None => id.to_string(),
    };
    let named: Vec<_> = account.organizations.iter().take(MAX_NAMED).map(name).collect();
    match account.organizations.len() - named.len() {
        _ if named.is_empty() => "none found".to_owned(),
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Returns a name on one line, without characters that change the terminal or the order of the text.
fn printable(name: &str) -> String {
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let words = name.split_whitespace().map(|word| word.replace(is_odd, "?"));
    words.collect::<Vec<_>>().join(" ")
}

fn row(summary: &CallSummary, credential: CredentialKind, sources: &OptionSources) -> String {
    let CallSummary { collector, outcome, made, others, example, longest } = summary;
    let calls = match made + others {
        0 | 1 => format!("GET {example}"),
        count => format!("GET {example} and {} more", count - 1),
    };
    let (result, details) = match outcome {
        Outcome::Failed { reason, text, .. } => ("failed", format!("{calls}: {reason}: {text}")),
        Outcome::Running => ("failed", format!("{calls}: no response yet")),
        Outcome::Deferred => {
            ("failed", format!("{calls}: not made, {} was reached", sources.name("api.calls-per-minute")))
        }
        Outcome::Forbidden { text, .. } => ("refused", format!("{calls}: {text}; needs {}", collector.needs())),
        Outcome::Success => ("ok", format!("in {}", longest.map(round).unwrap_or_default())),
        Outcome::Unsupported if collector.needs_jwt() => ("skipped", "needs a JWT".to_owned()),
        Outcome::Unsupported if example.organization_id.is_none() => {
            ("skipped", "no white label found".to_owned())
        }
        Outcome::Unsupported => ("skipped", "not available for this organization".to_owned()),
        Outcome::Off => ("skipped", format!("off by default, enable it with --collector.{}", collector.name())),
        Outcome::NothingToCall => ("skipped", nothing_to_call(*collector, credential).to_owned()),
    };
    let columns = format!("  {result:7}  {:24}  {made:>5}  ", collector.name());
    let width = columns.chars().count();
    columns + wrap(&details, width).trim_start()
}

/// Returns why a collector made no call.
const fn nothing_to_call(collector: Collector, credential: CredentialKind) -> &'static str {
    match (collector, credential) {
        (Collector::Organizations, CredentialKind::Jwt) => "needs an API key",
        (Collector::Organizations, CredentialKind::ApiKey) => "not needed, the organizations are configured",
        _ => "nothing configured, or no organization found",
    }
}

/// Writes how many calls succeeded, and what to do about the others.
fn verdict(accounts: &[AccountSummary], sources: &OptionSources) -> String {
    let made = |is: fn(&Outcome) -> bool| accounts.iter().map(|account| account.made(is)).sum::<usize>();
    let (all, good) = (made(|_| true), made(|outcome| *outcome == Outcome::Success));
    let (failed, refused) =
        (made(Outcome::is_failure), made(|outcome| matches!(outcome, Outcome::Forbidden { .. })));
    let word = if accounts.iter().all(AccountSummary::is_good) { "ok" } else { "failed" };
    let counts = [(good, "succeeded"), (failed, "failed"), (refused, "refused")].into_iter();
    let counts = counts.filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    let calls = if all == 1 { "call" } else { "calls" };
    let mut text = wrap(&format!("Verdict: {word}. {all} {calls} made{}.", counts.collect::<String>()), 0);
    let mut advised: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for summary in accounts.iter().flat_map(|account| &account.calls) {
        let Some(advice) = summary.outcome.advice() else { continue };
        match advised.iter_mut().find(|(known, _)| *known == advice) {
            Some((_, collectors)) => _ = collectors.insert(summary.collector.name()),
            None => advised.push((advice, BTreeSet::from([summary.collector.name()]))),
        }
    }
    for (advice, collectors) in advised {
        let collectors = collectors.into_iter().collect::<Vec<_>>().join(", ");
        text += &wrap(&format!("What to do about {collectors}: {}", sources.named_in(advice)), 0);
    }
    if word == "ok" {
        text += "Next: start the exporter with the same options.\n";
    }
    text
}

/// Breaks a text into lines, all but the first with an indentation. A word that is longer than a line is broken too.
fn wrap(text: &str, indentation: usize) -> String {
    let (width, mut lines, mut line) = (WIDTH - indentation, String::new(), String::new());
    for word in text.split_whitespace() {
        let characters: Vec<char> = word.chars().collect();
        for (index, part) in characters.chunks(width).enumerate() {
            let space = usize::from(index == 0 && !line.is_empty());
            if line.chars().count() + space + part.len() > width {
                let _ = writeln!(lines, "{:indentation$}{line}", "");
                line.clear();
            } else if space == 1 {
                line.push(' ');
            }
            line.extend(part);
        }
    }
    let _ = writeln!(lines, "{:indentation$}{line}", "");
    lines
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
