//! One organization of a white label: limits, usage and daily records.

use std::sync::Arc;

use super::daily_records::{DailyRecords, RecordFields};
use super::limits::LimitFields;
use super::{DecodeOptions, only};
use crate::api::Error;
use crate::api::fields::streamed;
use crate::api::schema::List;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Boolean, Date, Number};
use crate::model::{EntitlementLimits, Facts, Organization, UnixTime};

streamed!(
    /// `AdminOrganizationInfoResponse`, which has no object for the organization.
    OrganizationResponse {
        Limits: LimitFields<'static> = "entitlementLimits",
        Storage: Number = "totalStorage",
        CpuComputeTime: Number = "cpuComputeTime",
        GpuComputeTime: Number = "gpuComputeTime",
        ComputeTimeSince: Date = "computeTimeCurrentContractSince",
        DailyRecords: List<RecordFields<'static>> = "dailyMetrics",
        Billable: Boolean = "billable",
    }
);

/// Compute time of the current contract, in seconds.
#[derive(Clone, Copy, Default)]
struct Compute {
    cpu: Option<f64>,
    gpu: Option<f64>,
    since: Option<UnixTime>,
}

pub(super) async fn organization<S: Parts>(
    json: &mut JsonStream<S>,
    id: u64,
    options: &DecodeOptions,
) -> Result<Option<Facts>, Error> {
    let mut limits = None;
    let mut storage = None;
    let mut compute = Compute::default();
    let mut daily_records = DailyRecords::new(options.days);
    let mut is_found = false;
    while let Some(member) = json.member().await? {
        is_found = true;
        match member {
            OrganizationResponse::Limits(key) => {
                json.object(key, |fields, errors| limits = Some(fields.convert(errors))).await?;
            }
            OrganizationResponse::Storage(key) => storage = json.read(key).await?,
            OrganizationResponse::CpuComputeTime(key) => compute.cpu = json.read(key).await?,
            OrganizationResponse::GpuComputeTime(key) => compute.gpu = json.read(key).await?,
            OrganizationResponse::ComputeTimeSince(key) => compute.since = json.read(key).await?,
            OrganizationResponse::DailyRecords(key) => daily_records.read(json, key).await?,
            // All members are optional: this one alone shows that the response is of an organization.
            OrganizationResponse::Billable(key) => drop(json.read(key).await?),
        }
    }
    Ok(is_found.then(|| only(convert(id, limits, storage, compute, daily_records))))
}

fn convert(
    id: u64,
    limits: Option<EntitlementLimits>,
    storage: Option<f64>,
    compute: Compute,
    DailyRecords { newest, all: days }: DailyRecords,
) -> Organization {
    let recorded = newest.map(|record| Compute {
        cpu: record.cpu_compute_time,
        gpu: record.gpu_compute_time,
        since: record.compute_since,
    });
    // Without the date from which it counts, compute time may be that of all years.
    let is_of_contract = compute.since.is_some() && (compute.cpu.is_some() || compute.gpu.is_some());
    let Compute { cpu, gpu, since } = if is_of_contract { compute } else { recorded.unwrap_or_default() };
    Organization {
        limits,
        storage_used: storage,
        compute_time_used: cpu.zip(gpu).map(|(cpu, gpu)| cpu + gpu),
        cpu_compute_time_used: cpu,
        gpu_compute_time_used: gpu,
        compute_period_start: since,
        users_used: newest.and_then(|record| record.users),
        daily_record: newest.map(|record| record.date),
        days: days.map(Arc::new),
        ..Organization::new(id)
    }
}
