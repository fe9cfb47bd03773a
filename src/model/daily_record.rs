//! One day of an organization or a user, as a white label's calls report it.

use super::{Organization, UnixTime, User};

/// Totals at the end of one day: `DailyMetricsRecord`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DailyRecord {
    /// `date`: the start of the day.
    pub date: UnixTime,
    /// `totalUsers` - `totalStaffUsers`; `None` if `totalUsers` is 0, which the API sends for developer profiles.
    pub users: Option<f64>,
    /// `totalCurrentContractCpuComputeTimeSeconds`, in seconds.
    pub cpu_compute_time: Option<f64>,
    /// `totalCurrentContractGpuComputeTimeSeconds`, in seconds.
    pub gpu_compute_time: Option<f64>,
    /// `computeTimeCalculatedSince`
    pub compute_since: Option<UnixTime>,
    /// `totalStorageSizeBytes`, in bytes.
    pub storage: Option<f64>,
    /// `totalProjects`
    pub projects: Option<f64>,
}

impl DailyRecord {
    /// Returns CPU and GPU compute time added, in seconds. The API's combined total is not used: it is CPU + 3 x GPU.
    #[must_use]
    pub fn compute_time(&self) -> Option<f64> {
        Some(self.cpu_compute_time? + self.gpu_compute_time?)
    }

    /// Returns the organization `id` at the end of the day.
    #[must_use]
    pub fn organization(&self, id: u64) -> Organization {
        let Self { date: _, users, cpu_compute_time, gpu_compute_time, compute_since, storage, projects } =
            *self;
        Organization {
            storage_used: storage,
            compute_time_used: self.compute_time(),
            cpu_compute_time_used: cpu_compute_time,
            gpu_compute_time_used: gpu_compute_time,
            compute_period_start: compute_since,
            projects_used: projects,
            users_used: users,
            ..Organization::new(id)
        }
    }

    /// Returns the user `id` at the end of the day.
    #[must_use]
    pub fn user(&self, id: u64) -> User {
        User { daily: Some(*self), ..User::new(id) }
    }
}
