//! The accounts, and what each of their collectors has read, what went wrong and what to do.

use maud::{Markup, html};
use tokio::time::Instant;

use super::advice::advice;
use super::state::{AccountPageState, Count, PageState};
use super::summary::{CallSummary, Trouble, What};
use super::words;
use crate::config::CredentialKind;
use crate::model::{Call, Collector};

/// Most organizations or users that are named beside an error.
const MOST_NAMED: usize = 5;

/// Writes each account with the state of its credential.
pub(super) fn render_accounts(known: &PageState<'_>) -> Markup {
    html! {
        section aria-labelledby="accounts" {
            h2 #accounts tabindex="-1" { "Accounts" }
            ul.accounts {
                @for account in &known.accounts { li { (render_account(account, known)) } }
            }
        }
    }
}

fn render_account(known_account: &AccountPageState<'_>, known: &PageState<'_>) -> Markup {
    let AccountPageState { account, options, state, .. } = known_account;
    let with_article = match account.kind() {
        CredentialKind::ApiKey => "an API key",
        CredentialKind::Jwt => "a JWT",
    };
    html! {
        h3 { "Account " (state.name) }
        p { "Authenticates with " (with_article) " (" (options.origin) ")" (render_expiry(state.credential_expiry, known.now)) }
        @if !state.credential_loaded {
            p.bad { "The credential could not be loaded again; the last good one is in use." }
        }
        @if let Some(end) = state.pause_end.filter(|end| *end > known.now) {
            p.bad {
                "The API asked to be left alone for another " (words::span(words::between(known.now, end)))
                ": no call is made until then."
            }
        }
        p { (render_count(known_account.count())) }
    }
}

/// Says in a sentence how calls went.
pub(super) fn render_count(count: Count) -> Markup {
    let Count { calls, troubled, forbidden, waiting } = count;
    let made = calls - waiting;
    let is_or_are = |count: usize, one, many| if count == 1 { one } else { many };
    html! {
        @if made == 0 {
            "Nothing was read yet."
        } @else if troubled + forbidden == 0 {
            span.good { "All " (words::quantity(made, "call works", "calls work")) "." }
        } @else {
            @if troubled > 0 {
                span.bad {
                    (words::whole(troubled)) " of " (words::quantity(made, "call ", "calls "))
                    (is_or_are(troubled, "fails or is late", "fail or are late"))
                }
            } @else {
                (words::whole(made - forbidden)) " of " (words::quantity(made, "call ", "calls "))
                (is_or_are(made - forbidden, "works", "work"))
            }
            @if forbidden > 0 { ", " (words::whole(forbidden)) (is_or_are(forbidden, " is", " are")) " not permitted" }
            ": see " a href="#collectors" { "Collectors" } "."
        }
        @if waiting > 0 { " " (words::quantity(waiting, "call waits for its turn.", "calls wait for their turn.")) }
    }
}

fn render_expiry(expiry: Option<f64>, now: f64) -> Markup {
    html! {
        @match expiry {
            None => ".",
            Some(expiry) if expiry <= now => {
                ", " span.bad { "which expired " (words::when(expiry, now)) ": provide a new one." }
            }
            Some(expiry) => { ", which expires " (words::when(expiry, now)) "." }
        }
    }
}

/// Writes what the collectors of each account have read.
pub(super) fn render_collectors(known: &PageState<'_>) -> Markup {
    html! {
        section aria-labelledby="collectors" {
            h2 #collectors tabindex="-1" { "Collectors" }
            @for account in &known.accounts {
                @let (asked, silent): (Vec<_>, Vec<_>) =
                    CallSummary::of_account(account).into_iter().partition(|finding| finding.calls > 0);
                h3 { "Collectors of account " (account.state.name) }
                @if asked.is_empty() {
                    p { "Nothing was read yet." }
                } @else {
                    (render_findings(&asked, account, known))
                    (render_silent(&silent, account))
                }
            }
        }
    }
}

