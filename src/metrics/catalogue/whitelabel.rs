//! Metrics of white labels.

use super::gauge;
use crate::metrics::{Label, Metric, Samples};
use crate::model::{TIERS, WINDOWS, Whitelabel};

/// The label of nearly all metrics here.
const ID: &[&str] = &["whitelabel_id"];
/// The collector that counts users.
const USERS: &[&str] = &["whitelabel_users"];

/// Writes a family with one series per class.
fn classes<'a, const N: usize>(
    whitelabel: &Whitelabel,
    names: impl IntoIterator<Item = &'a str>,
    counts: Option<[u64; N]>,
    samples: &mut Samples<'_>,
) {
    for (name, count) in names.into_iter().zip(counts.iter().flatten()) {
        samples.count([whitelabel.id.into(), name.into()], *count);
    }
}

/// The table; its rows are white labels whose id is known.
pub static WHITELABEL: &[Metric<Whitelabel>] = &[
    gauge(
        "edgeimpulse_whitelabel_info",
        "Always 1. Name of the white label, and the organization that owns it.",
        &["whitelabel_id", "whitelabel_name", "organization_id"],
        &["user", "whitelabel"],
        |w, s| s.add([w.id.into(), (&w.name).into(), Label::Number(w.owner)], 1.0),
    ),
    gauge(
        "edgeimpulse_whitelabel_organizations",
        "Organizations of the white label, deleted ones not counted.",
        ID,
        &["whitelabel_organizations"],
        |w, s| s.count([w.id.into()], w.organizations),
    ),
    gauge(
        "edgeimpulse_whitelabel_organizations_limit",
        "Most organizations that may be created under the white label; absent if there is no limit.",
        ID,
        &["whitelabel"],
        |w, s| s.add([w.id.into()], w.organizations_limit),
    ),
    gauge(
        "edgeimpulse_whitelabel_users",
        "Registered users of the white label by the tier of their account.",
        &["whitelabel_id", "tier"],
        USERS,
        |w, s| classes(w, TIERS, w.users_by_tier, s),
    ),
    gauge(
        "edgeimpulse_whitelabel_users_active",
        "Registered users of the white label who were active within the window. Windows overlap: never sum them.",
        &["whitelabel_id", "window"],
        USERS,
        |w, s| classes(w, WINDOWS.map(|(name, _)| name), w.users_active, s),
    ),
];
