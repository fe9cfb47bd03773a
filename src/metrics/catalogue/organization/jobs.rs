//! Limits of jobs, and experiments.

use super::LABELS;
use crate::metrics::catalogue::metric::{Metric, gauge};
use crate::model::Organization;

const COLLECTORS: &[&str] = &["organization"];

pub(super) static JOBS: &[Metric<Organization>] = &[
    gauge(
        "edgeimpulse_organization_default_job_cpu_request_cores",
        "Default CPU request of a job.",
        LABELS,
        COLLECTORS,
        |o, s| s.add([o.id.into()], o.job_cpu_request),
    ),
    gauge(
        "edgeimpulse_organization_default_job_cpu_limit_cores",
        "Default CPU limit of a job.",
        LABELS,
        COLLECTORS,
        |o, s| s.add([o.id.into()], o.job_cpu_limit),
    ),
    gauge(
        "edgeimpulse_organization_default_job_memory_request_bytes",
        "Default memory request of a job. The API does not document the unit: see --api.memory-unit.",
        LABELS,
        COLLECTORS,
        |o, s| s.add([o.id.into()], o.job_memory_request),
    ),
    gauge(
        "edgeimpulse_organization_default_job_memory_limit_bytes",
        "Default memory limit of a job. The API does not document the unit: see --api.memory-unit.",
        LABELS,
        COLLECTORS,
        |o, s| s.add([o.id.into()], o.job_memory_limit),
    ),
    gauge(
        "edgeimpulse_organization_job_time_limit_seconds",
        "Maximum compute time of one job; not applied to transformation jobs.",
        LABELS,
        COLLECTORS,
        |o, s| s.add([o.id.into()], o.job_time_limit),
    ),
    gauge(
        "edgeimpulse_organization_experiment_enabled",
        "1 if the experiment is enabled for the organization, else 0.",
        &["organization_id", "experiment"],
        COLLECTORS,
        |o, s| {
            for (experiment, enabled) in o.experiments.iter().flat_map(|experiments| experiments.iter()) {
                s.flag([o.id.into(), experiment.as_str().into()], *enabled);
            }
        },
    ),
];
