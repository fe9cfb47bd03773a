//! Limits and counts of users.

use super::{LABELS, LIMITS, OBJECT, limit};
use crate::metrics::catalogue::metric::{Metric, gauge};
use crate::model::{Organization, ROLES, SIGN_IN_METHODS, WINDOWS};

pub(super) static USERS: &[Metric<Organization>] = &[
    gauge(
        "edgeimpulse_organization_users_limit",
        "Entitled number of users; absent if there is no limit.",
        LABELS,
        LIMITS,
        |o, s| limit(o, |limits| limits.users, s),
    ),
    gauge(
        "edgeimpulse_organization_users_used",
        "Number of users that count against the entitlement, without Edge Impulse staff unless --no-usage.exclude-edge-impulse-users is set. If usage is unknown: the number reported to a user of the organization, with staff, else the one of the newest daily record, without staff.",
        LABELS,
        &["usage", "user", "whitelabel_organization", "whitelabel_user"],
        |o: &Organization, s| s.add([o.id.into()], o.users_used),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_admins",
        "Number of admins of the organization.",
        LABELS,
        &["user", "whitelabel_user"],
        |o, s| s.add([o.id.into()], o.admins),
    ),
    gauge(
        "edgeimpulse_organization_users",
        "Number of users by role, invited users included; other is any role that the API does not document.",
        &["organization_id", "role"],
        OBJECT,
        |o, s| s.classes(o.id, ROLES, o.users_by_role),
    ),
    gauge(
        "edgeimpulse_organization_users_pending",
        "Number of users who have not accepted their invitation.",
        LABELS,
        OBJECT,
        |o, s| s.count([o.id.into()], o.users_pending),
    ),
    gauge(
        "edgeimpulse_organization_users_not_activated",
        "Number of users who have not activated their account.",
        LABELS,
        OBJECT,
        |o, s| s.count([o.id.into()], o.users_not_activated),
    ),
    gauge(
        "edgeimpulse_organization_users_sign_in",
        "Number of users by strongest known sign-in method: mfa, sso (identity provider) or password (neither).",
        &["organization_id", "method"],
        OBJECT,
        |o, s| s.classes(o.id, SIGN_IN_METHODS, o.users_by_sign_in),
    ),
    gauge(
        "edgeimpulse_organization_users_active",
        "Number of users who accessed data of the organization within the window. Windows overlap: do not sum them.",
        &["organization_id", "window"],
        OBJECT,
        |o, s| s.classes(o.id, WINDOWS.map(|(name, _)| name), o.users_active),
    ),
    gauge(
        "edgeimpulse_organization_last_access_timestamp_seconds",
        "Time of the last access of any user to data of the organization.",
        LABELS,
        OBJECT,
        |o, s| s.add([o.id.into()], o.last_access),
    ),
];
