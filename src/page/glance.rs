//! The summary at the top of the page: what is over a limit, which trials end, and whether the calls succeed.

use maud::{Markup, html};

use super::entitlement::Level;
use super::organizations::{Ranking, render_shown_name};
use super::state::PageState;
use super::{accounts, dates, format};
use crate::model::UnixTime;

/// Maximum organizations that are named.
const MAX_NAMED: usize = 5;

/// Renders a summary of a few lines, with links to the organizations on the page that is shown.
pub(super) fn render(state: &PageState<'_>, ranking: &Ranking<'_>, page: usize) -> Markup {
    let link = |id: u64| {
        html! { a href=(ranking.link(id, page)) { (render_shown_name(id, state)) } }
    };
    html! {
        div.glance {
            p.dim { "As of " (format::moment(state.now)) }
            @if state.has_read() {
                p {
                    strong { (format::quantity(ranking.len(), "organization", "organizations")) }
                    @if ranking.is_usage_known() {
                        ": " (render_named(&ranking.between(Level::Full, Level::Over), "at or over a limit", link)) ", "
                        (render_named(&ranking.between(Level::Near, Level::AlmostFull), "above 80\u{a0}% of a limit", link))
                    } @else if ranking.len() > 0 {
                        ", usage not scraped yet"
                    }
                    "."
                }
                (render_trials(state, link))
            }
            p { (accounts::render_counts(state.counts())) }
        }
    }
}

fn render_named(ids: &[u64], what: &str, link: impl Fn(u64) -> Markup) -> Markup {
    html! {
        (format::integer(ids.len())) " " (what)
        @if !ids.is_empty() {
            " ("
            @for (index, id) in ids.iter().take(MAX_NAMED).enumerate() {
                @if index > 0 { ", " }
                (link(*id))
            }
            @if ids.len() > MAX_NAMED { " and " (format::integer(ids.len() - MAX_NAMED)) " more" }
            ")"
        }
    }
}

/// Renders how many trials run and how many have expired, and the next date of each.
fn render_trials(state: &PageState<'_>, link: impl Fn(u64) -> Markup) -> Markup {
    let [running, expired] = dates::trials(state);
    let next = |dates: &[(UnixTime, u64)], event: &str| {
        html! {
            @if let Some((at, id)) = dates.first() { ", " (event) " " (format::distance(*at, state.now)) ": " (link(*id)) }
        }
    };
    html! {
        @if !running.is_empty() || !expired.is_empty() {
            p {
                strong { (format::quantity(running.len(), "trial runs", "trials run")) } (next(&running, "the next ends")) "; "
                (format::integer(expired.len())) " expired" (next(&expired, "deletion")) "."
            }
        }
    }
}
