//! Metrics of white labels.

use crate::model::{TIERS, WINDOWS, Whitelabel};

const LABELS: &[&str] = &["whitelabel_id"];
/// The collector that counts users.
const USERS: &[&str] = &["whitelabel_users"];
/// The collector that counts active organizations and projects.
const ACTIVITY: &[&str] = &["whitelabel_activity"];

catalogue! { pub static WHITELABEL: Whitelabel, |w, s|
    Gauge(&["whitelabel_id", "whitelabel_name", "organization_id"], &["user", "whitelabel"]) edgeimpulse_whitelabel_info
        "Always 1; the labels show the name of the white label and the organization that owns it." =>
        // Other collectors know the ids alone.
        s.add([w.id.into(), (&w.name).into(), w.owner.into()], w.name.as_ref().map(|_| 1.0));
    Gauge(LABELS, &["whitelabel_organizations"]) edgeimpulse_whitelabel_organizations
        "Number of organizations of the white label, without deleted ones." =>
        s.count([w.id.into()], w.organizations);
    Gauge(LABELS, &["whitelabel"]) edgeimpulse_whitelabel_organizations_limit
        "Maximum number of organizations that can be created under the white label; absent if there is no limit." =>
        s.add([w.id.into()], w.organizations_limit);
    Gauge(&["whitelabel_id", "policy"], &["whitelabel"]) edgeimpulse_whitelabel_policy_enabled
        "1 if the white label has the policy, else 0: password_auth (users may sign in with a password) or signup (users may register themselves)."
        .experimental() => {
            s.flag([w.id.into(), "password_auth".into()], w.password_auth);
            s.flag([w.id.into(), "signup".into()], w.signup);
        };
    Gauge(&["whitelabel_id", "tier"], USERS) edgeimpulse_whitelabel_users
        "Number of registered users of the white label by the tier of their account. Deleted users may be counted: the API does not say." =>
        s.classes(w.id, TIERS, w.users_by_tier);
    Gauge(&["whitelabel_id", "window"], USERS) edgeimpulse_whitelabel_users_active
        "Number of registered users of the white label who were active within the window. Windows overlap: do not sum them. Deleted users may be counted: the API does not say." =>
        s.classes(w.id, WINDOWS.map(|(name, _)| name), w.users_active);
    Gauge(&["whitelabel_id", "window"], ACTIVITY) edgeimpulse_whitelabel_organizations_active
        "Number of organizations of the white label that were active within the window. Windows overlap: do not sum them." =>
        s.classes(w.id, WINDOWS.map(|(name, _)| name), w.organizations_active);
    Gauge(LABELS, ACTIVITY) edgeimpulse_whitelabel_projects
        "Number of projects of the white label. Deleted projects may be counted: the API does not say." =>
        s.count([w.id.into()], w.projects);
    Gauge(&["whitelabel_id", "window"], ACTIVITY) edgeimpulse_whitelabel_projects_active
        "Number of projects of the white label that were active within the window. Windows overlap: do not sum them. Deleted projects may be counted: the API does not say." =>
        s.classes(w.id, WINDOWS.map(|(name, _)| name), w.projects_active);
}
