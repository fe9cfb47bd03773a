//! One organization, with its limits, projects, datasets and trials.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::merge::{Id as _, record};
use super::{
    ApiKey, Bucket, DailyRecord, Pipeline, ROLES, SIGN_IN_METHODS, UNUSED_WINDOWS, Unique, UnixTime,
    VISIBILITIES, WINDOWS,
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
        /// True with a `trialId`, without `trialExpiredDate` and `trialUpgradedDate`: a trial is running.
        pub trial: Option<bool>,
        /// `billable`
        pub billable: Option<bool>,
        /// `entitlementLimits`
        pub limits: Option<Arc<EntitlementLimits>> => EntitlementLimits::or,
        /// `usage.totalStorage`, in bytes.
        pub storage_used: Option<f64>,
        /// `usage.cpuComputeTimeCurrentContract` + `usage.gpuComputeTimeCurrentContract`, else
        /// `usage.jobsComputeTimeCurrentYear`, in seconds.
        pub compute_time_used: Option<f64>,
        /// Whether CPU and GPU compute time of the usage call contradict its total, as far as that can be told.
        pub compute_time_unit_mismatch: Option<bool>,
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
        pub users_by_role: Option<[u32; ROLES.len()]>,
        /// Number of `users` with a `pending` invitation.
        pub users_pending: Option<u32>,
        /// Number of `users` whose account is not `activated`.
        pub users_not_activated: Option<u32>,
        /// Number of `users` who are the vendor's staff: `staffInfo.isStaff`.
        pub users_staff: Option<u32>,
        /// Number of `users` with each of [`SIGN_IN_METHODS`], of those who can sign in and are not staff.
        pub users_by_sign_in: Option<[u32; SIGN_IN_METHODS.len()]>,
        /// Number of the same `users` with `lastAccessToOrganization` within each of [`WINDOWS`].
        pub users_active: Option<[u32; WINDOWS.len()]>,
        /// The latest `lastAccessToOrganization` of the same `users`.
        pub last_access: Option<UnixTime>,
        /// Number of `projects` with each of [`VISIBILITIES`].
        pub projects_by_visibility: Option<[u32; VISIBILITIES.len()]>,
        /// Number of `projects` with a public version: `hasPublicVersion`.
        pub projects_published: Option<u32>,
        /// Number of `projects` that are deleted or will be: with a `deletedDate`, `fullDeletionDate` or
        /// `scheduledFullDeletionDate`. No other count of projects has those with one of the first two.
        pub projects_pending_deletion: Option<u32>,
        /// Number of `projects` with `lastModified` within each of [`WINDOWS`].
        pub projects_modified: Option<[u32; WINDOWS.len()]>,
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
        /// `buckets`, by id.
        pub buckets: Option<Arc<Unique<Bucket>>>,
        /// `pipelines`, by id.
        pub pipelines: Option<Arc<Unique<Pipeline>>>,
        /// Number of `apiKeys` with each of [`ROLES`], without those of transformation jobs.
        pub api_keys_by_role: Option<[u32; ROLES.len()]>,
        /// Number of the same `apiKeys` with `lastUsed`, else `created`, before each of [`UNUSED_WINDOWS`].
        pub api_keys_unused: Option<[u32; UNUSED_WINDOWS.len()]>,
        /// Those of the same `apiKeys` that expire, by id.
        pub expiring_api_keys: Option<Arc<Unique<ApiKey>>>,
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

/// The limit of one entitlement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Limit {
    /// The API reports a value that cannot be used.
    #[default]
    Unknown,
    /// The API reports no limit.
    None,
    /// The limit, in the base unit of the entitlement.
    At(f64),
}

/// What the contract allows: `EntitlementLimits`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EntitlementLimits {
    /// `totalStorage`, in bytes.
    pub storage: Limit,
    /// `computeTimePerYear` (CPU + GPU), in seconds.
    pub compute: Limit,
    /// `gpuComputeTimePerYear`, in seconds.
    pub gpu_compute: Limit,
    /// `numberOfProjects`
    pub projects: Limit,
    /// `numberOfUsers`
    pub users: Limit,
}

