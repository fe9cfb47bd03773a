//! Limits and usage of storage and compute time.

use super::{LABELS, LIMITS, limit};
use crate::metrics::catalogue::metric::{Metric, gauge};
use crate::model::{EntitlementLimits, Limit, Organization};

/// Collectors that read storage and compute time used.
const USAGE: &[&str] = &["usage", "whitelabel_organization"];

pub(super) static RESOURCES: &[Metric<Organization>] = &[
    gauge(
        "edgeimpulse_organization_entitlement_limited",
        "1 if the entitlement has a limit, 0 if it has none; absent while the limits are unknown.",
        &["organization_id", "entitlement"],
        LIMITS,
        |o, s| {
            for (name, limit) in o.limits.iter().flat_map(EntitlementLimits::by_name) {
                let limited = match limit {
                    Limit::Unknown => None,
                    Limit::None => Some(false),
                    Limit::At(_) => Some(true),
                };
                s.flag([o.id.into(), name.into()], limited);
            }
        },
    ),
    gauge(
        "edgeimpulse_organization_storage_limit_bytes",
        "Entitled storage; absent if there is no limit.",
        LABELS,
        LIMITS,
        |o, s| limit(o, |limits| limits.storage, s),
    ),
    gauge("edgeimpulse_organization_storage_used_bytes", "Storage used.", LABELS, USAGE, |o: &Organization, s| {
        s.add([o.id.into()], o.storage_used);
    })
    .with_past(),
    gauge(
        "edgeimpulse_organization_compute_time_limit_seconds",
        "Entitled compute time per contract year, CPU and GPU combined; absent if there is no limit.",
        LABELS,
        LIMITS,
        |o, s| limit(o, |limits| limits.compute, s),
    ),
    gauge(
        "edgeimpulse_organization_compute_time_used_seconds",
        "Compute time used since the contract started, CPU and GPU combined. The API does not document the unit of the usage call: see --api.compute-time-unit.",
        LABELS,
        USAGE,
        |o: &Organization, s| s.add([o.id.into()], o.compute_time_used),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_gpu_compute_time_limit_seconds",
        "Entitled GPU compute time per contract year; absent if there is no limit.",
        LABELS,
        LIMITS,
        |o, s| limit(o, |limits| limits.gpu_compute, s),
    ),
    gauge(
        "edgeimpulse_organization_gpu_compute_time_used_seconds",
        "GPU compute time used since the contract started. The API does not document the unit of the usage call: see --api.compute-time-unit.",
        LABELS,
        USAGE,
        |o: &Organization, s| s.add([o.id.into()], o.gpu_compute_time_used),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_cpu_compute_time_used_seconds",
        "CPU compute time used since the contract started. The API does not document the unit of the usage call: see --api.compute-time-unit.",
        LABELS,
        USAGE,
        |o: &Organization, s| s.add([o.id.into()], o.cpu_compute_time_used),
    )
    .with_past(),
    gauge(
        "edgeimpulse_organization_compute_time_lifetime_seconds",
        "Compute time of all jobs since the organization was created. The API does not document the unit: see --api.compute-time-unit.",
        LABELS,
        &["usage"],
        |o, s| s.add([o.id.into()], o.compute_time_lifetime),
    ),
    gauge(
        "edgeimpulse_organization_compute_period_start_timestamp_seconds",
        "Start of the period over which the compute time used is counted.",
        LABELS,
        USAGE,
        |o: &Organization, s| s.add([o.id.into()], o.compute_period_start),
    )
    .with_past(),
];
