//! Metrics of white labels.

use super::metric::{Metric, gauge};
use crate::model::{TIERS, WINDOWS, Whitelabel};

const LABELS: &[&str] = &["whitelabel_id"];
/// The collector that counts users.
const USERS: &[&str] = &["whitelabel_users"];

/// One row per metric, for white labels with an id.
pub static WHITELABEL: &[Metric<Whitelabel>] = &[
    gauge(
        "edgeimpulse_whitelabel_info",
        "Always 1; the labels show the name of the white label and the organization that owns it.",
        &["whitelabel_id", "whitelabel_name", "organization_id"],
        &["user", "whitelabel"],
        |w, s| s.add([w.id.into(), (&w.name).into(), w.owner.into()], 1.0),
    ),
    gauge(
        "edgeimpulse_whitelabel_organizations",
        "Number of organizations of the white label, without deleted ones.",
        LABELS,
        &["whitelabel_organizations"],
        |w, s| s.count([w.id.into()], w.organizations),
    ),
    gauge(
        "edgeimpulse_whitelabel_organizations_limit",
        "Maximum number of organizations that can be created under the white label; absent if there is no limit.",
        LABELS,
        &["whitelabel"],
        |w, s| s.add([w.id.into()], w.organizations_limit),
    ),
    gauge(
        "edgeimpulse_whitelabel_users",
        "Number of registered users of the white label by the tier of their account.",
        &["whitelabel_id", "tier"],
        USERS,
        |w, s| s.classes(w.id, TIERS, w.users_by_tier),
    ),
    gauge(
        "edgeimpulse_whitelabel_users_active",
        "Number of registered users of the white label who were active within the window. Windows overlap: do not sum them.",
        &["whitelabel_id", "window"],
        USERS,
        |w, s| s.classes(w.id, WINDOWS.map(|(name, _)| name), w.users_active),
    ),
];
