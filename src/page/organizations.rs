//! Organizations and their entitlements, highest usage first, in pages.

use std::collections::BTreeSet;
use std::sync::Arc;

use maud::{Markup, html};

use super::entitlement::{Entitlement, Level};
use super::state::{Freshness, PageState};
use super::{dates, format};
use crate::model::Organization;

/// Organizations per page.
const PER_PAGE: usize = 50;

/// An organization with its entitlements.
struct Ranked<'a> {
    organization: &'a Organization,
    entitlements: [Entitlement; 5],
    /// The highest share of a limit, if any is known.
    greatest: Option<f64>,
}

/// All organizations, highest usage first.
pub(super) struct Ranking<'a>(Vec<Ranked<'a>>);

impl<'a> Ranking<'a> {
    pub(super) fn of(state: &'a PageState<'_>) -> Self {
        let rank = |organization: &'a Arc<Organization>| {
            let entitlements = Entitlement::of(organization, state.now);
            let greatest = entitlements.iter().filter_map(Entitlement::share).max_by(f64::total_cmp);
            Ranked { organization, entitlements, greatest }
        };
        let mut ranked: Vec<_> = state.facts.organizations.values().map(rank).collect();
        // Stable: organizations with the same share stay in the order of their ids.
        ranked.sort_by(|one, other| {
            let share = |ranked: &Ranked<'_>| ranked.greatest.unwrap_or(-1.0);
            share(other).total_cmp(&share(one))
        });
        Self(ranked)
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if the usage of an organization is known.
    pub(super) fn is_usage_known(&self) -> bool {
        self.0.iter().flat_map(|ranked| &ranked.entitlements).any(Entitlement::is_usage_known)
    }

    /// Returns the organizations at one of these levels, highest usage first, without deleted ones.
    pub(super) fn between(&self, least: Level, most: Level) -> Vec<u64> {
        let is_between = |ranked: &&Ranked<'_>| {
            ranked.organization.deleted.is_none()
                && ranked.greatest.is_some_and(|share| (least..=most).contains(&Level::of(share)))
        };
        self.0.iter().filter(is_between).map(|ranked| ranked.organization.id).collect()
    }

    /// Returns a link to an organization from the page that is shown.
    pub(super) fn link(&self, id: u64, shown: usize) -> String {
        let position = self.0.iter().position(|ranked| ranked.organization.id == id).unwrap_or_default();
        let page = position / PER_PAGE + 1;
        if page == shown { format!("#{}", anchor(id)) } else { format!("?page={page}#{}", anchor(id)) }
    }

    /// Returns the number of a page, counted from 1, or of the last one if there are fewer.
    pub(super) fn page(&self, page: usize) -> usize {
        page.clamp(1, self.pages())
    }

    fn pages(&self) -> usize {
        self.len().div_ceil(PER_PAGE).max(1)
    }

    /// Renders one page, counted from 1.
    pub(super) fn render(&self, state: &PageState<'_>, page: usize) -> Markup {
        let pages = self.pages();
        let shown: Vec<_> = self.0.iter().skip((page - 1) * PER_PAGE).take(PER_PAGE).collect();
        let ids: BTreeSet<u64> = shown.iter().map(|ranked| ranked.organization.id).collect();
        let freshness = state.freshness(&ids);
        html! {
            section aria-labelledby="organizations" {
                h2 #organizations tabindex="-1" { "Organizations" }
                @if self.0.is_empty() {
                    (render_empty(state))
                } @else {
                    table.entitlements role="table" {
                        caption { (render_caption(self.len(), page, pages, shown.len())) }
                        (super::table_head(&[&["Organization"][..], &Entitlement::TITLES].concat()))
                        tbody role="rowgroup" {
                            @for ranked in shown {
                                (render_row(ranked, freshness.get(&ranked.organization.id), state))
                            }
                        }
                    }
                    @if pages > 1 { (render_pages(page, pages)) }
                }
                (render_whitelabels(state))
            }
        }
    }
}

fn render_caption(all: usize, page: usize, pages: usize, shown: usize) -> Markup {
    html! {
        @if pages == 1 {
            "Usage and limits, highest usage first"
        } @else {
            @let first = (page - 1) * PER_PAGE + 1;
            "Organizations " (format::integer(first)) " to " (format::integer(first + shown - 1)) " of " (format::integer(all))
            ", highest usage first; the metrics contain all of them"
        }
    }
}

