//! Metrics of organizations.

use crate::metrics::{Label, Samples};
use crate::model::{
    EntitlementLimits, JOB_RESULTS, JOB_STATES, Limit, Organization, OrganizationInfo, ROLES, SIGN_IN_METHODS,
    TRANSFORMATION_JOB_STATUSES, UNUSED_WINDOWS, VISIBILITIES, WINDOWS,
};

/// The label that most of these metrics have alone.
const LABELS: &[&str] = &["organization_id"];
/// Collectors that read entitlement limits.
const LIMITS: &[&str] =
    &["organization", "user", "whitelabel_organization", "whitelabel_organizations", "whitelabel_user"];
/// Collectors that read the organization object.
const OBJECT: &[&str] = &["organization", "user_organizations"];
/// Collectors that read storage and compute time used.
const USAGE: &[&str] = &["usage", "whitelabel_organization"];
/// The collector that reads limits of jobs.
const JOB_LIMITS: &[&str] = &["organization"];
/// The collector that reads jobs that have not finished.
const JOBS: &[&str] = &["jobs"];
/// The collector that reads jobs that have finished.
const FINISHED_JOBS: &[&str] = &["finished_jobs"];
/// Collectors that read the dates of an organization's trial.
const TRIAL: &[&str] = &["organization", "user", "user_organizations", "whitelabel_user"];

/// The collector that reads API keys.
const API_KEYS: &[&str] = &["api_keys"];

/// Writes a limit; an organization without this limit has no sample.
fn limit(organization: &Organization, limit: fn(&EntitlementLimits) -> Limit, samples: &mut Samples<'_>) {
    if let Some(Limit::At(value)) = organization.limits.as_deref().map(limit) {
        samples.add([organization.id.into()], value);
    }
}

