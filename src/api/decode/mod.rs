//! The responses of the API: which members are read, and the facts they become.

mod api_keys;
mod buckets;
mod daily_records;
mod datasets;
pub(super) mod finished_jobs;
mod jobs;
mod organization;
mod organization_users;
pub(super) mod organizations;
mod pipelines;
mod plan;
mod projects;
mod rows;
#[cfg(test)]
mod tests;
mod transformation_jobs;
mod trials;
mod usage;
mod user;
mod whitelabel;
mod whitelabel_organization;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::api_keys::ApiKeysResponse;
use self::buckets::BucketsResponse;
use self::finished_jobs::{FinishedJob, FinishedJobsResponse};
use self::jobs::JobsResponse;
use self::organization::OrganizationResponse;
use self::organizations::OrganizationsResponse;
use self::pipelines::PipelinesResponse;
use self::plan::PlanResponse;
use self::transformation_jobs::TransformationJobsResponse;
use self::trials::TrialsResponse;
use self::usage::UsageResponse;
use self::user::{UserObject, WhitelabelUserResponse};
use super::budget::Share;
use super::error::{Error, ErrorDetail};
use super::fields::{Member, Object};
use super::stream::{JsonStream, Parts};
use super::values::DecodeErrors;
use crate::model::{Call, Collector, Facts, Organization, UnixTime};

/// Settings of decoding.
#[derive(Clone, Copy, Debug)]
pub struct DecodeOptions {
    /// Start of the call: the end of the windows of activity.
    pub now: UnixTime,
    /// Seconds in the unit of the usage response's CPU and GPU compute times.
    pub compute_time_unit: f64,
    /// Seconds in the unit of the usage response's total compute times.
    pub compute_time_total_unit: f64,
    /// Bytes in the unit of the default compute limits' memory.
    pub memory_unit: f64,
    /// Whether projects are kept one by one.
    pub projects: bool,
    /// Largest number of datasets of an organization that are kept.
    pub most_datasets: usize,
    /// Whether daily records are kept one by one.
    pub days: bool,
}

/// A decoded response.
#[derive(Debug)]
pub struct Decoded {
    /// Its facts.
    pub facts: Result<Facts, Error>,
    /// How much of a list of the white label it has.
    pub page: PageInfo,
    /// How often each field held an invalid value.
    pub errors: BTreeMap<&'static str, u64>,
    /// How many texts of each field were shortened, or elements left out because of a limit.
    pub truncated: BTreeMap<&'static str, u64>,
}

/// How much of a list a response has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageInfo {
    /// Number of elements in the response, including invalid ones.
    pub elements: u64,
    /// `total`: number of elements in the whole list.
    pub total: Option<u64>,
    /// Whether an element is not an object.
    has_invalid: bool,
    /// The elements of a list of finished jobs.
    jobs: Vec<FinishedJob>,
}

