//! Metrics of organizations.

use super::gauge;
use crate::metrics::{Label, Metric, Samples};
use crate::model::{Limit, Organization, OrganizationInfo, ROLES, SIGN_IN_METHODS, VISIBILITIES, WINDOWS};

/// Labels of nearly all metrics here.
const ID: &[&str] = &["organization_id"];
/// Collectors that describe an organization.
const DESCRIBED_BY: &[&str] = &["organization", "user", "user_organizations", "whitelabel_user"];
/// Collectors that know when an organization was created.
const DATED_BY: &[&str] =
    &["organization", "user", "user_organizations", "whitelabel_organizations", "whitelabel_user"];
/// Collectors that know the organization object itself.
const ORGANIZATION_OBJECT: &[&str] = &["organization", "user_organizations"];
/// Collectors that know entitlement limits.
const LIMITED_BY: &[&str] =
    &["organization", "user", "whitelabel_organization", "whitelabel_organizations", "whitelabel_user"];
/// The collector that knows usage.
const USAGE: &[&str] = &["usage"];
/// Collectors that know storage and compute time in use.
const USED: &[&str] = &["usage", "whitelabel_organization"];
/// The collector that knows how jobs run.
const JOBS: &[&str] = &["organization"];
/// Collectors that see an organization as one of its users does.
const SEEN_BY_USER: &[&str] = &["user", "whitelabel_user"];