impl EntitlementLimits {
    /// Returns the limits of the first response, with numbers of the other one in place of those that the first lacks: the
    /// list of a user's organizations may have an empty object for organizations with limits.
    fn or(known: Option<Arc<Self>>, other: Option<Arc<Self>>) -> Option<Arc<Self>> {
        let (Some(known), Some(other)) = (&known, &other) else { return known.or(other) };
        let limit = |limit: fn(&Self) -> Limit| match (limit(known), limit(other)) {
            (Limit::None | Limit::Unknown, number @ Limit::At(_)) => number,
            (known, _) => known,
        };
        Some(Arc::new(Self {
            storage: limit(|limits| limits.storage),
            compute: limit(|limits| limits.compute),
            gpu_compute: limit(|limits| limits.gpu_compute),
            projects: limit(|limits| limits.projects),
            users: limit(|limits| limits.users),
        }))
    }

    /// Returns the limits with the values of the `entitlement` label.
    #[must_use]
    pub const fn by_name(&self) -> [(&'static str, Limit); 5] {
        [
            ("storage", self.storage),
            ("compute", self.compute),
            ("gpu_compute", self.gpu_compute),
            ("projects", self.projects),
            ("users", self.users),
        ]
    }
}

/// A project: `Project`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    /// Id of the organization that the response is about.
    pub organization_id: u64,
    /// `id`
    pub id: u64,
    /// `name`
    pub name: Option<String>,
    /// `created`
    pub created: Option<UnixTime>,
    /// `lastModified`
    pub last_modified: Option<UnixTime>,
    /// `lastAccessed`
    pub last_accessed: Option<UnixTime>,
    /// `scheduledFullDeletionDate`
    pub scheduled_deletion: Option<UnixTime>,
    /// Number of elements in `collaborators`.
    pub collaborators: Option<u64>,
}

/// A dataset: `OrganizationDataset`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// Id of the organization that the response is about.
    pub organization_id: u64,
    /// `dataset`: the name.
    pub name: Box<str>,
    /// `type`
    pub dataset_type: Option<Arc<str>>,
    /// `category`
    pub category: Option<Arc<str>>,
    /// `bucket.bucket`
    pub bucket: Option<Arc<str>>,
    /// `totalFileSize`, in bytes.
    pub size: Option<f64>,
    /// `totalFileCount`
    pub files: Option<f64>,
    /// `totalItemCount`; clinical datasets only.
    pub items: Option<f64>,
    /// `totalItemCountChecklistOK`; clinical datasets only.
    pub checklist_ok: Option<f64>,
    /// `totalItemCountChecklistFailed`; clinical datasets only.
    pub checklist_failed: Option<f64>,
    /// `lastFileCreated`; `None` for a dataset without files.
    pub last_file_created: Option<UnixTime>,
}

impl Dataset {
    /// Shares texts with another dataset that has the same ones, as most datasets of an organization have.
    pub fn share_texts(&mut self, other: &Self) {
        for (text, others) in [
            (&mut self.dataset_type, &other.dataset_type),
            (&mut self.category, &other.category),
            (&mut self.bucket, &other.bucket),
        ] {
            if text == others {
                text.clone_from(others);
            }
        }
    }
}

record! {
    /// An enterprise trial: `EnterpriseTrial`.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct Trial {
        /// `organizationId`
        pub organization_id: u64,
        /// `id`
        pub id: u64,
        /// `expirationDate`: end of the trial unless it is upgraded.
        pub scheduled_expiration: Option<UnixTime>,
        /// `created`
        pub created: Option<UnixTime>,
        /// `expiredDate`
        pub expired: Option<UnixTime>,
        /// `upgradedDate`
        pub upgraded: Option<UnixTime>,
        /// `deletedDate`
        pub deleted: Option<UnixTime>,
    }
}
