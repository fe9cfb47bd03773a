//! The responses of the API: which members are read, and the facts they become.

mod daily_records;
mod datasets;
mod limits;
mod organization;
mod organization_object;
mod organization_users;
mod organizations;
mod projects;
#[cfg(test)]
mod tests;
mod trials;
mod usage;
mod user;
mod user_organizations;
mod whitelabel;
mod whitelabel_organization;
mod whitelabel_organizations;
mod whitelabel_users;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{Error, ErrorDetail};
use super::schema::{Member, Object};
use super::stream::{JsonStream, Parts};
use crate::model::{Call, Collector, Facts, Organization, UnixTime};

/// Settings of decoding.
#[derive(Clone, Copy, Debug)]
pub struct DecodeOptions {
    /// Start of the call: the end of the windows of activity.
    pub now: UnixTime,
    /// Seconds in the unit of the usage response's compute times.
    pub compute_time_unit: f64,
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
}

/// How much of a list a response has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageInfo {
    /// Number of elements in the response, including invalid ones.
    pub elements: u64,
    /// `total`: number of elements in the whole list.
    pub total: Option<u64>,
}

/// Decodes the response to `call`, with status 200, while its parts arrive. Error texts do not contain `secret`.
pub async fn decode<S: Parts>(parts: S, call: &Call, options: &DecodeOptions, secret: &str) -> Decoded {
    let mut json = JsonStream::new(parts);
    let mut page = PageInfo::default();
    let facts = decode_document(&mut json, call, options, secret, &mut page).await;
    Decoded { facts, page, errors: json.errors.0 }
}

async fn decode_document<S: Parts>(
    json: &mut JsonStream<S>,
    call: &Call,
    options: &DecodeOptions,
    secret: &str,
    page: &mut PageInfo,
) -> Result<Facts, Error> {
    json.begin().await?;
    let facts = decode_members(json, call, options, page).await?;
    let (success, text) = json.end().await?;
    if !success {
        return Err(Error::of_text(ErrorDetail::new(200, text.as_deref(), secret)));
    }
    facts.ok_or_else(|| missing(call.collector))
}

/// Decodes the members of a response; `None` if the required one is missing.
async fn decode_members<S: Parts>(
    json: &mut JsonStream<S>,
    call: &Call,
    options: &DecodeOptions,
    page: &mut PageInfo,
) -> Result<Option<Facts>, Error> {
    let organization_id = call.organization_id.unwrap_or_default();
    match call.collector {
        Collector::Usage => usage::usage(json, organization_id, options).await,
        Collector::Organization => organization::organization(json, organization_id, options).await,
        Collector::User => user::user(json).await,
        Collector::Trials => trials::trials(json).await,
        Collector::UserOrganizations => organizations::user_organizations(json, call.user_id, options).await,
        Collector::Organizations => organizations::names(json, options).await,
        Collector::WhitelabelOrganization => {
            whitelabel_organization::organization(json, organization_id, options).await
        }
        Collector::WhitelabelOrganizations => whitelabel_organizations::organizations(json, page).await,
        Collector::WhitelabelUser => {
            user::whitelabel_user(json, call.user_id.unwrap_or_default(), options).await
        }
        Collector::WhitelabelUsers => whitelabel_users::users(json, page).await,
        Collector::Whitelabel => whitelabel::whitelabel(json, call.owner.unwrap_or_default()).await,
    }
}

/// Returns the members that are read of the response to `collector`, without those of all responses. A response must
/// have the first one, that of a white label's organization any of them.
#[must_use]
pub const fn members(collector: Collector) -> &'static [Member] {
    match collector {
        Collector::Usage => usage::UsageResponse::MEMBERS,
        Collector::Organization => organization::OrganizationResponse::MEMBERS,
        Collector::User => user::UserObject::MEMBERS,
        Collector::Trials => trials::TrialsResponse::MEMBERS,
        Collector::UserOrganizations | Collector::Organizations => {
            organizations::OrganizationsResponse::MEMBERS
        }
        Collector::WhitelabelOrganization => whitelabel_organization::OrganizationResponse::MEMBERS,
        Collector::WhitelabelOrganizations => whitelabel_organizations::OrganizationsResponse::MEMBERS,
        Collector::WhitelabelUser => user::WhitelabelUserResponse::MEMBERS,
        Collector::WhitelabelUsers => whitelabel_users::UsersResponse::MEMBERS,
        Collector::Whitelabel => whitelabel::WhitelabelResponse::MEMBERS,
    }
}

fn missing(collector: Collector) -> Error {
    let names = members(collector).iter().map(|member| format!("`{}`", member.name));
    let names: Vec<_> = match collector {
        Collector::WhitelabelOrganization => names.collect(),
        _ => names.take(1).collect(),
    };
    Error::Decode(format!("no {} member", names.join(" or ")))
}

fn only(organization: Organization) -> Facts {
    Facts { organizations: BTreeMap::from([(organization.id, Arc::new(organization))]), ..Facts::default() }
}

/// Tells whether `at` is at most `seconds` before `now`. A date in the future is within every window, since the clocks
/// may differ.
fn is_within(seconds: f64, at: UnixTime, now: UnixTime) -> bool {
    now - at <= seconds
}
