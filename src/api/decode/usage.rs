//! Usage of an organization.

use super::{DecodeOptions, only};
use crate::api::Error;
use crate::api::fields::{Field, fields, streamed};
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Date, Number};
use crate::model::{Facts, Organization};

streamed!(
    /// `OrganizationMetricsResponse`
    UsageResponse { Metrics: UsageFields<'static> = "metrics" }
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

pub(super) async fn usage<S: Parts>(
    json: &mut JsonStream<S>,
    id: u64,
    options: &DecodeOptions,
) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    while let Some(UsageResponse::Metrics(key)) = json.member().await? {
        json.object(key, |usage, errors| {
            let mut seconds = |field: &Field<'_, Number>| Some(field.read(errors)? * options.compute_time_unit);
            let (cpu, gpu) = (seconds(&usage.cpu), seconds(&usage.gpu));
            let current = seconds(&usage.current);
            let lifetime = seconds(&usage.lifetime);
            facts = Some(Organization {
                storage_used: usage.storage.read(errors),
                compute_time_used: cpu.zip(gpu).map(|(cpu, gpu)| cpu + gpu).or(current),
                cpu_compute_time_used: cpu,
                gpu_compute_time_used: gpu,
                compute_time_lifetime: lifetime,
                compute_period_start: usage.since.read(errors),
                projects_used: usage.projects.read(errors),
                users_used: usage.users.read(errors),
                ..Organization::new(id)
            });
        })
        .await?;
    }
    Ok(facts.map(only))
}
