//! The configuration in effect, what differs from the defaults first.

use maud::{Markup, html};

use super::settings::{self, Setting};
use super::state::PageState;
use super::words;
use crate::config::Configuration;

/// Writes it.
pub(super) fn render(known: &PageState<'_>) -> Markup {
    let configuration = &known.exporter.configuration;
    let (changed, unchanged): (Vec<_>, Vec<_>) =
        settings::of(configuration).into_iter().partition(Setting::differs);
    html! {
        section aria-labelledby="configuration" {
            h2 #configuration tabindex="-1" { "Configuration in effect" }
            p { (render_source(configuration)) }
            @if !known.exporter.telemetry.load().successful {
                p.bad { "The configuration file could not be used when it was last read; what it said before is in effect. The log says why." }
            }
            @if changed.is_empty() {
                p { "Every setting has its default." }
            } @else {
                (render_table("Settings that differ from their defaults", &changed))
            }
            (render_accounts(known))
            details {
                summary { (words::quantity(unchanged.len(), "setting has", "settings have")) " the default" }
                (render_table("Settings that have their defaults", &unchanged))
            }
        }
    }
}

fn render_source(configuration: &Configuration) -> Markup {
    html! {
        @match &configuration.file {
            Some(path) => { "From the file " code { (path.display()) } ", which SIGHUP reads again." }
            None => "From flags and environment variables.",
        }
        " Credentials are never shown."
    }
}

fn render_table(caption: &str, settings: &[Setting]) -> Markup {
    html! {
        table role="table" {
            caption { (caption) }
            thead role="rowgroup" {
                tr role="row" {
                    th role="columnheader" scope="col" { "Setting" }
                    th role="columnheader" scope="col" { "In effect" }
                    th role="columnheader" scope="col" { "Default" }
                }
            }
            tbody role="rowgroup" {
                @for setting in settings {
                    tr role="row" {
                        th role="rowheader" scope="row" { code { (setting.name) } }
                        td role="cell" {
                            span.head aria-hidden="true" { "In effect" }
                            span { (setting.value) }
                        }
                        td role="cell" {
                            span.head aria-hidden="true" { "Default" }
                            span.dim { (setting.default) }
                        }
                    }
                }
            }
        }
    }
}

/// Writes what each account reads with which credential.
fn render_accounts(known: &PageState<'_>) -> Markup {
    html! {
        ul.accounts {
            @for account in &known.accounts {
                @let options = account.options;
                @let own = settings::of_account(&options.scope, &options.collectors, &known.exporter.configuration.common.collectors);
                li {
                    "Account " (options.name) ": " (options.kind.name()) " from " (options.origin)
                    @for setting in own { "; " (setting.name) " " code { (setting.value) } }
                    "."
                }
            }
        }
    }
}
