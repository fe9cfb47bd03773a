//! Limits and counts of projects.

use super::{LABELS, LIMITS, OBJECT, limit};
use crate::metrics::catalogue::metric::{Metric, gauge};
use crate::model::{Organization, VISIBILITIES, WINDOWS};

pub(super) static PROJECTS: &[Metric<Organization>] = &[
    gauge(
        "edgeimpulse_organization_projects_limit",
        "Entitled number of projects; absent if there is no limit.",
        LABELS,
        LIMITS,
        |o, s| limit(o, |limits| limits.projects, s),
    ),
    gauge(
        "edgeimpulse_organization_projects_used",
        "Number of projects that count against the entitlement: private ones, unless --usage.project-visibility is set otherwise. If usage is unknown: private projects from the list of the white label.",
        LABELS,
        &["usage", "whitelabel_organizations"],
        |o: &Organization, s| s.add([o.id.into()], o.projects_used),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_private_projects",
        "Number of private projects, as reported to a user of the organization or to an admin of its white label.",
        LABELS,
        &["user", "whitelabel_organizations", "whitelabel_user"],
        |o, s| s.add([o.id.into()], o.private_projects),
    ),
    gauge(
        "edgeimpulse_organization_projects",
        "Number of projects by visibility; public includes public versions and projects with live public access.",
        &["organization_id", "visibility"],
        OBJECT,
        |o, s| s.classes(o.id, VISIBILITIES, o.projects_by_visibility),
    ),
];

pub(super) static PROJECT_ACTIVITY: &[Metric<Organization>] = &[
    gauge(
        "edgeimpulse_organization_projects_pending_deletion",
        "Number of projects scheduled for full deletion; absent while the API returns no deletion date for any project.",
        LABELS,
        OBJECT,
        |o, s| s.count([o.id.into()], o.projects_pending_deletion),
    ),
    gauge(
        "edgeimpulse_organization_projects_modified",
        "Number of projects modified within the window. Windows overlap: do not sum them.",
        &["organization_id", "window"],
        OBJECT,
        |o, s| s.classes(o.id, WINDOWS.map(|(name, _)| name), o.projects_modified),
    ),
];
