//! One day of an organization of a white label, or of one of its users.

use super::{Organization, UnixTime, User};

/// `DailyMetricsRecord`: totals at the end of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DailyRecord {
    /// `date`: the day's beginning.
    pub date: UnixTime,
    /// `totalUsers` without `totalStaffUsers`; 0 `totalUsers` count nobody, they stand for developer profiles.
    pub users: Option<f64>,
    /// `totalCurrentContractCpuComputeTimeSeconds`
    pub cpu_compute_time: Option<f64>,
    /// `totalCurrentContractGpuComputeTimeSeconds`
    pub gpu_compute_time: Option<f64>,
    /// `computeTimeCalculatedSince`
    pub compute_since: Option<UnixTime>,
    /// `totalStorageSizeBytes`
    pub storage: Option<f64>,
    /// `totalProjects`
    pub projects: Option<f64>,
}

impl DailyRecord {
    /// Returns CPU and GPU compute time added, in seconds; never the API's combined total, which is CPU + 3 x GPU.
    #[must_use]
    pub fn compute_time(&self) -> Option<f64> {
        Some(self.cpu_compute_time? + self.gpu_compute_time?)
    }

    /// Returns the organization `id` as it was when the day ended.
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

    /// Returns the user `id` as it was when the day ended.
    #[must_use]
    pub fn user(&self, id: u64) -> User {
        User { daily: Some(*self), ..User::new(id) }
    }
}
