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
        let DecodeOptions { compute_time_unit: unit, compute_time_total_unit: total_unit, .. } = *options;
        let mut seconds = |field: &Single<Number>, unit: f64| Some(field.read(errors)? * unit);
        let (cpu, gpu) = (seconds(&usage.cpu, unit), seconds(&usage.gpu, unit));
        let (current, lifetime) = (seconds(&usage.current, total_unit), seconds(&usage.lifetime, total_unit));
        let parts = cpu.zip(gpu).map(|(cpu, gpu)| cpu + gpu);
        Some(only(Organization {
            storage_used: usage.storage.read(errors),
            compute_time_used: parts.or(current),
            compute_time_unit_mismatch: parts.zip(current).and_then(|(parts, total)| is_mismatch(parts, total)),
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

/// Returns whether the two are nearer to 60 times one another than to equal: then the unit of one of them is wrong. Some
/// versions of the API weight GPU time in the total, which makes it up to three times as large.
fn is_mismatch(parts: f64, total: f64) -> Option<bool> {
    const SECONDS_PER_MINUTE: f64 = 60.0;
    let ratio = (parts / total).ln().abs();
    // Where nothing was used, nothing can be told.
    (parts > 0.0 && total > 0.0).then_some(ratio > SECONDS_PER_MINUTE.ln() / 2.0)
}
