//! One entitlement of an organization: how much of its limit is in use, as a bar and in words.

use maud::{Markup, html};

use super::words;
use crate::model::{EntitlementLimits, Limit, Organization};

/// What an organization may use of something, and what it uses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entitlement {
    /// What people call it.
    pub(super) title: &'static str,
    unit: Unit,
    used: Option<f64>,
    limit: Option<Limit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Bytes,
    Seconds,
    /// A number of things, of which the last one allowed is nothing wrong.
    Count,
}

/// How near a share is to the limit; the same steps as on the dashboards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Less than 80 %.
    Fine,
    /// From 80 %.
    Near,
    /// From 95 %.
    AlmostFull,
    /// All of it.
    Full,
    /// More than that.
    Over,
}

impl Level {
    /// Returns the level of a share.
    pub(super) fn of(share: f64) -> Self {
        match share {
            share if share > 1.0 => Self::Over,
            share if share >= 1.0 => Self::Full,
            share if share >= 0.95 => Self::AlmostFull,
            share if share >= 0.8 => Self::Near,
            _ => Self::Fine,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Fine => "",
            Self::Near => ", near the limit",
            Self::AlmostFull => ", almost full",
            Self::Full => ", full",
            Self::Over => ", over the limit",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Near => "near",
            Self::AlmostFull => "almost",
            Self::Full | Self::Over => "full",
        }
    }
}

impl Entitlement {
    /// What people call the entitlements, in the order of [`Self::of`].
    pub(super) const TITLES: [&'static str; 5] = ["Storage", "Compute", "GPU compute", "Projects", "Users"];

    /// Returns the entitlements of an organization.
    pub(super) fn of(organization: &Organization) -> [Self; 5] {
        let limits = organization.limits;
        let limit = |of: fn(&EntitlementLimits) -> Limit| limits.as_ref().map(of);
        let [storage, compute, gpu_compute, projects, users] = Self::TITLES;
        let entitlement = |title, unit, used, limit| Self { title, unit, used, limit };
        [
            entitlement(storage, Unit::Bytes, organization.storage_used, limit(|limits| limits.storage)),
            entitlement(compute, Unit::Seconds, organization.compute_time_used, limit(|limits| limits.compute)),
            entitlement(
                gpu_compute,
                Unit::Seconds,
                organization.gpu_compute_time_used,
                limit(|limits| limits.gpu_compute),
            ),
            entitlement(projects, Unit::Count, organization.projects_used, limit(|limits| limits.projects)),
            entitlement(users, Unit::Count, organization.users_used, limit(|limits| limits.users)),
        ]
    }

    /// Returns a number of things of which only so many are allowed.
    pub(super) const fn count(title: &'static str, used: Option<f64>, limit: Option<f64>) -> Self {
        let limit = match limit {
            Some(limit) => Some(Limit::At(limit)),
            None => None,
        };
        Self { title, unit: Unit::Count, used, limit }
    }

    /// Returns the share of the limit that is in use, if both are known.
    pub(super) fn share(&self) -> Option<f64> {
        match (self.used?, self.limit?) {
            // Nothing of nothing is in order.
            (used, Limit::At(limit)) if limit > 0.0 || used > 0.0 => Some(used / limit),
            _ => None,
        }
    }

    /// Writes what is used of what is allowed.
    fn words(&self) -> String {
        let write = |value: f64| match self.unit {
            Unit::Bytes => words::bytes(value),
            Unit::Seconds => words::hours(value),
            Unit::Count => words::count(value),
        };
        match (self.used.map(write), self.limit) {
            (None, None | Some(Limit::Unknown)) => "not known".to_owned(),
            (None, Some(Limit::None)) => "use not known, no limit".to_owned(),
            (None, Some(Limit::At(limit))) => format!("use not known, limit {}", write(limit)),
            (Some(used), None | Some(Limit::Unknown)) => format!("{used}, limit not known"),
            (Some(used), Some(Limit::None)) => format!("{used}, no limit"),
            (Some(used), Some(Limit::At(limit))) => format!("{used} of {}", write(limit)),
        }
    }

    /// Writes the bar, if there is one, and the words.
    ///
    /// The bar is an image with a name rather than a `meter`: screen readers know images everywhere, and a meter can
    /// be neither over its limit nor say so.
    pub(super) fn render(&self) -> Markup {
        let share = self.share();
        html! {
            // The bar comes first, so that the bars of a row stand in line.
            @if let Some(share) = share {
                @let width = (share * 100.0).round().clamp(0.0, 100.0);
                span.bar.(Level::of(share).class()) role="img" aria-label={ (self.title) ": " (in_words(share)) } {
                    i style={ "width:" (width) "%" } {}
                }
            }
            span.value { (self.words()) }
            @if let Some(share) = share {
                // The bar's name says it already.
                " " span.share.(Level::of(share).class()) aria-hidden="true" { (in_words(share)) }
            }
        }
    }
}

/// Writes a share in percent, and what that means.
fn in_words(share: f64) -> String {
    format!("{}{}", words::percent(share), Level::of(share).words())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(used: Option<f64>, limit: Option<Limit>) -> Entitlement {
        Entitlement { title: "Storage", unit: Unit::Bytes, used, limit }
    }

    #[test]
    fn what_is_not_known_differs_from_what_has_no_limit() {
        for (used, limit, words) in [
            (None, None, "not known"),
            (None, Some(Limit::Unknown), "not known"),
            (None, Some(Limit::None), "use not known, no limit"),
            (None, Some(Limit::At(1e12)), "use not known, limit 1 TB"),
            (Some(5e9), None, "5 GB, limit not known"),
            (Some(5e9), Some(Limit::None), "5 GB, no limit"),
            (Some(0.0), Some(Limit::At(0.0)), "0 B of 0 B"),
        ] {
            let entitlement = storage(used, limit);
            assert_eq!(
                (entitlement.words().replace('\u{a0}', " "), entitlement.share()),
                (words.to_owned(), None)
            );
            assert!(!entitlement.render().into_string().contains("role=\"img\""), "there is no bar of {words}");
        }
    }

    #[test]
    fn the_bars_steps_are_those_of_the_dashboards() {
        for (share, level) in [
            (0.0, Level::Fine),
            (0.79, Level::Fine),
            (0.8, Level::Near),
            (0.95, Level::AlmostFull),
            (1.0, Level::Full),
            (1.01, Level::Over),
            (f64::INFINITY, Level::Over),
        ] {
            assert_eq!(Level::of(share), level, "{share}");
        }
        let over_nothing = storage(Some(1.0), Some(Limit::At(0.0))).render().into_string();
        assert!(
            over_nothing.contains("over the limit") && over_nothing.contains("width:100%"),
            "{over_nothing}"
        );
        let dashboard = include_str!("../../dashboards/overview.json");
        for step in ["\"value\": 0.8", "\"value\": 0.95", "\"value\": 1"] {
            assert!(dashboard.contains(step), "{step}");
        }
    }
}
