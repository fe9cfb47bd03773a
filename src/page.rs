//! The page at `/`, for people: what is read, when it was last read, and what went wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use tokio::time::Instant;

use crate::account::Account;
use crate::api::Error;
use crate::cell::History;
use crate::collector::{Call, Collector};
use crate::credential::Kind;
use crate::exporter::Exporter;
use crate::snapshot::Facts;

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #2a7d2e; --bad: #b3261e; --dim: #666 }
@media (prefers-color-scheme: dark) { :root { --good: #7fd183; --bad: #ff8a80; --dim: #aaa } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2rem 0 .25rem }
p { margin: .25rem 0 } .dim { color: var(--dim) } .good { color: var(--good) } .bad { color: var(--bad) }
nav { margin: 1rem 0 } nav a { margin-right: 1.25rem }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; margin-top: .5rem }
th, td { text-align: left; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600 } td.name { overflow-wrap: anywhere } td.when { white-space: nowrap } code { background: var(--soft); padding: .1em .3em; border-radius: 3px }
";

/// Writes the page from what is known already; nothing is asked.
pub(crate) fn render(exporter: &Exporter, is_encrypted: bool) -> Markup {
    let now = exporter.clock.now();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Edge Impulse exporter" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Edge Impulse exporter" }
                    p.dim {
                        "Version " (env!("CARGO_PKG_VERSION")) ", revision " (env!("BUILD_REVISION"))
                        ". Reads " code { (exporter.configuration.api.url) } " when it is scraped."
                        @if is_encrypted { " This page came over https." }
                    }
                }
                nav {
                    a href=(exporter.web().telemetry_path) { "Metrics" }
                    a href="/-/healthy" { "Healthy" }
                    a href="/-/ready" { "Ready" }
                    a href="https://docs.edgeimpulse.com/apis/studio" rel="noreferrer" { "Edge Impulse API" }
                }
                main {
                    @for account in &exporter.accounts { (render_account(account, now)) }
                }
            }
        }
    }
}

fn render_account(account: &Account, now: f64) -> Markup {
    let state = account.state(None);
    let histories = account.histories();
    let rows = rows(&histories);
    let with_article = match account.kind() {
        Kind::ApiKey => "an API key",
        Kind::Jwt => "a JWT",
    };
    html! {
        section {
            h2 { "Account " (account.name) }
            p { "Authenticates with " (with_article) (render_expiry(state.credential_expiry, now)) }
            @if !state.credential_loaded {
                p.bad { "The credential could not be loaded again; the last good one is in use." }
            }
            @if let Some(end) = state.pause_end.filter(|end| *end > now) {
                p.bad { "The API asked to be left alone for another " (ago(Duration::from_secs_f64(end - now))) "." }
            }
            @if account.kind() == Kind::ApiKey {
                p.dim {
                    "An API key never sees when a trial will expire, only that it did. A JWT sees both."
                }
            }
            @if histories.is_empty() {
                p { "Nothing was read yet: the first scrape does." }
            } @else {
                p { (render_summary(&rows)) }
                div.scroll {
                    table {
                        thead { tr { th { "What" } th { "Last read" } th { "Last error" } } }
                        tbody { @for row in &rows { (render_row(row)) } }
                    }
                }
            }
        }
    }
}

fn render_summary(rows: &[Row<'_>]) -> Markup {
    let count = |is: fn(&Subject) -> bool| rows.iter().filter(|row| is(&row.subject)).count();
    let troubled = rows.iter().filter(|row| row.calls.iter().any(|(_, history)| is_troubled(history))).count();
    html! {
        (count(|subject| matches!(subject, Subject::Organization(_)))) " organizations and "
        (count(|subject| matches!(subject, Subject::User(_)))) " users are read. "
        @match troubled {
            0 => span.good { "All of it works." },
            troubled => span.bad { (troubled) " of the lines below tell of trouble." },
        }
    }
}

fn render_expiry(expiry: Option<f64>, now: f64) -> Markup {
    html! {
        @match expiry {
            None => ".",
            Some(expiry) if expiry <= now => span.bad {
                ", which expired " (ago(Duration::from_secs_f64(now - expiry))) " ago: provide a new one."
            },
            Some(expiry) => { ", which expires in " (ago(Duration::from_secs_f64(expiry - now))) "." }
        }
    }
}

/// One line of the page: an organization, or calls that are about none.
struct Row<'a> {
    subject: Subject,
    name: Option<String>,
    calls: Vec<(&'a Call, &'a History<Facts, Error>)>,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Discovery,
    Organization(u64),
    User(u64),
}

