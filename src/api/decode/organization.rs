//! One organization: its object, datasets, limits and experiments.

use std::sync::Arc;

use super::datasets::Datasets;
use super::organizations::OrganizationObject;
use super::{DecodeOptions, Response, only};
use crate::api::fields::{Convert, Each, Field, Single, fields, streamed};
use crate::api::limits::{MAX_EXPERIMENTS, MAX_SHORT_TEXT};
use crate::api::values::{Boolean, Date, DecodeErrors, Id, Number, Text, Value};
use crate::model::{Call, EntitlementLimits, Facts, Limit, OrganizationInfo, UnixTime};

streamed!(
    /// `OrganizationInfoResponse`
    OrganizationResponse {
        organization: Option<OrganizationObject> = "organization",
        datasets: Each<Datasets> = "datasets",
        compute_limits: Option<ComputeLimitFields<'static>> = "defaultComputeLimits",
        limits: Option<LimitFields<'static>> = "entitlementLimits",
        experiments: Each<Vec<Experiment>> = "experiments",
        performance: Option<PerformanceFields<'static>> = "performance",
    }
);

fields!(
    /// `OrganizationInfoResponse.defaultComputeLimits`
    ComputeLimitFields {
        cpu_request: Number = "requestsCpu",
        memory_request: Number = "requestsMemory",
        cpu_limit: Number = "limitsCpu",
        memory_limit: Number = "limitsMemory",
    }
);

fields!(
    /// `EntitlementLimits`, which several responses have.
    LimitFields {
        storage: Number = "totalStorage",
        compute: Number = "computeTimePerYear",
        gpu_compute: Number = "gpuComputeTimePerYear",
        projects: Number = "numberOfProjects",
        users: Number = "numberOfUsers",
    }
);

fields!(
    /// `OrganizationInfoResponse.experiments[]`
    ExperimentFields { experiment: Text = "type", enabled: Boolean = "enabled" }
);

fields!(
    /// `OrganizationInfoResponse.performance`
    PerformanceFields { job_limit: Number = "jobLimitM" }
);

/// The name of an experiment, and whether it is enabled.
type Experiment = (String, bool);

impl Convert for Experiment {
    const MAX: usize = MAX_EXPERIMENTS;

    type Fields<'a> = ExperimentFields<'a>;

    fn convert(fields: &ExperimentFields<'_>, errors: &mut DecodeErrors) -> Option<Self> {
        let name = fields.experiment.read(errors);
        name.zip(fields.enabled.read(errors))
    }
}

impl LimitFields<'_> {
    pub(super) fn convert(&self, errors: &mut DecodeErrors) -> Arc<EntitlementLimits> {
        let mut limit = |field: &Field<'_, Number>| match field.get(errors) {
            Value::Missing => Limit::None,
            Value::Invalid => Limit::Unknown,
            Value::Valid(value) => Limit::At(value),
        };
        Arc::new(EntitlementLimits {
            storage: limit(&self.storage),
            compute: limit(&self.compute),
            gpu_compute: limit(&self.gpu_compute),
            projects: limit(&self.projects),
            users: limit(&self.users),
        })
    }
}

/// Converts what is about the trial of an organization: whether it is running, when it expired, and when it was upgraded.
/// Only the presence of the id matters, which the API's document describes as any number.
pub(super) fn trial(
    id: &Field<'_, Number>,
    expired: &Field<'_, Date>,
    upgraded: &Field<'_, Date>,
    errors: &mut DecodeErrors,
) -> (Option<bool>, Option<UnixTime>, Option<UnixTime>) {
    let has_trial = match id.get(errors) {
        Value::Valid(_) => Some(true),
        // Null is no trial; without the member, the response says nothing about it.
        Value::Missing => id.json.is_some().then_some(false),
        Value::Invalid => None,
    };
    let (expired, upgraded) = (expired.get(errors), upgraded.get(errors));
    let is_running = match (expired, upgraded) {
        (Value::Missing, Value::Missing) => has_trial,
        (Value::Invalid, _) | (_, Value::Invalid) => None,
        _ => has_trial.map(|_| false),
    };
    (is_running, expired.valid(), upgraded.valid())
}

/// Converts what identifies an organization. If its kind is invalid, the name is dropped: it may be a user's.
pub(super) fn info(
    name: &Field<'_, Text>,
    developer_profile: &Field<'_, Boolean>,
    whitelabel_id: &Field<'_, Id>,
    errors: &mut DecodeErrors,
) -> OrganizationInfo {
    let developer_profile = developer_profile.get(errors);
    OrganizationInfo {
        name: name.read(errors).filter(|_| developer_profile != Value::Invalid),
        developer_profile: developer_profile.valid(),
        whitelabel_id: whitelabel_id.read(errors),
        ..OrganizationInfo::default()
    }
}

impl Response for OrganizationResponse {
    fn facts(self, call: &Call, options: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        /// `performance.jobLimitM` is in minutes.
        const SECONDS_PER_MINUTE: f64 = 60.0;

        let id = call.organization_id?;
        let mut organization = self.organization?.convert(id, options, errors);
        if let Some(limits) = self.compute_limits {
            let mut bytes = |field: &Single<Number>| Some(field.read(errors)? * options.memory_unit);
            organization.job_memory_request = bytes(&limits.memory_request);
            organization.job_memory_limit = bytes(&limits.memory_limit);
            organization.job_cpu_request = limits.cpu_request.read(errors);
            organization.job_cpu_limit = limits.cpu_limit.read(errors);
        }
        organization.limits = self.limits.map(|limits| limits.convert(errors));
        let job_limit = self.performance.and_then(|performance| performance.job_limit.read(errors));
        organization.job_time_limit = job_limit.map(|minutes| minutes * SECONDS_PER_MINUTE);
        let experiments = self.experiments.fold.map(|mut list| {
            errors.fit("experiments", &mut list, size_of::<Experiment>() + MAX_SHORT_TEXT);
            // The first one of a name counts.
            list.into_iter().rev().collect()
        });
        organization.experiments = experiments.map(Arc::new);
        organization.datasets = self.datasets.fold.map(|datasets| datasets.finish(id, options, errors));
        Some(only(organization))
    }
}
