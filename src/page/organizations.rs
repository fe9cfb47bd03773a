//! The organizations with their entitlements, those nearest to a limit first, page by page.

use std::collections::BTreeSet;
use std::sync::Arc;

use maud::{Markup, html};

use super::entitlement::{Entitlement, Level};
use super::state::{Freshness, PageState};
use super::{dates, words};
use crate::model::Organization;

/// Organizations on one page: enough for most, little enough for a phone.
const PER_PAGE: usize = 50;

/// An organization with what it uses.
struct Ranked<'a> {
    organization: &'a Organization,
    entitlements: [Entitlement; 5],
    /// The greatest share of a limit, if any is known.
    greatest: Option<f64>,
}

/// All organizations, in the order in which they are shown.
pub(super) struct Ranking<'a>(Vec<Ranked<'a>>);

impl<'a> Ranking<'a> {
    pub(super) fn of(known: &'a PageState<'_>) -> Self {
        let rank = |organization: &'a Arc<Organization>| {
            let entitlements = Entitlement::of(organization);
            let greatest = entitlements.iter().filter_map(Entitlement::share).max_by(f64::total_cmp);
            Ranked { organization, entitlements, greatest }
        };
        let mut ranked: Vec<_> = known.facts.organizations.values().map(rank).collect();
        // The sort is stable: those that are alike stay in the order of their ids.
        ranked.sort_by(|one, other| {
            let share = |ranked: &Ranked<'_>| ranked.greatest.unwrap_or(-1.0);
            share(other).total_cmp(&share(one))
        });
        Self(ranked)
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns how many organizations have a greatest share of at least `least` and at most `most`.
    pub(super) fn between(&self, least: Level, most: Level) -> usize {
        let levels = self.0.iter().filter_map(|ranked| ranked.greatest).map(Level::of);
        levels.filter(|level| (least..=most).contains(level)).count()
    }

    /// Writes one page of them, counted from 1; the last one if there are fewer.
    pub(super) fn render(&self, known: &PageState<'_>, page: usize) -> Markup {
        let pages = self.len().div_ceil(PER_PAGE).max(1);
        let page = page.clamp(1, pages);
        let shown: Vec<_> = self.0.iter().skip((page - 1) * PER_PAGE).take(PER_PAGE).collect();
        let ids: BTreeSet<u64> = shown.iter().map(|ranked| ranked.organization.id).collect();
        let freshness = known.freshness(&ids);
        html! {
            section aria-labelledby="organizations" {
                h2 #organizations tabindex="-1" { "Organizations" }
                @if self.0.is_empty() {
                    (render_nothing(known))
                } @else {
                    table.entitlements role="table" {
                        caption { (render_caption(self.len(), page, pages, shown.len())) }
                        thead role="rowgroup" {
                            tr role="row" {
                                th role="columnheader" scope="col" { "Organization" }
                                @for title in Entitlement::TITLES {
                                    th role="columnheader" scope="col" { (title) }
                                }
                            }
                        }
                        tbody role="rowgroup" {
                            @for ranked in shown {
                                (render_row(ranked, freshness.get(&ranked.organization.id), known))
                            }
                        }
                    }
                    @if pages > 1 { (render_pages(page, pages)) }
                }
                (render_whitelabels(known))
            }
        }
    }
}

fn render_caption(all: usize, page: usize, pages: usize, shown: usize) -> Markup {
    html! {
        @if pages == 1 {
            "What is used of what the contract allows; those nearest to a limit first"
        } @else {
            @let first = (page - 1) * PER_PAGE + 1;
            "Organizations " (words::whole(first)) " to " (words::whole(first + shown - 1)) " of " (words::whole(all))
            ", those nearest to a limit first; the others are on the other pages, and all are in the metrics"
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
                li aria-current="page" { "Page " (words::whole(page)) " of " (words::whole(pages)) }
                (link(page + 1, "Next page"))
                (link(pages, "Last page"))
            }
        }
    }
}

/// Says why there is no organization.
fn render_nothing(known: &PageState<'_>) -> Markup {
    let was_asked = known.accounts.iter().any(|account| !account.histories.is_empty());
    html! {
        @if was_asked {
            p { "No organization is known: no list of organizations has been read, or none is in it. See " a href="#collectors" { "Collectors" } "." }
        } @else {
            p {
                "Nothing was read yet: the first scrape does. It begins when Prometheus, or anybody, asks for "
                a href=(super::relative(&known.exporter.web().telemetry_path)) { (known.exporter.web().telemetry_path) } "."
            }
        }
    }
}

fn render_row(ranked: &Ranked<'_>, freshness: Option<&Freshness>, known: &PageState<'_>) -> Markup {
    html! {
        tr role="row" {
            th.name role="rowheader" scope="row" {
                (render_name(ranked.organization.id, known))
                @if let Some(date) = dates::next_of(known, ranked.organization) {
                    span.note { (dates::render_short(date, known.now)) }
                }
                (render_freshness(freshness, known))
            }
            @for entitlement in &ranked.entitlements {
                td role="cell" {
                    // Where the table is too wide its heads are hidden from the eye, though not from a screen reader.
                    span.head aria-hidden="true" { (entitlement.title) }
                    span.entitlement { (entitlement.render()) }
                }
            }
        }
    }
}

fn render_freshness(freshness: Option<&Freshness>, known: &PageState<'_>) -> Markup {
    let Freshness { read, failing } = freshness.cloned().unwrap_or_default();
    html! {
        @match read {
            Some(at) => span.note { "read " (words::span(known.moment.duration_since(at))) " ago" },
            None => span.note { "not read itself yet" },
        }
        @if !failing.is_empty() {
            span.note.bad {
                a href="#collectors" {
                    @for (index, name) in failing.iter().enumerate() {
                        @if index > 0 { ", " } (name)
                    }
                }
                @if failing.len() == 1 { " fails now" } @else { " fail now" }
            }
        }
    }
}

/// Writes an organization's name, if it may be shown, and its id.
pub(super) fn render_name(id: u64, known: &PageState<'_>) -> Markup {
    let info = known.facts.organizations.get(&id).map(|organization| &organization.info);
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

/// Writes how many organizations each white label has of those that it may have.
fn render_whitelabels(known: &PageState<'_>) -> Markup {
    let whitelabels = known.facts.whitelabels_by_id().rows;
    html! {
        @if !whitelabels.is_empty() {
            h3 { "White labels" }
            ul.whitelabels {
                @for whitelabel in whitelabels {
                    @let used = whitelabel.organizations.map(words::real);
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