/// Writes a family with one series per class.
fn classes<const N: usize>(
    organization: &Organization,
    names: [&'static str; N],
    counts: Option<[u64; N]>,
    samples: &mut Samples<'_>,
) {
    for (name, count) in names.into_iter().zip(counts.iter().flatten()) {
        samples.count([organization.id.into(), name.into()], *count);
    }
}

/// Writes a limit, if limits were read and there is this one.
fn limit(
    organization: &Organization,
    limit: fn(&crate::model::EntitlementLimits) -> Limit,
    samples: &mut Samples<'_>,
) {
    if let Some(Limit::At(value)) = organization.limits.as_ref().map(limit) {
        samples.add([organization.id.into()], value);
    }
}

const WINDOW_NAMES: [&str; WINDOWS.len()] = [WINDOWS[0].0, WINDOWS[1].0, WINDOWS[2].0, WINDOWS[3].0];

/// The table.
pub static ORGANIZATION: &[Metric<Organization>] = &[
    gauge(
        "edgeimpulse_organization_info",
        "Always 1. Name, white label and kind of the organization. A developer profile has no name, which would be its user's.",
        &["organization_id", "organization_name", "whitelabel_id", "whitelabel_name", "developer_profile"],
        &[
            "organization",
            "user",
            "user_organizations",
            "whitelabel_organizations",
            "whitelabel_user",
            "organizations",
        ],
        |o, s| {
            let info = &o.info;
            if *info == OrganizationInfo::default() {
                return;
            }
            let developer_profile = info.developer_profile.map(|yes| if yes { "true" } else { "false" });
            let labels = [
                o.id.into(),
                info.shown_name().map_or(Label::Absent, Label::Text),
                info.whitelabel_id.into(),
                (&info.whitelabel_name).into(),
                developer_profile.map_or(Label::Absent, Label::Text),
            ];
            s.add(labels, 1.0);
        },
    ),
    gauge(
        "edgeimpulse_organization_created_timestamp_seconds",
        "When the organization was created.",
        ID,
        DATED_BY,
        |o, s| s.add([o.id.into()], o.created),
    ),
    gauge(
        "edgeimpulse_organization_contract_start_timestamp_seconds",
        "When the current contract started.",
        ID,
        ORGANIZATION_OBJECT,
        |o, s| s.add([o.id.into()], o.contract_start),
    ),
    gauge(
        "edgeimpulse_organization_deleted_timestamp_seconds",
        "When the organization was deleted; absent unless it was.",
        ID,
        ORGANIZATION_OBJECT,
        |o, s| s.add([o.id.into()], o.deleted),
    ),
    gauge(
        "edgeimpulse_organization_entitlement_limited",
        "Whether the entitlement has a limit, 1 or 0; absent while limits are not known.",
        &["organization_id", "entitlement"],
        LIMITED_BY,
        |o, s| {
            for (name, limit) in o.limits.iter().flat_map(crate::model::EntitlementLimits::by_name) {
                let limited = match limit {
                    Limit::Unknown => None,
                    Limit::None => Some(false),
                    Limit::At(_) => Some(true),
                };
                s.flag([o.id.into(), name.into()], limited);
            }
        },
    ),
    gauge(
        "edgeimpulse_organization_storage_limit_bytes",
        "Entitled storage; absent if there is no limit.",
        ID,
        LIMITED_BY,
        |o, s| limit(o, |limits| limits.storage, s),
    ),
    gauge("edgeimpulse_organization_storage_used_bytes", "Storage in use.", ID, USED, |o: &Organization, s| {
        s.add([o.id.into()], o.storage_used);
    })
    .with_past(),
    gauge(
        "edgeimpulse_organization_compute_time_limit_seconds",
        "Entitled compute time per contract year, CPU and GPU added; absent if there is no limit.",
        ID,
        LIMITED_BY,
        |o, s| limit(o, |limits| limits.compute, s),
    ),
    gauge(
        "edgeimpulse_organization_compute_time_used_seconds",
        "Compute time used since the contract started, CPU and GPU added. The usage call does not state its unit: see --api.compute-time-unit.",
        ID,
        USED,
        |o: &Organization, s| s.add([o.id.into()], o.compute_time_used),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_gpu_compute_time_limit_seconds",
        "Entitled GPU compute time per contract year; absent if there is no limit.",
        ID,
        LIMITED_BY,
        |o, s| limit(o, |limits| limits.gpu_compute, s),
    ),
    gauge(
        "edgeimpulse_organization_gpu_compute_time_used_seconds",
        "GPU compute time used since the contract started. The usage call does not state its unit: see --api.compute-time-unit.",
        ID,
        USED,
        |o: &Organization, s| s.add([o.id.into()], o.gpu_compute_time_used),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_cpu_compute_time_used_seconds",
        "CPU compute time used since the contract started. The usage call does not state its unit: see --api.compute-time-unit.",
        ID,
        USED,
        |o: &Organization, s| s.add([o.id.into()], o.cpu_compute_time_used),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_compute_time_lifetime_seconds",
        "Compute time of all jobs since the organization was created. The API does not state its unit: see --api.compute-time-unit.",
        ID,
        USAGE,
        |o, s| s.add([o.id.into()], o.compute_time_lifetime),
    ),
    gauge(
        "edgeimpulse_organization_compute_period_start_timestamp_seconds",
        "From when the compute time in use is counted.",
        ID,
        USED,
        |o: &Organization, s| s.add([o.id.into()], o.compute_period_start),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_projects_limit",
        "Entitled projects; absent if there is no limit.",
        ID,
        LIMITED_BY,
        |o, s| limit(o, |limits| limits.projects, s),
    ),
    gauge(
        "edgeimpulse_organization_projects_used",
        "Projects that count against the entitlement: private ones, unless --usage.project-visibility says otherwise. Where usage is not known, the private projects that a white label is told.",
        ID,
        &["usage", "whitelabel_organizations"],
        |o: &Organization, s| s.add([o.id.into()], o.projects_used),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_private_projects",
        "Private projects, as a user of the organization or an admin of its white label is told.",
        ID,
        &["user", "whitelabel_organizations", "whitelabel_user"],
        |o, s| s.add([o.id.into()], o.private_projects),
    ),
    gauge(
        "edgeimpulse_organization_projects",
        "Projects by visibility; public are public versions and projects that allow live public access.",
        &["organization_id", "visibility"],
        ORGANIZATION_OBJECT,
        |o, s| classes(o, VISIBILITIES, o.projects_by_visibility, s),
    ),
    gauge(
        "edgeimpulse_organization_users_limit",
        "Entitled users; absent if there is no limit.",
        ID,
        LIMITED_BY,
        |o, s| limit(o, |limits| limits.users, s),
    ),
    gauge(
        "edgeimpulse_organization_users_used",
        "Users that count against the entitlement: those who are not Edge Impulse staff, unless --no-usage.exclude-edge-impulse-users is given. Where usage is not known, the count that a user is told, staff included, else that of the newest daily record, without staff.",
        ID,
        &["usage", "user", "whitelabel_organization", "whitelabel_user"],
        |o: &Organization, s| s.add([o.id.into()], o.users_used),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_admins",
        "Users who are admins of the organization.",
        ID,
        SEEN_BY_USER,
        |o, s| {
            s.add([o.id.into()], o.admins);
        },
    ),
    gauge(
        "edgeimpulse_organization_users",
        "Users by role, invited ones included; other is a role that the API does not document.",
        &["organization_id", "role"],
        ORGANIZATION_OBJECT,
        |o, s| classes(o, ROLES, o.users_by_role, s),
    ),
    gauge(
        "edgeimpulse_organization_users_pending",
        "Users who have not accepted their invitation.",
        ID,
        ORGANIZATION_OBJECT,
        |o, s| s.count([o.id.into()], o.users_pending),
    ),
    gauge(
        "edgeimpulse_organization_users_not_activated",
        "Users who have not activated their account.",
        ID,
        ORGANIZATION_OBJECT,
        |o, s| s.count([o.id.into()], o.users_not_activated),
    ),
    gauge(
        "edgeimpulse_organization_users_sign_in",
        "Users by the strongest way to sign in that is known of them: mfa, sso (an identity provider) or password (neither).",
        &["organization_id", "method"],
        ORGANIZATION_OBJECT,
        |o, s| classes(o, SIGN_IN_METHODS, o.users_by_sign_in, s),
    ),
    gauge(
        "edgeimpulse_organization_users_active",
        "Users who accessed data of the organization within the window. Windows overlap: never sum them.",
        &["organization_id", "window"],
        ORGANIZATION_OBJECT,
        |o, s| classes(o, WINDOW_NAMES, o.users_active, s),
    ),
    gauge(
        "edgeimpulse_organization_last_access_timestamp_seconds",
        "When a user last accessed data of the organization.",
        ID,
        ORGANIZATION_OBJECT,
        |o, s| s.add([o.id.into()], o.last_access),
    ),
    gauge(
        "edgeimpulse_organization_projects_pending_deletion",
        "Projects with a date for their full deletion; absent while the API gives that date for none.",
        ID,
        ORGANIZATION_OBJECT,
        |o, s| s.count([o.id.into()], o.projects_pending_deletion),
    ),
    gauge(
        "edgeimpulse_organization_projects_modified",
        "Projects modified within the window. Windows overlap: never sum them.",
        &["organization_id", "window"],
        ORGANIZATION_OBJECT,
        |o, s| classes(o, WINDOW_NAMES, o.projects_modified, s),
    ),
    gauge(
        "edgeimpulse_organization_default_job_cpu_request_cores",
        "CPU that a job requests unless it says otherwise.",
        ID,
        JOBS,
        |o, s| s.add([o.id.into()], o.job_cpu_request),
    ),
    gauge(
        "edgeimpulse_organization_default_job_cpu_limit_cores",
        "Most CPU that a job may use unless it says otherwise.",
        ID,
        JOBS,
        |o, s| s.add([o.id.into()], o.job_cpu_limit),
    ),
    gauge(
        "edgeimpulse_organization_default_job_memory_request_bytes",
        "Memory that a job requests unless it says otherwise. The API does not state its unit: see --api.memory-unit.",
        ID,
        JOBS,
        |o, s| s.add([o.id.into()], o.job_memory_request),
    ),
    gauge(
        "edgeimpulse_organization_default_job_memory_limit_bytes",
        "Most memory that a job may use unless it says otherwise. The API does not state its unit: see --api.memory-unit.",
        ID,
        JOBS,
        |o, s| s.add([o.id.into()], o.job_memory_limit),
    ),
    gauge(
        "edgeimpulse_organization_job_time_limit_seconds",
        "Most compute time of one job, transformation jobs excepted.",
        ID,
        JOBS,
        |o, s| s.add([o.id.into()], o.job_time_limit),
    ),
    gauge(
        "edgeimpulse_organization_experiment_enabled",
        "Whether an experiment is enabled for the organization, 1 or 0.",
        &["organization_id", "experiment"],
        JOBS,
        |o, s| {
            for (experiment, enabled) in o.experiments.iter().flat_map(|experiments| experiments.iter()) {
                s.flag([o.id.into(), experiment.as_str().into()], *enabled);
            }
        },
    ),
    gauge(
        "edgeimpulse_organization_trial_expired_timestamp_seconds",
        "When the trial that the organization belongs to expired. After 30 days of grace the organization is deleted.",
        ID,
        DESCRIBED_BY,
        |o, s| s.add([o.id.into()], o.trial_expired),
    ),
    gauge(
        "edgeimpulse_organization_trial_upgraded_timestamp_seconds",
        "When the trial that the organization belongs to was upgraded to a full enterprise account.",
        ID,
        DESCRIBED_BY,
        |o, s| s.add([o.id.into()], o.trial_upgraded),
    ),
    gauge(
        "edgeimpulse_organization_daily_record_timestamp_seconds",
        "The day that the newest daily record of an organization that only its white label sees is about, as its beginning.",
        ID,
        &["whitelabel_organization"],
        |o: &Organization, s| s.add([o.id.into()], o.daily_record),
    )
    .experimental(),
];