fn render_findings(
    findings: &[CallSummary<'_>],
    account: &AccountPageState<'_>,
    known: &PageState<'_>,
) -> Markup {
    html! {
        table.collectors role="table" {
            caption { "What account " (account.state.name) " has read, and what went wrong" }
            thead role="rowgroup" {
                tr role="row" {
                    th role="columnheader" scope="col" { "Collector" }
                    th role="columnheader" scope="col" { "Calls" }
                    th role="columnheader" scope="col" { "Last read" }
                    th role="columnheader" scope="col" { "Last error, and what to do" }
                }
            }
            tbody role="rowgroup" { @for finding in findings { (render_finding(finding, account, known)) } }
        }
    }
}

/// Writes which collectors make no call, and why.
fn render_silent(silent: &[CallSummary<'_>], account: &AccountPageState<'_>) -> Markup {
    let kind = account.account.kind();
    let (mut need_jwt, mut idle) = (Vec::new(), Vec::new());
    for collector in silent.iter().map(|finding| finding.collector) {
        let names =
            if collector.needs_jwt() && kind == CredentialKind::ApiKey { &mut need_jwt } else { &mut idle };
        names.push(collector.name());
    }
    let is_on = |collector: &Collector| account.account.scope.collectors.contains(collector);
    let off = Collector::ALL.into_iter().filter(|collector| !is_on(collector)).map(Collector::name).collect();
    let reasons = [
        ("Not asked, they need a JWT", need_jwt),
        ("Not asked, there is nothing to ask about", idle),
        ("Switched off", off),
    ];
    html! {
        @for (reason, names) in reasons.into_iter().filter(|(_, names)| !names.is_empty()) {
            p.dim { (reason) ": " (names.join(", ")) "." }
        }
    }
}

fn render_finding(finding: &CallSummary<'_>, account: &AccountPageState<'_>, known: &PageState<'_>) -> Markup {
    let ago = |at: Instant| words::span(known.moment.duration_since(at));
    html! {
        tr role="row" {
            th role="rowheader" scope="row" {
                code { (finding.collector.name()) }
                span.note { (finding.collector.about()) }
            }
            td role="cell" {
                span.head aria-hidden="true" { "Calls" }
                span {
                    (words::whole(finding.calls))
                    @if finding.waiting > 0 { span.note { (words::whole(finding.waiting)) " not made yet" } }
                }
            }
            td.when role="cell" {
                span.head aria-hidden="true" { "Last read" }
                @match finding.read {
                    Some((oldest, newest)) if ago(oldest) == ago(newest) => span { (ago(newest)) " ago" },
                    Some((oldest, newest)) => span { (ago(newest)) " to " (ago(oldest)) " ago" },
                    None => span { "never" },
                }
            }
            td.wide role="cell" {
                span.head aria-hidden="true" { "Last error" }
                span {
                    @if finding.waiting == finding.calls { span.dim { "not asked yet" } }
                    @else if finding.troubles.is_empty() { span.good { "none" } }
                    @for trouble in &finding.troubles { (render_trouble(trouble, finding.collector, account, known)) }
                }
            }
        }
    }
}

fn render_trouble(
    trouble: &Trouble<'_>,
    collector: Collector,
    account: &AccountPageState<'_>,
    known: &PageState<'_>,
) -> Markup {
    let since = words::span(known.moment.duration_since(trouble.at));
    let about = about(&trouble.calls);
    html! {
        @match trouble.what {
            What::Fails(error) => {
                p {
                    span.bad { strong { "Fails" } (about) ": " (error) } " " span.dim { "(" (since) " ago)" }
                    br; "What to do: " (advice(error, &account.options.origin))
                }
            }
            What::Late => {
                p.bad { strong { "Late" } (about) ": asked " (since) " ago and has not answered yet" }
            }
            What::Forbidden(error) => {
                p {
                    strong { "Not permitted" } (about) ": " (error) ". It needs " (collector.needs()) "."
                    br; "What to do: " (advice(error, &account.options.origin))
                }
            }
            What::Failed(error) => {
                p.dim { "Over: failed " (since) " ago" (about) ": " (error) }
            }
        }
    }
}

/// Says what calls are about.
fn about(calls: &[Call]) -> String {
    let subject = |call: &Call| match (call.user_id, call.organization_id) {
        (Some(id), _) => Some(format!("user {id}")),
        (None, Some(id)) => Some(format!("organization {id}")),
        (None, None) => None,
    };
    let named: Vec<_> = calls.iter().take(MOST_NAMED).filter_map(subject).collect();
    match (named.as_slice(), calls.len() - named.len()) {
        ([], _) => String::new(),
        (named, 0) => format!(" for {}", named.join(", ")),
        (named, more) => format!(" for {} and {} more", named.join(", "), words::whole(more)),
    }
}
