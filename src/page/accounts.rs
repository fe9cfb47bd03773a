//! Accounts with the state of their credentials and calls.

use maud::{Markup, html};

use super::format;
use super::state::{AccountPageState, CallCounts, PageState};
use crate::collect::account::UNIT_MISMATCH;
use crate::config::CredentialKind;

/// Renders the accounts.
pub(super) fn render(state: &PageState<'_>) -> Markup {
    html! {
        section aria-labelledby="accounts" {
            h2 #accounts tabindex="-1" { "Accounts" }
            ul.accounts {
                @for account in &state.accounts {
                    li {
                        (render_account(account, state))
                        // The summary of the page has the counts of a single account.
                        @if state.accounts.len() > 1 { p { (render_counts(account.counts())) } }
                    }
                }
            }
        }
    }
}

fn render_account(account: &AccountPageState<'_>, state: &PageState<'_>) -> Markup {
    let (now, sources) = (state.now, &state.exporter.configuration.sources);
    let status = &account.status;
    let with_article = match account.account.kind() {
        CredentialKind::ApiKey => "an API key",
        CredentialKind::Jwt => "a JWT",
    };
    html! {
        h3 { "Account " (status.name) }
        p {
            "Authenticates with " (with_article) " (" (account.options.origin) ")"
            (render_expiry(status.credential_expiry, now))
        }
        @if !status.credential_loaded {
            p.bad { "The credential could not be reloaded; the previous one is in use. The log contains the error." }
        }
        @if status.compute_time_unit_mismatch == Some(true) {
            p.bad { "Compute time: " (sources.named_in(UNIT_MISMATCH)) "." }
        }
        @if let Some(end) = status.pause_end.filter(|end| *end > now) {
            p.bad { "Rate limited: no calls for another " (format::duration(format::between(now, end))) "." }
        }
    }
}

fn render_expiry(expiry: Option<f64>, now: f64) -> Markup {
    html! {
        @match expiry {
            None => ".",
            Some(expiry) if expiry <= now => {
                ", " span.bad { "which expired " (format::when(expiry, now)) ": provide a new one." }
            }
            Some(expiry) => { ", which expires " (format::when(expiry, now)) "." }
        }
    }
}

/// Renders in a sentence how many calls succeeded.
pub(super) fn render_counts(counts: CallCounts) -> Markup {
    let CallCounts { all, failed, late, forbidden, queued } = counts;
    let made = all - queued;
    let be = |count: usize| if count == 1 { "is" } else { "are" };
    let mut problems = Vec::new();
    for (count, problem) in [
        (failed, "failed".to_owned()),
        (late, format!("{} late", be(late))),
        (forbidden, format!("{} not permitted", be(forbidden))),
    ] {
        match (count, problems.is_empty()) {
            (0, _) => {}
            (_, true) => problems.push(format!(
                "{} of {} {problem}",
                format::integer(count),
                format::quantity(made, "call", "calls")
            )),
            (_, false) => problems.push(format!("{} {problem}", format::integer(count))),
        }
    }
    html! {
        @if made == 0 {
            "Not scraped yet."
        } @else if problems.is_empty() {
            span.good {
                @if made == 1 { "The only call succeeded." } @else { "All " (format::integer(made)) " calls succeeded." }
            }
        } @else {
            span.bad[failed + late > 0] { (problems.join(", ")) } ": see " a href="#collectors" { "Collectors" } "."
        }
        @if queued > 0 { " " (format::quantity(queued, "call is", "calls are")) " queued." }
    }
}
