//! What the answer of each endpoint means: which fields are read, and what facts they fold into.

mod daily;
mod lists;
pub mod members;
mod organization;
#[cfg(test)]
mod tests;
mod user;
mod whitelabel;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{Error, ErrorDetail};
use super::stream::{JsonStream, Parts};
use super::values::{Date, Field, Found, Unusable, fields};
use crate::model::{Call, Collector};
use crate::model::{EntitlementLimits, Facts, Limit, Organization, UnixTime, User};
use organization::{organization, organizations};
use user::{trials, user, whitelabel_user};
use whitelabel::{whitelabel, whitelabel_organization, whitelabel_organizations, whitelabel_users};

/// What decoding has to know beside the answer.
#[derive(Clone, Copy, Debug)]
pub struct DecodeOptions {
    /// When the call began: windows of activity end here.
    pub now: UnixTime,
    /// Seconds in the unit of the usage answer's compute times.
    pub compute_time_unit: f64,
    /// Bytes in the unit of the default compute limits' memory.
    pub memory_unit: f64,
    /// Whether projects are kept one by one.
    pub projects: bool,
    /// Most datasets of an organization that are kept.
    pub most_datasets: usize,
    /// Whether daily records are kept one by one.
    pub days: bool,
}

/// What an answer holds.
#[derive(Debug)]
pub struct Decoded {
    /// Its facts.
    pub facts: Result<Facts, Error>,
    /// What it says of the list that it is a part of, if it is a white label's.
    pub listed: Listed,
    /// How often each field held a value that cannot be used.
    pub unusable: BTreeMap<&'static str, u64>,
}

/// How much of a list an answer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// How many elements the answer has, those that cannot be used included.
    pub elements: u64,
    /// `total`: how many elements the whole list has.
    pub total: Option<u64>,
}

/// Reads the answer to `call`, with status 200, while its parts arrive. Of `secret` nothing is left in an error.
pub async fn decode<S: Parts>(parts: S, call: &Call, terms: &DecodeOptions, secret: &str) -> Decoded {
    let mut json = JsonStream::new(parts);
    let mut listed = Listed::default();
    let facts = facts(&mut json, call, terms, secret, &mut listed).await;
    Decoded { facts, listed, unusable: json.unusable.0 }
}

async fn facts<S: Parts>(
    json: &mut JsonStream<S>,
    call: &Call,
    terms: &DecodeOptions,
    secret: &str,
    listed: &mut Listed,
) -> Result<Facts, Error> {
    let facts = fold(json, call, *terms, listed).await?;
    let (success, text) = json.end().await?;
    if !success {
        return Err(Error::of_text(ErrorDetail::new(200, text.as_deref(), secret)));
    }
    facts.ok_or_else(|| Error::Decode(format!("it has no `{}`", main_member(call.collector))))
}

/// Folds an answer; `None` if the member that all of it hangs on is missing.
async fn fold<S: Parts>(
    json: &mut JsonStream<S>,
    call: &Call,
    terms: DecodeOptions,
    listed: &mut Listed,
) -> Result<Option<Facts>, Error> {
    match call.collector {
        Collector::Usage => usage(json, call.organization_id.unwrap_or_default(), terms).await,
        Collector::Organization => organization(json, call.organization_id.unwrap_or_default(), terms).await,
        Collector::User => user(json).await,
        Collector::Trials => trials(json).await,
        Collector::UserOrganizations => {
            let facts = organizations(json, terms).await?;
            Ok(facts.map(|facts| Facts {
                users: call.user_id.map(|id| (id, belonging_to(id, &facts))).into_iter().collect(),
                ..facts
            }))
        }
        Collector::WhitelabelUser => whitelabel_user(json, call.user_id.unwrap_or_default(), terms).await,
        Collector::Organizations => Ok(organizations(json, terms).await?.map(|facts| names_only(&facts))),
        Collector::WhitelabelOrganization => {
            whitelabel_organization(json, call.organization_id.unwrap_or_default(), terms).await
        }
        Collector::WhitelabelOrganizations => whitelabel_organizations(json, listed).await,
        Collector::WhitelabelUsers => whitelabel_users(json, listed).await,
        Collector::Whitelabel => whitelabel(json, call.owner.unwrap_or_default()).await,
    }
}