impl Subject {
    fn of(call: &Call) -> Self {
        match (call.user_id, call.organization_id) {
            (Some(id), _) => Self::User(id),
            (None, Some(id)) => Self::Organization(id),
            (None, None) => Self::Discovery,
        }
    }
}

fn rows(histories: &[(Call, History<Facts, Error>)]) -> Vec<Row<'_>> {
    let mut by_subject: BTreeMap<Subject, Row<'_>> = BTreeMap::new();
    for (call, history) in histories {
        let subject = Subject::of(call);
        let row = by_subject.entry(subject).or_insert_with(|| Row { subject, name: None, calls: Vec::new() });
        row.calls.push((call, history));
    }
    for (_, facts) in histories.iter().filter_map(|(call, history)| Some((call, history.last_good.as_deref()?)))
    {
        for (id, organization) in &facts.organizations {
            let name = organization.info.shown_name().map(str::to_owned);
            if let Some(row) = by_subject.get_mut(&Subject::Organization(*id)) {
                row.name = row.name.take().or(name);
            }
        }
    }
    by_subject.into_values().collect()
}

fn render_row(row: &Row<'_>) -> Markup {
    let latest = row.calls.iter().filter_map(|(_, history)| history.last_good_at).max();
    html! {
        tr {
            td.name {
                @match row.subject {
                    Subject::Discovery => "The list of organizations",
                    Subject::User(id) => { "User " (id) }
                    Subject::Organization(id) => {
                        @if let Some(name) = &row.name { (name) " " }
                        span.dim { "organization " (id) }
                    }
                }
            }
            td.when {
                @match latest {
                    Some(at) => { (ago(Instant::now().duration_since(at))) " ago" }
                    None => "never",
                }
            }
            td {
                @if row.calls.iter().all(|(_, history)| !is_troubled(history)) { span.good { "none now" } }
                @for (call, history) in &row.calls { (render_trouble(call.collector, history)) }
            }
        }
    }
}

/// Tells whether the last call failed, or the one under way is late.
fn is_troubled(history: &History<Facts, Error>) -> bool {
    history.is_failing || history.late_since.is_some()
}

fn render_trouble(collector: Collector, history: &History<Facts, Error>) -> Markup {
    let since = |at: Instant| ago(Instant::now().duration_since(at));
    html! {
        @if let Some((error, at)) = &history.last_failure {
            // What is not permitted is nothing that broke, and what is over is nothing to act on.
            @let class = if history.is_failing && !matches!(error, Error::Forbidden(_)) { "bad" } else { "dim" };
            p class=(class) {
                code { (collector.name()) } " " (since(*at)) " ago: " (error)
                @if let (true, Some(at)) = (history.is_failing, history.last_good_at) {
                    "; last read " (since(at)) " ago"
                }
            }
        }
        @if let Some(at) = history.late_since {
            p.bad { code { (collector.name()) } " was asked " (since(at)) " ago and has not answered yet" }
        }
    }
}

/// Writes a duration for people, in its two largest units.
fn ago(duration: Duration) -> String {
    let text = humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string();
    let units = text.split(' ').take(2).map(|part| {
        let (number, unit) = part.split_at(part.find(char::is_alphabetic).unwrap_or(part.len()));
        format!("{number}\u{a0}{unit}")
    });
    units.collect::<Vec<_>>().join(" ")
}
