//! Answers about organizations: one, or a list of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lists::{MemberFields, Members, ProjectFields, Projects};
use super::{DecodeOptions, LimitFields, date, only, unix};
use crate::api::Error;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Field, Found, Unusable, fields};
use crate::model::{Dataset, Facts, Organization, OrganizationInfo, Unique};

fields!(
    /// `OrganizationInfoResponse.defaultComputeLimits`
    ComputeLimitFields {
        cpu_request: "requestsCpu",
        memory_request: "requestsMemory",
        cpu_limit: "limitsCpu",
        memory_limit: "limitsMemory",
    }
);

fields!(
    /// `OrganizationInfoResponse.performance`
    PerformanceFields { job_limit: "jobLimitM" }
);

fields!(
    /// `OrganizationInfoResponse.experiments[]`
    ExperimentFields { experiment: "type", enabled: "enabled" }
);

pub(super) async fn organization<S: Parts>(
    json: &mut JsonStream<S>,
    id: u64,
    terms: DecodeOptions,
) -> Result<Option<Facts>, Error> {
    /// `performance.jobLimitM` is in minutes.
    const SECONDS_PER_MINUTE: f64 = 60.0;

    let mut found = false;
    let mut members = OrganizationMembers::default();
    let mut rest = Organization::new(id);
    json.begin().await?;
    while let Some(name) = json.member().await? {
        match name {
            "organization" => {
                if json.enter_object("organization").await? {
                    found = true;
                    members.read(json, Some(id), terms).await?;
                }
            }
            "datasets" => rest.datasets = datasets(json, id, terms.most_datasets).await?,
            "defaultComputeLimits" => {
                json.object::<ComputeLimitFields<'_>>("defaultComputeLimits", |limits, unusable| {
                    let mut bytes = |field: Field<'_>| Some(field.read::<f64>(unusable)? * terms.memory_unit);
                    rest.job_memory_request = bytes(limits.memory_request);
                    rest.job_memory_limit = bytes(limits.memory_limit);
                    rest.job_cpu_request = limits.cpu_request.read(unusable);
                    rest.job_cpu_limit = limits.cpu_limit.read(unusable);
                })
                .await?;
            }
            "entitlementLimits" => {
                json.object::<LimitFields<'_>>("entitlementLimits", |limits, unusable| {
                    rest.limits = Some(limits.convert(unusable));
                })
                .await?;
            }
            "experiments" => {
                let mut experiments = BTreeMap::new();
                let is_list = json.each::<ExperimentFields<'_>>("experiments", |experiment, unusable| {
                    let Some(fields) = experiment else { return };
                    let name = fields.experiment.read::<String>(unusable);
                    if let (Some(name), Some(enabled)) = (name, fields.enabled.read(unusable)) {
                        experiments.entry(name).or_insert(enabled);
                    }
                });
                if is_list.await? {
                    rest.experiments = Some(Arc::new(experiments));
                }
            }
            "performance" => {
                json.object::<PerformanceFields<'_>>("performance", |performance, unusable| {
                    let minutes = performance.job_limit.read::<f64>(unusable);
                    rest.job_time_limit = minutes.map(|minutes| minutes * SECONDS_PER_MINUTE);
                })
                .await?;
            }
            _ => json.envelope().await?,
        }
    }
    Ok(found.then(|| only(members.finish(id).or(rest))))
}

pub(super) async fn organizations<S: Parts>(
    json: &mut JsonStream<S>,
    terms: DecodeOptions,
) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    json.begin().await?;
    while let Some(name) = json.member().await? {
        match name {
            "organizations" => {
                if json.enter_list("organizations").await? {
                    let facts = facts.get_or_insert_with(Facts::default);
                    while json.element().await? {
                        if json.enter_object("organizations").await? {
                            let mut members = OrganizationMembers::default();
                            members.read(json, None, terms).await?;
                            let id = std::mem::take(&mut members.id).require("id", &mut json.unusable);
                            if let Some(id) = id {
                                facts.merge(&only(members.finish(id)));
                            }
                        }
                    }
                }
            }
            _ => json.envelope().await?,
        }
    }
    Ok(facts)
}

/// The members of an `Organization` object, which two endpoints send.
#[derive(Default)]
struct OrganizationMembers {
    id: Found<u64>,
    info: OrganizationInfo,
    is_developer_profile: Found<bool>,
    facts: Organization,
}