/// Returns the member that the whole answer to `collector` hangs on.
const fn main_member(collector: Collector) -> &'static str {
    match collector {
        Collector::Usage => "metrics",
        Collector::Organization => "organization",
        Collector::Trials => "trials",
        Collector::User
        | Collector::UserOrganizations
        | Collector::Organizations
        | Collector::WhitelabelOrganizations => "organizations",
        Collector::WhitelabelUser => "user",
        // It has no object of its own: any of its members will do.
        Collector::WhitelabelOrganization => "entitlementLimits`, `totalStorage` or `dailyMetrics",
        Collector::WhitelabelUsers => "total",
        Collector::Whitelabel => "whitelabel",
    }
}

fields!(
    /// `OrganizationMetricsResponse.metrics`
    UsageFields {
        lifetime: "totalJobsComputeTime",
        current: "jobsComputeTimeCurrentYear",
        since: "jobsComputeTimeCurrentYearSince",
        cpu: "cpuComputeTimeCurrentContract",
        gpu: "gpuComputeTimeCurrentContract",
        storage: "totalStorage",
        projects: "projectCount",
        users: "userCount",
    }
);

async fn usage<S: Parts>(
    json: &mut JsonStream<S>,
    id: u64,
    terms: DecodeOptions,
) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    json.begin().await?;
    while let Some(name) = json.member().await? {
        match name {
            "metrics" => {
                json.object::<UsageFields<'_>>("metrics", |usage, unusable| {
                    let mut seconds =
                        |field: Field<'_>| Some(field.read::<f64>(unusable)? * terms.compute_time_unit);
                    let (cpu, gpu) = (seconds(usage.cpu), seconds(usage.gpu));
                    let current = seconds(usage.current);
                    let lifetime = seconds(usage.lifetime);
                    facts = Some(Organization {
                        storage_used: usage.storage.read(unusable),
                        compute_time_used: cpu.zip(gpu).map(|(cpu, gpu)| cpu + gpu).or(current),
                        cpu_compute_time_used: cpu,
                        gpu_compute_time_used: gpu,
                        compute_time_lifetime: lifetime,
                        compute_period_start: date(usage.since, unusable),
                        projects_used: usage.projects.read(unusable),
                        users_used: usage.users.read(unusable),
                        ..Organization::new(id)
                    });
                })
                .await?;
            }
            _ => json.envelope().await?,
        }
    }
    Ok(facts.map(only))
}

fields!(
    /// `EntitlementLimits`
    LimitFields {
        storage: "totalStorage",
        compute: "computeTimePerYear",
        gpu_compute: "gpuComputeTimePerYear",
        projects: "numberOfProjects",
        users: "numberOfUsers",
    }
);

impl LimitFields<'_> {
    fn convert(&self, unusable: &mut Unusable) -> EntitlementLimits {
        let mut limit = |field: Field<'_>| match field.find(unusable) {
            Found::Nothing => Limit::None,
            Found::Odd => Limit::Unknown,
            Found::Value(value) => Limit::At(value),
        };
        EntitlementLimits {
            storage: limit(self.storage),
            compute: limit(self.compute),
            gpu_compute: limit(self.gpu_compute),
            projects: limit(self.projects),
            users: limit(self.users),
        }
    }
}

fn date(field: Field<'_>, unusable: &mut Unusable) -> Option<UnixTime> {
    field.read(unusable).map(unix)
}

fn unix(date: Date) -> UnixTime {
    date.0
}

/// Tells whether `at` is at most `seconds` before `now`; a clock that is ahead of ours does not make it less recent.
fn is_within(seconds: f64, Date(at): Date, now: UnixTime) -> bool {
    now - at <= seconds
}

fn only(organization: Organization) -> Facts {
    Facts { organizations: BTreeMap::from([(organization.id, Arc::new(organization))]), ..Facts::default() }
}

fn belonging_to(user_id: u64, facts: &Facts) -> User {
    User { organizations: Some(facts.organizations.len() as u64), ..User::new(user_id) }
}

/// Keeps ids and names: discovery is read less often than the rest, so its other facts would be old.
fn names_only(facts: &Facts) -> Facts {
    let organizations = facts.organizations.values().map(|organization| {
        let names = Organization { info: organization.info.clone(), ..Organization::new(organization.id) };
        (organization.id, Arc::new(names))
    });
    Facts { organizations: organizations.collect(), ..Facts::default() }
}
