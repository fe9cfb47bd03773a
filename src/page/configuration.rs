//! The configuration in effect, settings that differ from their defaults first.

use maud::{Markup, html};
use serde::Serialize;
use serde_json::Value;

use super::format;
use super::state::PageState;
use crate::config::{Configuration, ScopeOptions, redact};

/// A setting by its name in the configuration file.
#[derive(Debug, PartialEq, Eq)]
struct Setting {
    name: String,
    value: String,
    default: String,
}

/// Returns all settings. They contain no secrets: credentials are not serialized, and URLs with a password are refused.
fn settings(options: &impl Serialize, defaults: &impl Serialize) -> Vec<Setting> {
    let [options, defaults] = [serde_json::to_value(options), serde_json::to_value(defaults)];
    let mut settings = Vec::new();
    flatten("", &options.unwrap_or_default(), &defaults.unwrap_or_default(), &mut settings);
    settings
}

/// Adds the value to `settings`, or each of its members if it is an object.
fn flatten(name: &str, value: &Value, default: &Value, settings: &mut Vec<Setting>) {
    let Value::Object(members) = value else {
        settings.push(Setting { name: name.to_owned(), value: text(value), default: text(default) });
        return;
    };
    for (key, member) in members {
        let separator = if name.is_empty() { "" } else { "." };
        flatten(&format!("{name}{separator}{key}"), member, &default[key], settings);
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Renders the section.
pub(super) fn render(state: &PageState<'_>) -> Markup {
    let configuration = &state.exporter.configuration;
    let settings = settings(configuration, &Configuration::default());
    let (changed, unchanged): (Vec<_>, Vec<_>) =
        settings.into_iter().partition(|setting| setting.value != setting.default);
    html! {
        section aria-labelledby="configuration" {
            h2 #configuration tabindex="-1" { "Configuration in effect" }
            p {
                @match &configuration.file {
                    Some(path) => { "From the file " code { (path.display()) } "; SIGHUP reloads it." }
                    None => "From flags and environment variables; settings are named as in the configuration file.",
                }
                " Credentials are never shown."
            }
            @if !state.is_reload_successful() {
                p.bad { "The last reload of the configuration file failed; the previous configuration is in effect. The log contains the error." }
            }
            @if changed.is_empty() {
                p { "All settings have their default values." }
            } @else {
                (render_table("Settings that differ from their defaults", &changed))
            }
            (render_accounts(state))
            details {
                summary { (format::quantity(unchanged.len(), "setting has its default value", "settings have their default values")) }
                (render_table("Settings with their default values", &unchanged))
            }
        }
    }
}

fn render_table(caption: &str, settings: &[Setting]) -> Markup {
    html! {
        table role="table" {
            caption { (caption) }
            (super::table_head(&["Setting", "In effect", "Default"]))
            tbody role="rowgroup" {
                @for setting in settings {
                    tr role="row" {
                        th role="rowheader" scope="row" { code { (setting.name) } }
                        td role="cell" {
                            span.head aria-hidden="true" { "In effect" }
                            span { (redact(&setting.value)) }
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

/// Renders what each account reads with which credential.
fn render_accounts(state: &PageState<'_>) -> Markup {
    let common = &state.exporter.configuration.common.collectors;
    html! {
        ul.accounts {
            @for account in state.accounts.iter().map(|account| account.options) {
                @let scope = settings(&account.scope, &ScopeOptions::default());
                @let collectors = settings(&account.collectors, common);
                li {
                    "Account " (account.name) ": " (account.kind.name()) " from " (redact(&account.origin.to_string()))
                    @for (section, settings) in [("", scope), ("collectors.", collectors)] {
                        @for setting in settings.iter().filter(|setting| setting.value != setting.default) {
                            "; " (section) (setting.name) " " code { (setting.value) }
                        }
                    }
                    "."
                }
            }
        }
    }
}
