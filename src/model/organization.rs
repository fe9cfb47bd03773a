//! One organization.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::merge::{Id as _, record};
use super::{
    DailyRecord, Dataset, EntitlementLimits, Project, ROLES, SIGN_IN_METHODS, Unique, UnixTime, VISIBILITIES,
    WINDOWS,
};

record! {
    /// An organization: the fields of `Organization`, of the usage call (`usage.`), of the user's list of organizations
    /// (`user.`) and of the white label's calls, which have the same facts under other names.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Organization {
        /// `id`
        pub id: u64,
        /// Name, white label and kind.
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
        /// `usage.totalStorage`, in bytes.
        pub storage_used: Option<f64>,
        /// `usage.cpuComputeTimeCurrentContract` + `usage.gpuComputeTimeCurrentContract`, else
        /// `usage.jobsComputeTimeCurrentYear`, in seconds.
        pub compute_time_used: Option<f64>,
        /// `usage.cpuComputeTimeCurrentContract`, in seconds.
        pub cpu_compute_time_used: Option<f64>,
        /// `usage.gpuComputeTimeCurrentContract`, in seconds.
        pub gpu_compute_time_used: Option<f64>,
        /// `usage.totalJobsComputeTime`, in seconds.
        pub compute_time_lifetime: Option<f64>,
        /// `usage.jobsComputeTimeCurrentYearSince`
        pub compute_period_start: Option<UnixTime>,
        /// `usage.projectCount`
        pub projects_used: Option<f64>,
        /// `usage.userCount`, else `user.userCount`.
        pub users_used: Option<f64>,
        /// `user.privateProjectCount`
        pub private_projects: Option<f64>,
        /// `user.adminCount`
        pub admins: Option<f64>,
        /// Number of `users` with each of [`ROLES`].
        pub users_by_role: Option<[u64; ROLES.len()]>,
        /// Number of `users` with a `pending` invitation.
        pub users_pending: Option<u64>,
        /// Number of `users` whose account is not `activated`.
        pub users_not_activated: Option<u64>,
        /// Number of `users` with each of [`SIGN_IN_METHODS`].
        pub users_by_sign_in: Option<[u64; SIGN_IN_METHODS.len()]>,
        /// Number of `users` with `lastAccessToOrganization` within each of [`WINDOWS`].
        pub users_active: Option<[u64; WINDOWS.len()]>,
        /// The latest `lastAccessToOrganization` of `users`.
        pub last_access: Option<UnixTime>,
        /// Number of `projects` with each of [`VISIBILITIES`].
        pub projects_by_visibility: Option<[u64; VISIBILITIES.len()]>,
        /// Number of `projects` with a `scheduledFullDeletionDate`.
        pub projects_pending_deletion: Option<u64>,
        /// Number of `projects` with `lastModified` within each of [`WINDOWS`].
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
        /// `experiments`: `enabled` by `type`.
        pub experiments: Option<Arc<BTreeMap<String, bool>>>,
        /// `datasets`, by name.
        pub datasets: Option<Arc<Unique<Dataset>>>,
        /// `date` of the newest of the white label's `dailyMetrics`: the start of that day.
        pub daily_record: Option<UnixTime>,
        /// All of the white label's `dailyMetrics`, in the order of the response; kept only for the command `history`.
        pub days: Option<Arc<Vec<DailyRecord>>>,
        /// `projects`, by id; kept only with `--collector.projects`.
        pub projects: Option<Arc<Unique<Project>>>,
    }
}

impl Organization {
    /// Returns an organization with nothing but its id.
    #[must_use]
    pub fn new(id: u64) -> Self {
        Self { id, ..Self::default() }
    }
}

record! {
    /// Name, white label and kind of an organization.
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
}

impl OrganizationInfo {
    /// Returns the name, or `None` for a developer profile: its name is that of its user, and names of users are never
    /// exposed.
    #[must_use]
    pub fn shown_name(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| self.developer_profile != Some(true))
    }
}
