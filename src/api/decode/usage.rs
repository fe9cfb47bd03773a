//! Usage of an organization.

use super::{DecodeOptions, Response, only};
use crate::api::fields::{Single, fields, streamed};
use crate::api::values::{Date, DecodeErrors, Number};
use crate::model::{Call, Facts, Organization};

streamed!(
    /// `OrganizationMetricsResponse`
    UsageResponse { metrics: Option<UsageFields<'static>> = "metrics" }
);

fields!(
    /// `OrganizationMetricsResponse.metrics`
    UsageFields {
        lifetime: Number = "totalJobsComputeTime",
        current: Number = "jobsComputeTimeCurrentYear",
        since: Date = "jobsComputeTimeCurrentYearSince",
        cpu: Number = "cpuComputeTimeCurrentContract",
        gpu: Number = "gpuComputeTimeCurrentContract",
        storage: Number = "totalStorage",
        projects: Number = "projectCount",
        users: Number = "userCount",
    }
);

impl Response for UsageResponse {
    fn facts(self, call: &Call, options: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        let usage = self.metrics?;
        let mut seconds = |field: &Single<Number>| Some(field.read(errors)? * options.compute_time_unit);
        let (cpu, gpu) = (seconds(&usage.cpu), seconds(&usage.gpu));
        let current = seconds(&usage.current);
        let lifetime = seconds(&usage.lifetime);
        Some(only(Organization {
            storage_used: usage.storage.read(errors),
            compute_time_used: cpu.zip(gpu).map(|(cpu, gpu)| cpu + gpu).or(current),
            cpu_compute_time_used: cpu,
            gpu_compute_time_used: gpu,
            compute_time_lifetime: lifetime,
            compute_period_start: usage.since.read(errors),
            projects_used: usage.projects.read(errors),
            users_used: usage.users.read(errors),
            ..Organization::new(call.organization_id?)
        }))
    }
}
