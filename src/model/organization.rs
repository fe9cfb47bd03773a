//! One organization, and what belongs to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    DailyRecord, Dataset, EntitlementLimits, Project, ROLES, SIGN_IN_METHODS, Unique, UnixTime, VISIBILITIES,
    WINDOWS,
};

/// Everything known about one organization.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Organization {
    /// `id`
    pub id: u64,
    /// Names and kind.
    pub info: OrganizationInfo,
    /// `created`
    pub created: Option<UnixTime>,
    /// `contractStartDate`
    pub contract_start: Option<UnixTime>,
    /// `deletedDate`
    pub deleted: Option<UnixTime>,
    /// `trialExpiredDate`
    pub trial_expired: Option<UnixTime>,
    /// `trialUpgradedDate`
    pub trial_upgraded: Option<UnixTime>,
    /// `entitlementLimits`
    pub limits: Option<EntitlementLimits>,
    /// Usage `totalStorage`, in bytes.
    pub storage_used: Option<f64>,
    /// Usage `cpuComputeTimeCurrentContract` + `gpuComputeTimeCurrentContract`, else
    /// `jobsComputeTimeCurrentYear`, in seconds.
    pub compute_time_used: Option<f64>,
    /// Usage `cpuComputeTimeCurrentContract`, in seconds.
    pub cpu_compute_time_used: Option<f64>,
    /// Usage `gpuComputeTimeCurrentContract`, in seconds.
    pub gpu_compute_time_used: Option<f64>,
    /// Usage `totalJobsComputeTime`, in seconds.
    pub compute_time_lifetime: Option<f64>,
    /// Usage `jobsComputeTimeCurrentYearSince`.
    pub compute_period_start: Option<UnixTime>,
    /// Usage `projectCount`.
    pub projects_used: Option<f64>,
    /// Usage `userCount`, else the user's `userCount`.
    pub users_used: Option<f64>,
    /// `privateProjectCount`
    pub private_projects: Option<f64>,
    /// `adminCount`
    pub admins: Option<f64>,
    /// Members by role, in the order of [`ROLES`].
    pub users_by_role: Option<[u64; ROLES.len()]>,
    /// Members whose invitation is `pending`.
    pub users_pending: Option<u64>,
    /// Members who have not `activated` their account.
    pub users_not_activated: Option<u64>,
    /// Members by way to sign in, in the order of [`SIGN_IN_METHODS`].
    pub users_by_sign_in: Option<[u64; SIGN_IN_METHODS.len()]>,
    /// Members who accessed the organization's data within each of [`WINDOWS`].
    pub users_active: Option<[u64; WINDOWS.len()]>,
    /// The latest `lastAccessToOrganization`.
    pub last_access: Option<UnixTime>,
    /// Projects by visibility, in the order of [`VISIBILITIES`].
    pub projects_by_visibility: Option<[u64; VISIBILITIES.len()]>,
    /// Projects with a `scheduledFullDeletionDate`.
    pub projects_pending_deletion: Option<u64>,
    /// Projects `lastModified` within each of [`WINDOWS`].
    pub projects_modified: Option<[u64; WINDOWS.len()]>,
    /// `defaultComputeLimits.requestsCpu`, in cores.
    pub job_cpu_request: Option<f64>,
    /// `defaultComputeLimits.limitsCpu`, in cores.
    pub job_cpu_limit: Option<f64>,
    /// `defaultComputeLimits.requestsMemory`, in bytes.
    pub job_memory_request: Option<f64>,
    /// `defaultComputeLimits.limitsMemory`, in bytes.
    pub job_memory_limit: Option<f64>,
    /// `performance.jobLimitM`, in seconds.
    pub job_time_limit: Option<f64>,
    /// `experiments`: whether each `type` is `enabled`.
    pub experiments: Option<Arc<BTreeMap<String, bool>>>,
    /// `datasets`
    pub datasets: Option<Arc<Unique<Dataset>>>,
    /// `date` of the newest of a white label's `dailyMetrics` of it: the day's beginning.
    pub daily_record: Option<UnixTime>,
    /// All of a white label's `dailyMetrics` of it, if they are asked for, in the order in which they came.
    pub days: Option<Arc<Vec<DailyRecord>>>,
    /// `projects`, if they are asked for one by one.
    pub projects: Option<Arc<Unique<Project>>>,
}

