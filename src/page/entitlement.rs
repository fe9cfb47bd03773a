//! One entitlement of an organization: usage of its limit, as a bar and as text.

use maud::{Markup, html};

use super::format;
use crate::model::{EntitlementLimits, Limit, Organization, UnixTime};

/// Limit and current usage of one resource of an organization.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entitlement {
    pub(super) title: &'static str,
    unit: Unit,
    used: Option<f64>,
    limit: Option<Limit>,
    /// Time over which usage is counted, in seconds, if that is so long that a limit per year says nothing about it.
    counted_over: Option<f64>,
}

/// Longest time for which usage is compared with a limit per year, in seconds; the alerts have the same.
const LONGEST_YEAR: f64 = 366.0 * 86_400.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Bytes,
    Seconds,
    /// A number of things.
    Count,
}

/// Level of a share of a limit, with the same thresholds as the dashboards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Below 80 %.
    Fine,
    /// From 80 %.
    Near,
    /// From 95 %.
    AlmostFull,
    /// Exactly the limit.
    Full,
    /// Above the limit.
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

    const fn text(self) -> &'static str {
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
    /// Titles of the entitlements, in the order of [`Self::of`].
    pub(super) const TITLES: [&'static str; 5] = ["Storage", "Compute", "GPU compute", "Projects", "Users"];

    /// Returns the entitlements of an organization.
    pub(super) fn of(organization: &Organization, now: UnixTime) -> [Self; 5] {
        let limits = organization.limits.as_deref();
        let limit = |of: fn(&EntitlementLimits) -> Limit| limits.map(of);
        let [storage, compute, gpu_compute, projects, users] = Self::TITLES;
        let period_start = organization.compute_period_start.or(organization.contract_start);
        let period = period_start.map(|start| now - start).filter(|period| *period > LONGEST_YEAR);
        let entitlement = |title, unit, used, limit| {
            let counted_over = period.filter(|_| unit == Unit::Seconds);
            Self { title, unit, used, limit, counted_over }
        };
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

    /// Returns an entitlement to a number of things.
    pub(super) const fn count(title: &'static str, used: Option<f64>, limit: Option<f64>) -> Self {
        let limit = match limit {
            Some(limit) => Some(Limit::At(limit)),
            None => None,
        };
        Self { title, unit: Unit::Count, used, limit, counted_over: None }
    }

    pub(super) const fn is_usage_known(&self) -> bool {
        self.used.is_some()
    }

    /// Returns usage as a share of the limit, if both are known.
    pub(super) fn share(&self) -> Option<f64> {
        match (self.used?, self.limit?) {
            // 0 of 0 has no share.
            (used, Limit::At(limit)) if self.counted_over.is_none() && (limit > 0.0 || used > 0.0) => {
                Some(used / limit)
            }
            _ => None,
        }
    }

    /// Returns usage and limit as text.
    fn text(&self) -> String {
        let write = |value: f64| match self.unit {
            Unit::Bytes => format::bytes(value),
            Unit::Seconds => format::hours(value),
            Unit::Count => format::number(value),
        };
        match (self.used.map(write), self.limit) {
            (None, None | Some(Limit::Unknown)) => "unknown".to_owned(),
            (None, Some(Limit::None)) => "usage unknown, no limit".to_owned(),
            (None, Some(Limit::At(limit))) => format!("usage unknown, limit {}", write(limit)),
            (Some(used), None | Some(Limit::Unknown)) => format!("{used}, limit unknown"),
            (Some(used), Some(Limit::None)) => format!("{used}, no limit"),
            (Some(used), Some(Limit::At(limit))) => match self.counted_over {
                Some(period) => {
                    let days = format::number((period / 86_400.0).round());
                    format!("{used} in {days} days, limit {} per year", write(limit))
                }
                None => format!("{used} of {}", write(limit)),
            },
        }
    }

    /// Renders the bar, if there is a share, and the text.
    ///
    /// The bar has the role of an image: screen readers read the names of images, while a `meter` cannot exceed its
    /// maximum.
    pub(super) fn render(&self) -> Markup {
        let share = self.share();
        html! {
            // Before the text, so that the bars of a row are aligned.
            @if let Some(share) = share {
                @let width = (share * 100.0).round().clamp(0.0, 100.0);
                span.bar.(Level::of(share).class()) role="img" aria-label={ (self.title) ": " (share_text(share)) } {
                    i style={ "width:" (width) "%" } {}
                }
            }
            span.value { (self.text()) }
            @if let Some(share) = share {
                // Screen readers read the bar's name instead.
                " " span.share.(Level::of(share).class()) aria-hidden="true" { (share_text(share)) }
            }
        }
    }
}

/// Returns a share in percent and its level.
fn share_text(share: f64) -> String {
    format!("{}{}", format::percent(share), Level::of(share).text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(used: Option<f64>, limit: Option<Limit>) -> Entitlement {
        Entitlement { title: "Storage", unit: Unit::Bytes, used, limit, counted_over: None }
    }

    #[test]
    fn unknown_limits_differ_from_no_limit() {
        for (used, limit, words) in [
            (None, None, "unknown"),
            (None, Some(Limit::Unknown), "unknown"),
            (None, Some(Limit::None), "usage unknown, no limit"),
            (None, Some(Limit::At(1e12)), "usage unknown, limit 1 TB"),
            (Some(5e9), None, "5 GB, limit unknown"),
            (Some(5e9), Some(Limit::None), "5 GB, no limit"),
            (Some(0.0), Some(Limit::At(0.0)), "0 B of 0 B"),
        ] {
            let entitlement = storage(used, limit);
            assert_eq!(
                (entitlement.text().replace('\u{a0}', " "), entitlement.share()),
                (words.to_owned(), None)
            );
            assert!(!entitlement.render().into_string().contains("role=\"img\""), "there is no bar of {words}");
        }
    }

    #[test]
    fn compute_time_that_is_counted_over_years_has_no_share_of_a_limit_per_year() {
        const NOW: UnixTime = 1_793_491_200.0;
        let ago = |days: f64| Some(NOW - days * 86_400.0);
        for (period, contract, share) in [
            (ago(600.0), None, None),
            (None, ago(600.0), None),
            (ago(100.0), ago(600.0), Some(1.3)),
            (ago(366.0), None, Some(1.3)),
            (None, None, Some(1.3)),
        ] {
            let limits = EntitlementLimits {
                storage: Limit::At(100.0),
                compute: Limit::At(100_000.0),
                ..EntitlementLimits::default()
            };
            let organization = Organization {
                compute_period_start: period,
                contract_start: contract,
                compute_time_used: Some(130_000.0),
                storage_used: Some(130.0),
                limits: Some(limits.into()),
                ..Organization::new(1)
            };
            let [storage, compute, ..] = Entitlement::of(&organization, NOW);
            assert_eq!((storage.share(), compute.share()), (Some(1.3), share), "{period:?} {contract:?}");
            let text = compute.text().replace('\u{a0}', " ");
            let expected = share.map_or("36 h in 600 days, limit 28 h per year", |_| "36 h of 28 h");
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn levels_have_the_thresholds_of_the_dashboards() {
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