catalogue! { pub static ORGANIZATION: Organization, |o, s|
    Gauge(&["organization_id", "organization_name", "whitelabel_id", "whitelabel_name", "developer_profile"], &[
            "organization",
            "user",
            "user_organizations",
            "whitelabel_organizations",
            "whitelabel_user",
            "organizations",
        ]) edgeimpulse_organization_info
        "Always 1; the labels show name, white label and kind of the organization. A developer profile has no name label: it would be the name of its user." => {
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
        };
    Gauge(LABELS, &["organization", "user", "user_organizations", "whitelabel_organizations", "whitelabel_user"]) edgeimpulse_organization_created_timestamp_seconds
        "Creation time of the organization." => s.add([o.id.into()], o.created);
    Gauge(LABELS, OBJECT) edgeimpulse_organization_contract_start_timestamp_seconds
        "Start time of the current contract." => s.add([o.id.into()], o.contract_start);
    Gauge(LABELS, OBJECT) edgeimpulse_organization_deleted_timestamp_seconds
        "Deletion time of the organization; absent if it was not deleted." =>
        s.add([o.id.into()], o.deleted);
    Gauge(LABELS, &["whitelabel_organization", "whitelabel_organizations"]) edgeimpulse_organization_billable
        "1 if the organization is billable, else 0; white-label organizations only."
        .experimental() => s.flag([o.id.into()], o.billable);
    Gauge(&["organization_id", "entitlement"], LIMITS) edgeimpulse_organization_entitlement_limited
        "1 if the entitlement has a limit, 0 if it has none; absent while the limits are unknown." => {
            for (name, limit) in o.limits.iter().flat_map(|limits| limits.by_name()) {
                let limited = match limit {
                    Limit::Unknown => None,
                    Limit::None => Some(false),
                    Limit::At(_) => Some(true),
                };
                s.flag([o.id.into(), name.into()], limited);
            }
        };
    Gauge(LABELS, LIMITS) edgeimpulse_organization_storage_limit_bytes
        "Entitled storage; absent if there is no limit." => limit(o, |limits| limits.storage, s);
    Gauge(LABELS, USAGE) edgeimpulse_organization_storage_used_bytes
        "Storage used."
        .with_past() => s.add([o.id.into()], o.storage_used);
    Gauge(LABELS, LIMITS) edgeimpulse_organization_compute_time_limit_seconds
        "Entitled compute time per year, CPU and GPU combined; absent if there is no limit." =>
        limit(o, |limits| limits.compute, s);
    Gauge(LABELS, USAGE) edgeimpulse_organization_compute_time_used_seconds
        "Compute time used since the contract started, CPU and GPU combined. The API does not document the unit of the usage call: see --api.compute-time-unit."
        .with_past() => s.add([o.id.into()], o.compute_time_used);
    Gauge(LABELS, LIMITS) edgeimpulse_organization_gpu_compute_time_limit_seconds
        "Entitled GPU compute time per year; absent if there is no limit." =>
        limit(o, |limits| limits.gpu_compute, s);
    Gauge(LABELS, USAGE) edgeimpulse_organization_gpu_compute_time_used_seconds
        "GPU compute time used since the contract started. The API does not document the unit of the usage call: see --api.compute-time-unit."
        .with_past() => s.add([o.id.into()], o.gpu_compute_time_used);
    Gauge(LABELS, USAGE) edgeimpulse_organization_cpu_compute_time_used_seconds
        "CPU compute time used since the contract started. The API does not document the unit of the usage call: see --api.compute-time-unit."
        .with_past() => s.add([o.id.into()], o.cpu_compute_time_used);
    Gauge(LABELS, &["usage"]) edgeimpulse_organization_compute_time_lifetime_seconds
        "Compute time of all jobs since the organization was created. The API does not document the unit: see --api.compute-time-total-unit." =>
        s.add([o.id.into()], o.compute_time_lifetime);
    Gauge(LABELS, USAGE) edgeimpulse_organization_compute_period_start_timestamp_seconds
        "Start of the period over which the compute time used is counted."
        .with_past() => s.add([o.id.into()], o.compute_period_start);
    Gauge(LABELS, LIMITS) edgeimpulse_organization_projects_limit
        "Entitled number of projects; absent if there is no limit." => limit(o, |limits| limits.projects, s);
    Gauge(LABELS, &["usage", "whitelabel_organizations"]) edgeimpulse_organization_projects_used
        "Number of projects that count against the entitlement: private ones, unless --usage.project-visibility is set otherwise. If usage is unknown: private projects from the list of the white label."
        .with_past() => s.add([o.id.into()], o.projects_used);
    Gauge(LABELS, &["user", "whitelabel_organizations", "whitelabel_user"]) edgeimpulse_organization_private_projects
        "Number of private projects, as reported to a user of the organization or to an admin of its white label." =>
        s.add([o.id.into()], o.private_projects);
    Gauge(&["organization_id", "visibility"], OBJECT) edgeimpulse_organization_projects
        "Number of projects by visibility, without deleted ones; public are public versions and projects with live public access. A project of which a public version was published is private: see edgeimpulse_organization_projects_published." =>
        s.classes(o.id, VISIBILITIES, o.projects_by_visibility);
    Gauge(LABELS, OBJECT) edgeimpulse_organization_projects_published
        "Number of projects of which a public version was published, without deleted ones."
        .experimental() => s.count([o.id.into()], o.projects_published.map(u64::from));
    Gauge(LABELS, LIMITS) edgeimpulse_organization_users_limit
        "Entitled number of users; absent if there is no limit." => limit(o, |limits| limits.users, s);
    Gauge(LABELS, &["usage", "user", "whitelabel_organization", "whitelabel_user"]) edgeimpulse_organization_users_used
        "Number of users that count against the entitlement, without Edge Impulse staff unless --no-usage.exclude-edge-impulse-users is set. If usage is unknown: the number reported to a user of the organization, with staff, else the one of the newest daily record, without staff."
        .with_past() => s.add([o.id.into()], o.users_used);
    Gauge(LABELS, &["user", "whitelabel_user"]) edgeimpulse_organization_admins
        "Number of admins of the organization." => s.add([o.id.into()], o.admins);
    Gauge(&["organization_id", "role"], OBJECT) edgeimpulse_organization_users
        "Number of users by role, with invited users and Edge Impulse staff; other is any role that the API does not document." =>
        s.classes(o.id, ROLES, o.users_by_role);
    Gauge(LABELS, OBJECT) edgeimpulse_organization_users_staff
        "Number of users who are Edge Impulse staff."
        .experimental() => s.count([o.id.into()], o.users_staff.map(u64::from));
    Gauge(LABELS, OBJECT) edgeimpulse_organization_users_pending
        "Number of users who have not accepted their invitation." => s.count([o.id.into()], o.users_pending.map(u64::from));
    Gauge(LABELS, OBJECT) edgeimpulse_organization_users_not_activated
        "Number of users who have not activated their account." =>
        s.count([o.id.into()], o.users_not_activated.map(u64::from));
    Gauge(&["organization_id", "method"], OBJECT) edgeimpulse_organization_users_sign_in
        "Number of users by strongest known sign-in method: mfa, sso (identity provider) or password (neither). Without Edge Impulse staff, open invitations and accounts that are not activated." =>
        s.classes(o.id, SIGN_IN_METHODS, o.users_by_sign_in);
    Gauge(&["organization_id", "window"], OBJECT) edgeimpulse_organization_users_active
        "Number of users who accessed data of the organization within the window, without Edge Impulse staff. Windows overlap: do not sum them." =>
        s.classes(o.id, WINDOWS.map(|(name, _)| name), o.users_active);
    Gauge(LABELS, OBJECT) edgeimpulse_organization_last_access_timestamp_seconds
        "Time of the last access of any user, except Edge Impulse staff, to data of the organization." =>
        s.add([o.id.into()], o.last_access);
    Gauge(LABELS, OBJECT) edgeimpulse_organization_projects_pending_deletion
        "Number of deleted projects and of those scheduled for full deletion; absent while the API returns no deletion date for any project." =>
        s.count([o.id.into()], o.projects_pending_deletion.map(u64::from));
    Gauge(&["organization_id", "window"], OBJECT) edgeimpulse_organization_projects_modified
        "Number of projects modified within the window, without deleted ones. Windows overlap: do not sum them." =>
        s.classes(o.id, WINDOWS.map(|(name, _)| name), o.projects_modified);
    Gauge(LABELS, JOB_LIMITS) edgeimpulse_organization_default_job_cpu_request_cores
        "Default CPU request of a job." => s.add([o.id.into()], o.job_cpu_request);
    Gauge(LABELS, JOB_LIMITS) edgeimpulse_organization_default_job_cpu_limit_cores
        "Default CPU limit of a job." => s.add([o.id.into()], o.job_cpu_limit);
    Gauge(LABELS, JOB_LIMITS) edgeimpulse_organization_default_job_memory_request_bytes
        "Default memory request of a job. The API does not document the unit: see --api.memory-unit." =>
        s.add([o.id.into()], o.job_memory_request);
    Gauge(LABELS, JOB_LIMITS) edgeimpulse_organization_default_job_memory_limit_bytes
        "Default memory limit of a job. The API does not document the unit: see --api.memory-unit." =>
        s.add([o.id.into()], o.job_memory_limit);
    Gauge(LABELS, JOB_LIMITS) edgeimpulse_organization_job_time_limit_seconds
        "Maximum compute time of one job; not applied to transformation jobs." =>
        s.add([o.id.into()], o.job_time_limit);
    Gauge(&["organization_id", "experiment"], JOB_LIMITS) edgeimpulse_organization_experiment_enabled
        "1 if the experiment is enabled for the organization, else 0." => {
            for (experiment, enabled) in o.experiments.iter().flat_map(|experiments| experiments.iter()) {
                s.flag([o.id.into(), experiment.as_str().into()], *enabled);
            }
        };
    Gauge(LABELS, TRIAL) edgeimpulse_organization_trial
        "1 if the organization belongs to a trial that has neither expired nor been upgraded, else 0. The API returns when it will expire only to its user; by default, a trial takes 14 days."
        .experimental() => s.flag([o.id.into()], o.trial);
    Gauge(LABELS, TRIAL) edgeimpulse_organization_trial_expired_timestamp_seconds
        "Expiration time of the trial that the organization belongs to. The organization is deleted after a grace period of 30 days." =>
        s.add([o.id.into()], o.trial_expired);
    Gauge(LABELS, TRIAL) edgeimpulse_organization_trial_upgraded_timestamp_seconds
        "Time at which the trial that the organization belongs to was upgraded to a full enterprise account." =>
        s.add([o.id.into()], o.trial_upgraded);
    Gauge(LABELS, &["whitelabel_organization"]) edgeimpulse_organization_daily_record_timestamp_seconds
        "Start of the day covered by the newest daily record; white-label organizations only."
        .experimental() => s.add([o.id.into()], o.daily_record);
    Gauge(&["organization_id", "state"], JOBS) edgeimpulse_organization_jobs
        "Number of jobs that have not finished by state: queued (not started) or running. Without jobs that another job started."
        .experimental() => s.classes(o.id, JOB_STATES, o.jobs_by_state);
    Gauge(LABELS, JOBS) edgeimpulse_organization_oldest_queued_job_created_timestamp_seconds
        "Creation time of the job that has waited longest for its start; absent if none waits."
        .experimental() => s.add([o.id.into()], o.oldest_queued_job);
    Gauge(LABELS, JOBS) edgeimpulse_organization_oldest_running_job_started_timestamp_seconds
        "Start time of the job that has run longest; absent if none runs. For its time limit, see edgeimpulse_organization_job_time_limit_seconds."
        .experimental() => s.add([o.id.into()], o.oldest_running_job);
    Gauge(&["organization_id", "role"], API_KEYS) edgeimpulse_organization_api_keys
        "Number of API keys of the organization by role, without those of transformation jobs. Needs a JWT." =>
        s.classes(o.id, ROLES, o.api_keys_by_role);
    Gauge(&["organization_id", "window"], API_KEYS) edgeimpulse_organization_api_keys_unused
        "Number of API keys of the organization that were not used within the window, or never and are older than it. Windows overlap: do not sum them. Absent if the API reports of no key when it was used."
        .experimental() => s.classes(o.id, UNUSED_WINDOWS.map(|(name, _)| name), o.api_keys_unused);
    Gauge(&["organization_id", "category", "result"], FINISHED_JOBS) edgeimpulse_organization_finished_jobs
        "Number of jobs that finished within the last 24 hours by category and result; absent for categories without any."
        .experimental() => {
            for (category, jobs) in o.finished_jobs.iter().flat_map(|jobs| &**jobs) {
                for (result, count) in JOB_RESULTS.into_iter().zip(jobs.by_result.into_iter().flatten()) {
                    s.count([o.id.into(), (&**category).into(), result.into()], u64::from(count));
                }
            }
        };
    Gauge(&["organization_id", "category"], FINISHED_JOBS) edgeimpulse_organization_finished_jobs_compute_time_seconds
        "Compute time of the jobs that finished within the last 24 hours by category."
        .experimental() => {
            for (category, jobs) in o.finished_jobs.iter().flat_map(|jobs| &**jobs) {
                s.add([o.id.into(), (&**category).into()], jobs.compute_time);
            }
        };
    Gauge(&["organization_id", "status"], &["transformation_jobs"]) edgeimpulse_organization_transformation_jobs
        "Number of the latest 100 transformation jobs by status of the transformation, without those of pipelines; other is any status that the API does not document."
        .experimental() => s.classes(o.id, TRANSFORMATION_JOB_STATUSES, o.transformation_jobs);
}