impl Organization {
    /// Returns an organization of which only the id is known.
    #[must_use]
    pub fn new(id: u64) -> Self {
        Self { id, ..Self::default() }
    }

    /// Takes from `other` what `self` does not know, a labelled family whole or not at all.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            id: self.id,
            info: self.info.or(other.info),
            created: self.created.or(other.created),
            contract_start: self.contract_start.or(other.contract_start),
            deleted: self.deleted.or(other.deleted),
            trial_expired: self.trial_expired.or(other.trial_expired),
            trial_upgraded: self.trial_upgraded.or(other.trial_upgraded),
            limits: self.limits.or(other.limits),
            storage_used: self.storage_used.or(other.storage_used),
            compute_time_used: self.compute_time_used.or(other.compute_time_used),
            cpu_compute_time_used: self.cpu_compute_time_used.or(other.cpu_compute_time_used),
            gpu_compute_time_used: self.gpu_compute_time_used.or(other.gpu_compute_time_used),
            compute_time_lifetime: self.compute_time_lifetime.or(other.compute_time_lifetime),
            compute_period_start: self.compute_period_start.or(other.compute_period_start),
            projects_used: self.projects_used.or(other.projects_used),
            users_used: self.users_used.or(other.users_used),
            private_projects: self.private_projects.or(other.private_projects),
            admins: self.admins.or(other.admins),
            users_by_role: self.users_by_role.or(other.users_by_role),
            users_pending: self.users_pending.or(other.users_pending),
            users_not_activated: self.users_not_activated.or(other.users_not_activated),
            users_by_sign_in: self.users_by_sign_in.or(other.users_by_sign_in),
            users_active: self.users_active.or(other.users_active),
            last_access: self.last_access.or(other.last_access),
            projects_by_visibility: self.projects_by_visibility.or(other.projects_by_visibility),
            projects_pending_deletion: self.projects_pending_deletion.or(other.projects_pending_deletion),
            projects_modified: self.projects_modified.or(other.projects_modified),
            job_cpu_request: self.job_cpu_request.or(other.job_cpu_request),
            job_cpu_limit: self.job_cpu_limit.or(other.job_cpu_limit),
            job_memory_request: self.job_memory_request.or(other.job_memory_request),
            job_memory_limit: self.job_memory_limit.or(other.job_memory_limit),
            job_time_limit: self.job_time_limit.or(other.job_time_limit),
            experiments: self.experiments.or(other.experiments),
            datasets: self.datasets.or(other.datasets),
            daily_record: self.daily_record.or(other.daily_record),
            days: self.days.or(other.days),
            projects: self.projects.or(other.projects),
        }
    }
}

/// Names and kind of an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganizationInfo {
    /// `name`
    pub name: Option<String>,
    /// `whitelabelId`
    pub whitelabel_id: Option<u64>,
    /// `whitelabelName`
    pub whitelabel_name: Option<String>,
    /// `isDeveloperProfile`
    pub developer_profile: Option<bool>,
}

impl OrganizationInfo {
    /// Returns the name, if it may be shown: that of a developer profile is its user's, and no user's name ever is.
    #[must_use]
    pub fn shown_name(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| self.developer_profile != Some(true))
    }

    /// Takes from `other` what `self` does not know.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            name: self.name.or(other.name),
            whitelabel_id: self.whitelabel_id.or(other.whitelabel_id),
            whitelabel_name: self.whitelabel_name.or(other.whitelabel_name),
            developer_profile: self.developer_profile.or(other.developer_profile),
        }
    }
}
