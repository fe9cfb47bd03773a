//! The status page at `/`: organizations, upcoming dates, errors and what to do, and the configuration.

mod accounts;
mod advice;
mod collectors;
mod configuration;
mod dates;
mod entitlement;
mod format;
mod organizations;
mod state;
mod summary;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::collect::Exporter;
use crate::config::redact;
use entitlement::Level;
use organizations::Ranking;
use state::PageState;

/// Embedded, so that a page is one request.
const STYLE: &str = include_str!("style.css");

/// Ids and titles of the sections.
const SECTIONS: [(&str, &str); 5] = [
    ("accounts", "Accounts"),
    ("dates", "Next dates"),
    ("organizations", "Organizations"),
    ("collectors", "Collectors"),
    ("configuration", "Configuration"),
];

/// Renders the page from the results of past calls, with one `page` of the organizations, counted from 1. Makes no
/// calls.
pub(crate) fn render(exporter: &Exporter, is_encrypted: bool, page: usize) -> Markup {
    let state = PageState::of(exporter);
    let ranking = Ranking::of(&state);
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
                a.skip href="#main" { "Skip to content" }
                (render_header(exporter, is_encrypted))
                main #main tabindex="-1" {
                    (render_summary(&state, &ranking))
                    (accounts::render(&state))
                    (dates::render(&state))
                    (ranking.render(&state, page))
                    (collectors::render(&state))
                    (configuration::render(&state))
                }
                footer {
                    p {
                        "This page shows the results of past scrapes and makes no API calls. "
                        "Reload after the next scrape for newer data."
                    }
                }
            }
        }
    }
}

/// Returns a relative link, which also works below the path prefix of a proxy.
fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn render_header(exporter: &Exporter, is_encrypted: bool) -> Markup {
    html! {
        header {
            h1 { "Edge Impulse exporter" }
            p.dim {
                "Version " (env!("CARGO_PKG_VERSION")) ", revision " (env!("BUILD_REVISION"))
                ". Reads " code { (redact(exporter.configuration.api.url.as_str())) } " at each scrape."
                @if is_encrypted { " This page was served over HTTPS." }
            }
            nav aria-label="Sections" {
                ul { @for (id, title) in SECTIONS { li { a href={ "#" (id) } { (title) } } } }
            }
            nav aria-label="Links" {
                ul {
                    li { a href=(relative(&exporter.web().telemetry_path)) { "Metrics" } }
                    li { a href=(relative("/sd")) { "Service discovery" } }
                    li { a href=(relative("/-/healthy")) { "Healthy" } }
                    li { a href=(relative("/-/ready")) { "Ready" } }
                    li { a href="https://docs.edgeimpulse.com/apis/studio" rel="noreferrer" { "Edge Impulse API" } }
                }
            }
        }
    }
}

/// Renders a summary of a few lines.
fn render_summary(state: &PageState<'_>, ranking: &Ranking<'_>) -> Markup {
    let counts = state.counts();
    let full = format::integer(ranking.between(Level::Full, Level::Over));
    let near = format::integer(ranking.between(Level::Near, Level::AlmostFull));
    html! {
        div.glance {
            p.dim { "As of " (format::moment(state.now)) }
            @if counts.queued < counts.all {
                p {
                    strong { (format::quantity(ranking.len(), "organization", "organizations")) }
                    @if ranking.len() > 0 { ": " (full) " at or over a limit, " (near) " above 80\u{a0}% of a limit" }
                    "."
                }
            }
            p { (accounts::render_counts(counts)) }
        }
    }
}

/// Renders the head of a table.
fn table_head(titles: &[&str]) -> Markup {
    html! {
        thead role="rowgroup" {
            tr role="row" { @for title in titles { th role="columnheader" scope="col" { (title) } } }
        }
    }
}
