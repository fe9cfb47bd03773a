//! The page at `/`, for people: what is known, what comes next, what went wrong and what to do.

mod advice;
mod collectors;
mod configuration;
mod dates;
mod entitlement;
mod summary;
mod state;
mod organizations;
mod settings;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::collect::Exporter;
use entitlement::Level;
use organizations::Ranking;
use state::PageState;

/// Small enough to come with each page, so that nothing else is loaded.
const STYLE: &str = include_str!("style.css");

/// The sections, with what they are called in the list of them.
const SECTIONS: [(&str, &str); 5] = [
    ("accounts", "Accounts"),
    ("dates", "Next dates"),
    ("organizations", "Organizations"),
    ("collectors", "Collectors"),
    ("configuration", "Configuration"),
];

/// Writes the page from what is known already; nothing is asked. Of the organizations it shows one `page`, counted
/// from 1.
pub(crate) fn render(exporter: &Exporter, is_encrypted: bool, page: usize) -> Markup {
    let known = PageState::of(exporter);
    let ranking = Ranking::of(&known);
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
                    (render_glance(&known, &ranking))
                    (collectors::render_accounts(&known))
                    (dates::render(&known))
                    (ranking.render(&known, page))
                    (collectors::render_collectors(&known))
                    (configuration::render(&known))
                }
                footer {
                    p {
                        "This page shows what is known and asks the API nothing. There is more to see after the next "
                        "scrape: then reload it."
                    }
                }
            }
        }
    }
}

/// Returns a path as it is linked to: a proxy may serve the page below a prefix of its own.
fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn render_header(exporter: &Exporter, is_encrypted: bool) -> Markup {
    html! {
        header {
            h1 { "Edge Impulse exporter" }
            p.dim {
                "Version " (env!("CARGO_PKG_VERSION")) ", revision " (env!("BUILD_REVISION"))
                ". Reads " code { (exporter.configuration.api.url) } " when it is scraped."
                @if is_encrypted { " This page came over https." }
            }
            nav aria-label="Sections" {
                ul { @for (id, title) in SECTIONS { li { a href={ "#" (id) } { (title) } } } }
            }
            nav aria-label="Elsewhere" {
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

/// Writes how things are in a few lines.
fn render_glance(known: &PageState<'_>, ranking: &Ranking<'_>) -> Markup {
    let full = ranking.between(Level::Full, Level::Over);
    let near = ranking.between(Level::Near, Level::AlmostFull);
    html! {
        div.glance {
            p.dim { "As of " (words::moment(known.now)) }
            p {
                strong { (words::quantity(ranking.len(), "organization", "organizations")) } ": "
                (words::whole(full)) " at or over a limit, " (words::whole(near)) " at 80\u{a0}% of one or more."
            }
            p { (collectors::render_count(known.count())) }
        }
    }
}
