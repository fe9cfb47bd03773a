//! One organization: its members, projects, datasets, limits and experiments.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::datasets::{DatasetFields, datasets};
use super::limits::LimitFields;
use super::organization_object::{OrganizationObject, organization_object};
use super::{DecodeOptions, only};
use crate::api::Error;
use crate::api::fields::{Field, fields, streamed};
use crate::api::schema::List;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Boolean, Number, Text};
use crate::model::{Facts, Organization};

streamed!(
    /// `OrganizationInfoResponse`
    OrganizationResponse {
        Organization: OrganizationObject = "organization",
        Datasets: List<DatasetFields<'static>> = "datasets",
        ComputeLimits: ComputeLimitFields<'static> = "defaultComputeLimits",
        Limits: LimitFields<'static> = "entitlementLimits",
        Experiments: List<ExperimentFields<'static>> = "experiments",
        Performance: PerformanceFields<'static> = "performance",
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
    /// `OrganizationInfoResponse.experiments[]`
    ExperimentFields { experiment: Text = "type", enabled: Boolean = "enabled" }
);

fields!(
    /// `OrganizationInfoResponse.performance`
    PerformanceFields { job_limit: Number = "jobLimitM" }
);

pub(super) async fn organization<S: Parts>(
    json: &mut JsonStream<S>,
    id: u64,
    options: &DecodeOptions,
) -> Result<Option<Facts>, Error> {
    /// `performance.jobLimitM` is in minutes.
    const SECONDS_PER_MINUTE: f64 = 60.0;

    let mut organization = None;
    let mut rest = Organization::new(id);
    while let Some(member) = json.member().await? {
        match member {
            OrganizationResponse::Organization(key) => {
                if json.enter_object(key).await? {
                    organization = Some(organization_object(json, options).await?);
                }
            }
            OrganizationResponse::Datasets(key) => {
                rest.datasets = datasets(json, key, id, options.most_datasets).await?;
            }
            OrganizationResponse::ComputeLimits(key) => {
                json.object(key, |limits, errors| {
                    let mut bytes = |field: &Field<'_, Number>| Some(field.read(errors)? * options.memory_unit);
                    rest.job_memory_request = bytes(&limits.memory_request);
                    rest.job_memory_limit = bytes(&limits.memory_limit);
                    rest.job_cpu_request = limits.cpu_request.read(errors);
                    rest.job_cpu_limit = limits.cpu_limit.read(errors);
                })
                .await?;
            }
            OrganizationResponse::Limits(key) => {
                json.object(key, |limits, errors| rest.limits = Some(limits.convert(errors))).await?;
            }
            OrganizationResponse::Experiments(key) => {
                let mut experiments = BTreeMap::new();
                let is_list = json.each(key, |fields, errors| {
                    let Some(fields) = fields else { return };
                    let name = fields.experiment.read(errors);
                    if let (Some(name), Some(enabled)) = (name, fields.enabled.read(errors)) {
                        experiments.entry(name).or_insert(enabled);
                    }
                });
                if is_list.await? {
                    rest.experiments = Some(Arc::new(experiments));
                }
            }
            OrganizationResponse::Performance(key) => {
                json.object(key, |performance, errors| {
                    let minutes = performance.job_limit.read(errors);
                    rest.job_time_limit = minutes.map(|minutes| minutes * SECONDS_PER_MINUTE);
                })
                .await?;
            }
        }
    }
    Ok(organization.map(|(_, organization)| only(organization.with_id(id).or(rest))))
}
