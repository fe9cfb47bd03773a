//! Answers about a white label, its organizations and its users, as its admins are told.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::daily::Days;
use super::{DecodeOptions, LimitFields, Listed, date, only, unix};
use crate::api::Error;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Unusable, fields};
use crate::model::{EntitlementLimits, Facts, Organization, OrganizationInfo, UnixTime, Whitelabel};

pub(super) async fn whitelabel<S: Parts>(json: &mut JsonStream<S>, owner: u64) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    json.begin().await?;
    while let Some(name) = json.member().await? {
        match name {
            "whitelabel" => {
                if json.enter_object("whitelabel").await? {
                    let mut whitelabel = Whitelabel::new(owner);
                    // Blocks, boards and the theme make most of it: nothing of them is read.
                    while let Some(name) = json.member().await? {
                        match name {
                            "id" => whitelabel.id = json.read("id").await?,
                            "name" => whitelabel.name = json.read("name").await?,
                            "organizationsLimit" => {
                                whitelabel.organizations_limit = json.read("organizationsLimit").await?;
                            }
                            _ => json.skip().await?,
                        }
                    }
                    let whitelabels = BTreeMap::from([(owner, whitelabel)]);
                    facts = Some(Facts { whitelabels, ..Facts::default() });
                }
            }
            _ => json.envelope().await?,
        }
    }
    Ok(facts)
}

fields!(
    /// `AdminGetOrganizationsResponse.organizations[]`
    ListedFields {
        id: "id",
        name: "name",
        developer_profile: "isDeveloperProfile",
        whitelabel_id: "whitelabelId",
        created: "created",
        limits: "entitlementLimits",
        private_projects: "privateProjectCount",
    }
);

/// Converts an organization of the list; without an id it is nobody's.
fn listed_organization(fields: &ListedFields<'_>, unusable: &mut Unusable) -> Option<Organization> {
    let info = OrganizationInfo {
        name: fields.name.read(unusable),
        whitelabel_id: fields.whitelabel_id.read(unusable),
        whitelabel_name: None,
        developer_profile: None,
    }
    // The document has no such member here. Should the API send it, a user's name stays hidden.
    .of_kind(fields.developer_profile.find(unusable));
    let private_projects = fields.private_projects.read(unusable);
    Some(Organization {
        info,
        created: date(fields.created, unusable),
        limits: fields.limits.read::<LimitFields<'_>>(unusable).map(|limits| limits.convert(unusable)),
        private_projects,
        // Private projects are those that count against the entitlement.
        projects_used: private_projects,
        ..Organization::new(fields.id.require(unusable)?)
    })
}

/// Reads one page of the organizations.
pub(super) async fn whitelabel_organizations<S: Parts>(
    json: &mut JsonStream<S>,
    listed: &mut Listed,
) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    json.begin().await?;
    while let Some(name) = json.member().await? {
        match name {
            "organizations" => {
                let mut organizations = BTreeMap::new();
                let mut elements = 0;
                let is_list = json.each::<ListedFields<'_>>("organizations", |fields, unusable| {
                    elements += 1;
                    let organization = fields.and_then(|fields| listed_organization(&fields, unusable));
                    if let Some(organization) = organization {
                        organizations.entry(organization.id).or_insert(Arc::new(organization));
                    }
                });
                if is_list.await? {
                    listed.elements = elements;
                    facts = Some(Facts { organizations, ..Facts::default() });
                }
            }
            "total" => listed.total = json.read("total").await?,
            _ => json.envelope().await?,
        }
    }
    Ok(facts)
}

/// Reads how many users a filter lets through; the users themselves are skipped, whatever is said of them.
pub(super) async fn whitelabel_users<S: Parts>(
    json: &mut JsonStream<S>,
    listed: &mut Listed,
) -> Result<Option<Facts>, Error> {
    json.begin().await?;
    while let Some(name) = json.member().await? {
        match name {
            "total" => listed.total = json.find("total").await?.require("total", &mut json.unusable),
            _ => json.envelope().await?,
        }
    }
    Ok(Some(Facts::default()))
}

/// Compute time of the current contract, in seconds.
#[derive(Clone, Copy, Default)]
struct Compute {
    cpu: Option<f64>,
    gpu: Option<f64>,
    since: Option<UnixTime>,
}

/// The members of `AdminOrganizationInfoResponse`, which has no object of its own for them.
#[derive(Default)]
struct InnerMembers {
    limits: Option<EntitlementLimits>,
    storage: Option<f64>,
    compute: Compute,
    days: Days,
}

impl InnerMembers {
    /// Reads the member that `json` stands at; returns false, and reads nothing, if it is none of an organization's.
    async fn read<S: Parts>(&mut self, json: &mut JsonStream<S>) -> Result<bool, Error> {
        let Self { limits, storage, compute, days } = self;
        match json.name() {
            "entitlementLimits" => {
                json.object::<LimitFields<'_>>("entitlementLimits", |fields, unusable| {
                    *limits = Some(fields.convert(unusable));
                })
                .await?;
            }
            "totalStorage" => *storage = json.read("totalStorage").await?,
            "cpuComputeTime" => compute.cpu = json.read("cpuComputeTime").await?,
            "gpuComputeTime" => compute.gpu = json.read("gpuComputeTime").await?,
            "computeTimeCurrentContractSince" => {
                compute.since = json.read("computeTimeCurrentContractSince").await?.map(unix);
            }
            "dailyMetrics" => days.read(json).await?,
            "billable" => json.skip().await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self, id: u64) -> Organization {
        let Self { limits, storage, compute: now, days: Days { newest, all: days } } = self;
        let recorded = newest.map(|record| Compute {
            cpu: record.cpu_compute_time,
            gpu: record.gpu_compute_time,
            since: record.compute_since,
        });
        // Without the date from which it counts, compute time may be that of all years.
        let is_of_contract = now.since.is_some() && (now.cpu.is_some() || now.gpu.is_some());
        let Compute { cpu, gpu, since } = if is_of_contract { now } else { recorded.unwrap_or_default() };
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
}

/// Reads what a white label's admin is told of an organization. Its members stand beside `success`: one of them, by
/// name, makes the answer readable.
pub(super) async fn whitelabel_organization<S: Parts>(
    json: &mut JsonStream<S>,
    id: u64,
    terms: DecodeOptions,
) -> Result<Option<Facts>, Error> {
    let mut members = InnerMembers { days: Days::new(terms.days), ..InnerMembers::default() };
    let mut found = false;
    json.begin().await?;
    while json.member().await?.is_some() {
        if members.read(json).await? {
            found = true;
        } else {
            json.envelope().await?;
        }
    }
    Ok(found.then(|| only(members.finish(id))))
}