fn render_pages(page: usize, pages: usize) -> Markup {
    let link = |to: usize, text: &str| {
        html! {
            @if (1..=pages).contains(&to) && to != page {
                li { a href={ "?page=" (to) "#organizations" } { (text) } }
            }
        }
    };
    html! {
        nav aria-label="Pages of organizations" {
            ul.pages {
                (link(1, "First page"))
                (link(page - 1, "Previous page"))
                li aria-current="page" { "Page " (format::integer(page)) " of " (format::integer(pages)) }
                (link(page + 1, "Next page"))
                (link(pages, "Last page"))
            }
        }
    }
}

/// Renders why there are no organizations.
fn render_empty(state: &PageState<'_>) -> Markup {
    let was_scraped = state.accounts.iter().any(|account| !account.calls.is_empty());
    html! {
        @if was_scraped {
            p { "No organizations: no call has succeeded yet, or the list of organizations is empty. See " a href="#collectors" { "Collectors" } "." }
        } @else {
            p {
                "Not scraped yet. Wait for Prometheus, or open "
                a href=(super::relative(&state.exporter.web().telemetry_path)) { (state.exporter.web().telemetry_path) } " and reload this page."
            }
        }
    }
}

fn render_row(ranked: &Ranked<'_>, freshness: Option<&Freshness>, state: &PageState<'_>) -> Markup {
    html! {
        tr role="row" {
            th.name #(anchor(ranked.organization.id)) role="rowheader" scope="row" {
                (render_name(ranked.organization.id, state))
                @if let Some(date) = dates::next_of(state, ranked.organization) {
                    span.note { (dates::render_short(date, state.now)) }
                }
                (render_freshness(freshness, state))
            }
            @for entitlement in &ranked.entitlements {
                td role="cell" {
                    // Shown on narrow screens, which hide the header of the table.
                    span.head aria-hidden="true" { (entitlement.title) }
                    span.entitlement { (entitlement.render()) }
                }
            }
        }
    }
}

fn render_freshness(freshness: Option<&Freshness>, state: &PageState<'_>) -> Markup {
    let Freshness { read, failing } = freshness.cloned().unwrap_or_default();
    html! {
        @match read {
            Some(at) => span.note { "read " (format::duration(state.moment.duration_since(at))) " ago" },
            None => span.note { "not scraped yet" },
        }
        @if !failing.is_empty() {
            span.note.bad {
                "failing: " a href="#collectors" { (failing.into_iter().collect::<Vec<_>>().join(", ")) }
            }
        }
    }
}

/// Returns the id of an organization's row.
fn anchor(id: u64) -> String {
    format!("organization-{id}")
}

/// Renders the name of an organization, or its id if the name may not be shown.
pub(super) fn render_shown_name(id: u64, state: &PageState<'_>) -> Markup {
    let info = state.facts.organizations.get(&id).map(|organization| &organization.info);
    html! {
        @match info.and_then(|info| info.shown_name()).filter(|name| !name.trim().is_empty()) {
            Some(name) => bdi { (name) },
            None => { "Organization " (id) },
        }
    }
}

/// Renders the name of an organization, if it may be shown, and its id.
pub(super) fn render_name(id: u64, state: &PageState<'_>) -> Markup {
    let info = state.facts.organizations.get(&id).map(|organization| &organization.info);
    html! {
        @match info.and_then(|info| info.shown_name()).filter(|name| !name.trim().is_empty()) {
            Some(name) => { bdi { (name) } " " span.id { "organization " (id) } }
            None if info.is_some_and(|info| info.developer_profile == Some(true)) => {
                "Developer profile " span.id { "organization " (id) }
            }
            None => { "Organization " (id) }
        }
    }
}

/// Renders the number of organizations of each white label, and its limit.
fn render_whitelabels(state: &PageState<'_>) -> Markup {
    let whitelabels = state.facts.whitelabels_by_id(|_| 0).rows;
    html! {
        @if !whitelabels.is_empty() {
            h3 { "White labels" }
            ul.whitelabels {
                @for whitelabel in whitelabels {
                    @let used = whitelabel.organizations.map(format::real);
                    @let quota = Entitlement::count("Organizations", used, whitelabel.organizations_limit);
                    li {
                        @if let Some(name) = &whitelabel.name { bdi { (name) } " " }
                        span.id { "white label of organization " (whitelabel.owner) }
                        span.entitlement { "Organizations: " (quota.render()) }
                    }
                }
            }
        }
    }
}