/// A response of the API, and what it becomes.
trait Response: Object {
    /// Converts the response; `None` if the required member is missing.
    fn facts(self, call: &Call, options: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts>;

    /// Returns whether the response says that there is no such thing.
    fn is_absent(&self) -> bool {
        false
    }

    /// Returns how much of a list the response has.
    fn page(&mut self, _: &mut DecodeErrors) -> PageInfo {
        PageInfo::default()
    }
}

/// Decodes the response to `call`, with status 200, while its parts arrive. Takes no more of the account's limits than
/// `share` has. Error texts do not contain `secret`.
pub async fn decode<S: Parts>(
    parts: S,
    call: &Call,
    options: &DecodeOptions,
    share: Share,
    secret: &str,
) -> Decoded {
    match call.collector {
        Collector::Usage => decode_as::<UsageResponse>(parts, call, options, share, secret).await,
        Collector::Organization => decode_as::<OrganizationResponse>(parts, call, options, share, secret).await,
        Collector::Buckets => decode_as::<BucketsResponse>(parts, call, options, share, secret).await,
        Collector::Pipelines => decode_as::<PipelinesResponse>(parts, call, options, share, secret).await,
        Collector::User => decode_as::<UserObject>(parts, call, options, share, secret).await,
        Collector::Trials => decode_as::<TrialsResponse>(parts, call, options, share, secret).await,
        Collector::UserOrganizations | Collector::Organizations => {
            decode_as::<OrganizationsResponse>(parts, call, options, share, secret).await
        }
        Collector::WhitelabelOrganization => {
            decode_as::<whitelabel_organization::OrganizationResponse>(parts, call, options, share, secret)
                .await
        }
        Collector::WhitelabelOrganizations => {
            decode_as::<whitelabel::OrganizationsResponse>(parts, call, options, share, secret).await
        }
        Collector::WhitelabelUser => {
            decode_as::<WhitelabelUserResponse>(parts, call, options, share, secret).await
        }
        Collector::WhitelabelUsers | Collector::WhitelabelActivity => {
            decode_as::<whitelabel::TotalResponse>(parts, call, options, share, secret).await
        }
        Collector::Whitelabel => {
            decode_as::<whitelabel::WhitelabelResponse>(parts, call, options, share, secret).await
        }
        Collector::Jobs => decode_as::<JobsResponse>(parts, call, options, share, secret).await,
        Collector::Plan => decode_as::<PlanResponse>(parts, call, options, share, secret).await,
        Collector::ApiKeys => decode_as::<ApiKeysResponse>(parts, call, options, share, secret).await,
        Collector::FinishedJobs => decode_as::<FinishedJobsResponse>(parts, call, options, share, secret).await,
        Collector::TransformationJobs => {
            decode_as::<TransformationJobsResponse>(parts, call, options, share, secret).await
        }
    }
}

async fn decode_as<T: Response>(
    parts: impl Parts,
    call: &Call,
    options: &DecodeOptions,
    share: Share,
    secret: &str,
) -> Decoded {
    let mut json = JsonStream::new(parts, *options, share);
    let mut response = T::default();
    let envelope = json.document(&mut response).await;
    let (has_member, mut errors) = (json.has_member, json.errors);
    let (page, is_absent) = (response.page(&mut errors), response.is_absent());
    let facts = envelope.and_then(|envelope| {
        let text = envelope.error.read(&mut errors);
        match envelope.success.read(&mut errors) {
            // All members of a white label's organization are optional: any one shows that the response is of one.
            Some(true) if has_member || call.collector != Collector::WhitelabelOrganization => {
                let facts = response.facts(call, options, &mut errors);
                facts.ok_or_else(|| missing(call.collector, is_absent))
            }
            Some(true) => Err(missing(call.collector, false)),
            Some(false) => Err(Error::of_text(ErrorDetail::new(200, text.as_deref(), secret))),
            None => Err(Error::Decode("no `success` member".to_owned())),
        }
    });
    Decoded { facts, page, errors: errors.invalid, truncated: errors.truncated }
}

/// Returns the members that are read of the response to `collector`, without those of all responses. A response must
/// have the first one, that of a white label's organization any of them.
#[must_use]
pub const fn members(collector: Collector) -> &'static [Member] {
    match collector {
        Collector::Usage => UsageResponse::MEMBERS,
        Collector::Organization => OrganizationResponse::MEMBERS,
        Collector::Buckets => BucketsResponse::MEMBERS,
        Collector::Pipelines => PipelinesResponse::MEMBERS,
        Collector::User => UserObject::MEMBERS,
        Collector::Trials => TrialsResponse::MEMBERS,
        Collector::UserOrganizations | Collector::Organizations => OrganizationsResponse::MEMBERS,
        Collector::WhitelabelOrganization => whitelabel_organization::OrganizationResponse::MEMBERS,
        Collector::WhitelabelOrganizations => whitelabel::OrganizationsResponse::MEMBERS,
        Collector::WhitelabelUser => WhitelabelUserResponse::MEMBERS,
        Collector::WhitelabelUsers | Collector::WhitelabelActivity => whitelabel::TotalResponse::MEMBERS,
        Collector::Whitelabel => whitelabel::WhitelabelResponse::MEMBERS,
        Collector::Jobs => JobsResponse::MEMBERS,
        Collector::Plan => PlanResponse::MEMBERS,
        Collector::ApiKeys => ApiKeysResponse::MEMBERS,
        Collector::FinishedJobs => FinishedJobsResponse::MEMBERS,
        Collector::TransformationJobs => TransformationJobsResponse::MEMBERS,
    }
}

/// Returns the error of a response without the member that it must have.
fn missing(collector: Collector, is_absent: bool) -> Error {
    let names = members(collector).iter().map(|member| format!("`{}`", member.name));
    let names: Vec<_> = match collector {
        Collector::WhitelabelOrganization => names.collect(),
        _ => names.take(1).collect(),
    };
    let text = format!("no {} member", names.join(" or "));
    if is_absent {
        return Error::NotFound(ErrorDetail { text: Some(text), ..ErrorDetail::new(200, None, "") });
    }
    Error::Decode(text)
}

fn only(organization: Organization) -> Facts {
    Facts { organizations: BTreeMap::from([(organization.id, Arc::new(organization))]), ..Facts::default() }
}

/// Tells whether `at` is at most `seconds` before `now`. A date in the future is within every window, since the clocks
/// may differ.
fn is_within(seconds: f64, at: UnixTime, now: UnixTime) -> bool {
    now - at <= seconds
}
