//! One organization of a white label: limits, usage and daily records.

use std::sync::Arc;

use super::daily_records::DailyRecords;
use super::organization::LimitFields;
use super::{DecodeOptions, Response, only};
use crate::api::fields::{Each, Single, streamed};
use crate::api::values::{Boolean, Date, DecodeErrors, Number, Value};
use crate::model::{Call, Facts, Organization, OrganizationInfo, UnixTime};

streamed!(
    /// `AdminOrganizationInfoResponse`, which has no object for the organization.
    OrganizationResponse {
        limits: Option<LimitFields<'static>> = "entitlementLimits",
        storage: Single<Number> = "totalStorage",
        cpu_compute_time: Single<Number> = "cpuComputeTime",
        gpu_compute_time: Single<Number> = "gpuComputeTime",
        compute_time_since: Single<Date> = "computeTimeCurrentContractSince",
        daily_records: Each<DailyRecords> = "dailyMetrics",
        billable: Single<Boolean> = "billable",
    }
);

/// Compute time of the current contract, in seconds.
#[derive(Default)]
struct Compute {
    cpu: Option<f64>,
    gpu: Option<f64>,
    since: Option<UnixTime>,
}

impl Response for OrganizationResponse {
    fn facts(self, call: &Call, options: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        let compute = Compute {
            cpu: self.cpu_compute_time.read(errors),
            gpu: self.gpu_compute_time.read(errors),
            since: self.compute_time_since.read(errors),
        };
        let DailyRecords { newest, is_without_users, all } = self.daily_records.fold.unwrap_or_default();
        let recorded = newest.map(|record| Compute {
            cpu: record.cpu_compute_time,
            gpu: record.gpu_compute_time,
            since: record.compute_since,
        });
        // Without the date from which it counts, compute time may be that of all years.
        let is_of_contract = compute.since.is_some() && (compute.cpu.is_some() || compute.gpu.is_some());
        let Compute { cpu, gpu, since } = if is_of_contract { compute } else { recorded.unwrap_or_default() };
        // As for compute time, the newest record serves where there is no total.
        let storage = match self.storage.get(errors) {
            Value::Missing => newest.and_then(|record| record.storage),
            storage => storage.valid(),
        };
        // The API counts no users of developer profiles, while every other organization has members.
        let developer_profile = is_without_users.then_some(true);
        Some(only(Organization {
            info: OrganizationInfo { developer_profile, ..OrganizationInfo::default() },
            billable: self.billable.read(errors),
            limits: self.limits.map(|limits| limits.convert(errors)),
            storage_used: storage,
            compute_time_used: cpu.zip(gpu).map(|(cpu, gpu)| cpu + gpu),
            cpu_compute_time_used: cpu,
            gpu_compute_time_used: gpu,
            compute_period_start: since,
            users_used: newest.and_then(|record| record.users),
            daily_record: newest.map(|record| record.date),
            days: options.days.then(|| Arc::new(all)),
            ..Organization::new(call.organization_id?)
        }))
    }
}
