//! Collectors of each account: calls, last successful read, last error and advice.

use std::collections::BTreeMap;

use maud::{Markup, html};
use tokio::time::Instant;

use super::advice::advice;
use super::format;
use super::state::{AccountPageState, PageState, Problem};
use super::summary::{CallSummary, ProblemGroup};
use crate::config::CredentialKind;
use crate::model::{Call, Collector};

/// Maximum organizations or users that an error lists.
const MAX_NAMED: usize = 5;

/// Renders the collectors of each account.
pub(super) fn render(state: &PageState<'_>) -> Markup {
    html! {
        section aria-labelledby="collectors" {
            h2 #collectors tabindex="-1" { "Collectors" }
            @for account in &state.accounts {
                @let (active, skipped): (Vec<_>, Vec<_>) =
                    CallSummary::of_account(account).into_iter().partition(|summary| summary.calls > 0);
                h3 { "Collectors of account " (account.options.name) }
                @if active.is_empty() {
                    p { "Not scraped yet." }
                } @else {
                    (render_table(&active, account, state))
                    (render_skipped(&skipped, account))
                }
            }
        }
    }
}

fn render_table(
    summaries: &[CallSummary<'_>],
    account: &AccountPageState<'_>,
    state: &PageState<'_>,
) -> Markup {
    html! {
        table.collectors role="table" {
            caption { "Calls, last successful read and last error, account " (account.options.name) }
            (super::table_head(&["Collector", "Calls", "Last read", "Last error and what to do"]))
            tbody role="rowgroup" { @for summary in summaries { (render_row(summary, account, state)) } }
        }
    }
}

/// Renders which collectors make no calls, and why.
fn render_skipped(skipped: &[CallSummary<'_>], account: &AccountPageState<'_>) -> Markup {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for collector in skipped.iter().map(|summary| summary.collector) {
        reasons.entry(skip_reason(collector, account.account.kind())).or_default().push(collector.name());
    }
    let is_enabled = |collector: &Collector| account.account.scope.collectors.contains(collector);
    for collector in Collector::ALL.into_iter().filter(|collector| !is_enabled(collector)) {
        let reason = if collector.is_on_by_default() { "Disabled" } else { "Off by default" };
        reasons.entry(reason).or_default().push(collector.name());
    }
    html! {
        @for (reason, collectors) in reasons { p.dim { (reason) ": " (collectors.join(", ")) "." } }
    }
}

fn skip_reason(collector: Collector, kind: CredentialKind) -> &'static str {
    match (collector, kind) {
        (Collector::Organizations, CredentialKind::ApiKey) => "Skipped, organization ids are configured",
        (Collector::Organizations, CredentialKind::Jwt) => "Skipped, needs an API key",
        (_, CredentialKind::ApiKey) if collector.needs_jwt() => "Skipped, needs a JWT",
        _ => "Skipped, nothing configured or no organization found",
    }
}

fn render_row(summary: &CallSummary<'_>, account: &AccountPageState<'_>, state: &PageState<'_>) -> Markup {
    let age = |at: Instant| format::duration(state.moment.duration_since(at));
    html! {
        tr role="row" {
            th role="rowheader" scope="row" {
                code { (summary.collector.name()) }
                span.note { (summary.collector.about()) }
            }
            td role="cell" {
                span.head aria-hidden="true" { "Calls" }
                span {
                    (format::integer(summary.calls))
                    @if summary.queued > 0 { span.note { (format::integer(summary.queued)) " queued" } }
                }
            }
            td.when role="cell" {
                span.head aria-hidden="true" { "Last read" }
                @match summary.read {
                    Some((oldest, newest)) if age(oldest) == age(newest) => span { (age(newest)) " ago" },
                    Some((oldest, newest)) => span { (age(newest)) " to " (age(oldest)) " ago" },
                    None => span { "never" },
                }
            }
            td.wide role="cell" {
                span.head aria-hidden="true" { "Last error" }
                span {
                    @if summary.queued == summary.calls { span.dim { "not scraped yet" } }
                    @else if summary.problems().len() == 0 { span.good { "none" } }
                    @for group in summary.problems() { (render_problem(group, summary.collector, account, state)) }
                }
            }
        }
    }
}

fn render_problem(
    group: &ProblemGroup<'_>,
    collector: Collector,
    account: &AccountPageState<'_>,
    state: &PageState<'_>,
) -> Markup {
    let age = format::duration(state.moment.duration_since(group.at));
    let subjects = subjects(&group.calls);
    let advice = |error| html! { br; "What to do: " (advice(error, &account.options.origin)) };
    html! {
        @match group.problem {
            Problem::Failing(error) => {
                p {
                    span.bad { strong { "Failing" } (subjects) ": " (error) } " " span.dim { "(" (age) " ago)" }
                    (advice(error))
                }
            }
            Problem::Late => {
                p.bad { strong { "Late" } (subjects) ": called " (age) " ago, no response yet" }
            }
            Problem::Forbidden(error) => {
                p {
                    strong { "Forbidden" } (subjects) ": " (error) ". Requires " (collector.needs()) "."
                    (advice(error))
                }
            }
            Problem::Resolved(error) => {
                p.dim { "Resolved: failed " (age) " ago" (subjects) ": " (error) }
            }
        }
    }
}

/// Returns the organizations or users that calls are about, e.g. ` for organizations 1, 2`.
fn subjects(calls: &[Call]) -> String {
    let id = |call: &Call| call.user_id.or(call.organization_id);
    let ids: Vec<_> = calls.iter().filter_map(id).take(MAX_NAMED).map(|id| id.to_string()).collect();
    let Some(first) = calls.first().filter(|call| id(call).is_some()) else { return String::new() };
    let noun = if first.user_id.is_some() { "user" } else { "organization" };
    let plural = if ids.len() == 1 { "" } else { "s" };
    let more = match calls.len() - ids.len() {
        0 => String::new(),
        more => format!(" and {} more", format::integer(more)),
    };
    format!(" for {noun}{plural} {}{more}", ids.join(", "))
}