impl OrganizationMembers {
    /// Reads the object that was entered; `known` is its id, where the path of the call says it.
    async fn read<S: Parts>(
        &mut self,
        json: &mut JsonStream<S>,
        known: Option<u64>,
        terms: DecodeOptions,
    ) -> Result<(), Error> {
        let Self { id, info, is_developer_profile, facts } = self;
        while let Some(name) = json.member().await? {
            match name {
                "id" if known.is_none() => *id = json.find("id").await?,
                "name" => info.name = json.read("name").await?,
                "whitelabelId" => info.whitelabel_id = json.read("whitelabelId").await?,
                "whitelabelName" => info.whitelabel_name = json.read("whitelabelName").await?,
                "isDeveloperProfile" => *is_developer_profile = json.find("isDeveloperProfile").await?,
                "created" => facts.created = json.read("created").await?.map(unix),
                "contractStartDate" => facts.contract_start = json.read("contractStartDate").await?.map(unix),
                "deletedDate" => facts.deleted = json.read("deletedDate").await?.map(unix),
                "trialExpiredDate" => facts.trial_expired = json.read("trialExpiredDate").await?.map(unix),
                "trialUpgradedDate" => facts.trial_upgraded = json.read("trialUpgradedDate").await?.map(unix),
                "users" => {
                    let mut members = Members::default();
                    let is_list = json.each::<MemberFields<'_>>("users", |member, unusable| {
                        members.add(member, terms.now, unusable);
                    });
                    if is_list.await? {
                        members.finish(facts);
                    }
                }
                "projects" => {
                    let mut projects = Projects::default();
                    let is_list = json.each::<ProjectFields<'_>>("projects", |project, unusable| {
                        projects.add(project, terms, unusable);
                    });
                    if is_list.await? {
                        projects.finish(facts, terms);
                    }
                }
                _ => json.skip().await?,
            }
        }
        Ok(())
    }

    fn finish(self, id: u64) -> Organization {
        let info = self.info.of_kind(self.is_developer_profile);
        let mut facts = Organization { id, info, ..self.facts };
        if let Some(projects) = facts.projects.as_mut().and_then(Arc::get_mut) {
            for project in projects.rows.iter_mut().chain(&mut projects.repeated) {
                project.organization_id = id;
            }
        }
        facts
    }
}

impl OrganizationInfo {
    /// Adds the kind; where it cannot be told, the name may be a user's, and is forgotten.
    pub(super) fn of_kind(self, is_developer_profile: Found<bool>) -> Self {
        let name = self.name.filter(|_| is_developer_profile != Found::Odd);
        Self { name, developer_profile: is_developer_profile.value(), ..self }
    }
}

fields!(
    /// `OrganizationDataset`
    DatasetFields {
        dataset: "dataset",
        dataset_type: "type",
        category: "category",
        bucket: "bucket",
        size: "totalFileSize",
        files: "totalFileCount",
        items: "totalItemCount",
        checklist_ok: "totalItemCountChecklistOK",
        checklist_failed: "totalItemCountChecklistFailed",
        last_file_created: "lastFileCreated",
    }
);

fields!(
    /// `OrganizationDatasetBucket`
    BucketFields { bucket: "bucket" }
);

async fn datasets<S: Parts>(
    json: &mut JsonStream<S>,
    id: u64,
    most: usize,
) -> Result<Option<Arc<Unique<Dataset>>>, Error> {
    let mut datasets = Vec::new();
    let is_list = json.each::<DatasetFields<'_>>("datasets", |dataset, unusable| {
        datasets.extend(dataset.and_then(|fields| self::dataset(&fields, id, unusable)));
    });
    Ok(is_list.await?.then(|| Arc::new(Unique::by(datasets, |dataset| &dataset.name).limited(most))))
}

/// Converts one dataset; without a name it cannot be told from others.
fn dataset(fields: &DatasetFields<'_>, organization_id: u64, unusable: &mut Unusable) -> Option<Dataset> {
    let name = fields.dataset.require(unusable)?;
    let dataset_type = fields.dataset_type.read::<String>(unusable);
    let files = fields.files.read(unusable);
    let bucket = fields.bucket.read::<BucketFields<'_>>(unusable);
    let clinical = dataset_type.as_deref() == Some("clinical");
    let mut of_clinical = |field: Field<'_>| if clinical { field.read::<f64>(unusable) } else { None };
    let items = of_clinical(fields.items);
    let checklist_ok = of_clinical(fields.checklist_ok);
    let checklist_failed = of_clinical(fields.checklist_failed);
    // Without files the API sends some date all the same.
    let has_files = files.is_none_or(|files: f64| files > 0.0);
    Some(Dataset {
        organization_id,
        name,
        dataset_type,
        category: fields.category.read(unusable),
        bucket: bucket.and_then(|bucket| bucket.bucket.read(unusable)),
        size: fields.size.read(unusable),
        files,
        items,
        checklist_ok,
        checklist_failed,
        last_file_created: if has_files { date(fields.last_file_created, unusable) } else { None },
    })
}
