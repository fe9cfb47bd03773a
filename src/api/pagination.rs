//! Calls of several requests: a list in pages, and counts by the values of a filter.
//!
//! The requests of a call follow one another, so that it is one call at a time for the limits. If one of them fails, the
//! call fails: an incomplete list would look as if organizations had disappeared.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Error;
use super::decode::finished_jobs::AllFinishedJobs;
use super::limits::MAX_SHORT_TEXT;
use super::request::Request;
use crate::model::{Collector, DAY, Facts, FinishedJobs, Organization, TIERS, WINDOWS, Whitelabel};

/// Requested organizations per page. The API documents neither default nor maximum: it may send fewer, and the next page
/// begins after those that it sent.
const PAGE_SIZE: u64 = 200;

/// A parameter that changes with the time of the call.
pub const START_DATE: &str = "startDate";

/// Maximum number of pages of one list: the largest that is kept in pages of ten.
const MAX_PAGES: u64 = 1_000;

/// Maximum number of pages of finished jobs: those of as many jobs as are counted.
const MAX_JOB_PAGES: u64 = 100;

/// Maximum number of categories of an organization's finished jobs.
const MAX_CATEGORIES: usize = 100;

/// Requests all pages of the organizations of the white label that `owner` owns.
pub(super) async fn organizations(request: &Request<'_>, owner: u64) -> Result<Facts, Error> {
    let mut organizations = BTreeMap::new();
    let mut total = None;
    let mut offset = 0;
    for _ in 0..MAX_PAGES {
        // A fixed order: without one, pages may overlap.
        let query =
            [("limit", PAGE_SIZE.to_string()), ("offset", offset.to_string()), ("sort", "id".to_owned())];
        let response = request.send(&query).await?;
        let before = organizations.len();
        for (id, organization) in response.facts.organizations {
            organizations.entry(id).or_insert(organization);
        }
        total = response.page.total.or(total);
        offset += response.page.elements;
        if response.is_cut {
            // Those of this page are counted.
            let left_out = total.unwrap_or_default().saturating_sub(offset);
            request.count_truncated(&BTreeMap::from([("organizations", left_out)]));
        }
        // A page without new organizations ends the list if the total is missing or wrong, or the offset ignored.
        if response.is_cut || organizations.len() == before || total.is_some_and(|total| offset >= total) {
            let whitelabel = Whitelabel { organizations: total, ..Whitelabel::new(owner) };
            let whitelabels = BTreeMap::from([(owner, whitelabel)]);
            return Ok(Facts { organizations, whitelabels, ..Facts::default() });
        }
    }
    Err(Error::Decode(format!("the list of organizations has more than {MAX_PAGES} pages")))
}

/// Requests all pages of the jobs of an organization that finished within a day, and counts them.
///
/// The API's document does not say which date `startDate` is compared with. If it is the one of creation, jobs that took
/// up to a day are found, too.
pub(super) async fn finished_jobs(request: &Request<'_>, id: u64) -> Result<Facts, Error> {
    let mut jobs = AllFinishedJobs::default();
    let mut total = None;
    let mut offset = 0;
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let start = jiff::Timestamp::from_second((request.now - 2.0 * DAY) as i64).unwrap_or_default();
    for _ in 0..MAX_JOB_PAGES {
        let query = [
            ("finished", "all".to_owned()),
            (START_DATE, start.to_string()),
            ("limit", PAGE_SIZE.to_string()),
            ("offset", offset.to_string()),
        ];
        let mut response = request.send(&query).await?;
        total = response.page.total.or(total);
        offset += response.page.elements;
        let added = jobs.add(&mut response.page, request.now);
        let is_cut = response.is_cut || added.is_some_and(|left_out| left_out > 0);
        if is_cut {
            // Those of this page that decoding left out are counted.
            let left_out = added.unwrap_or_default() + total.unwrap_or_default().saturating_sub(offset);
            request.count_truncated(&BTreeMap::from([("jobs", left_out)]));
        }
        // As for organizations, a page without new jobs ends the list.
        if is_cut || added.is_none() || total.is_some_and(|total| offset >= total) {
            // The numbers would be too low.
            let finished_jobs = jobs.finish().filter(|_| !is_cut).map(|jobs| Arc::new(fitting(jobs, request)));
            let organization = Organization { finished_jobs, ..Organization::new(id) };
            return Ok(Facts {
                organizations: BTreeMap::from([(id, Arc::new(organization))]),
                ..Facts::default()
            });
        }
    }
    Err(Error::Decode(format!("the list of finished jobs has more than {MAX_JOB_PAGES} pages")))
}

/// Returns the first categories by name that fit into the limits; counts the others.
fn fitting(
    mut categories: BTreeMap<String, FinishedJobs>,
    request: &Request<'_>,
) -> BTreeMap<String, FinishedJobs> {
    const SIZE: usize = size_of::<(String, FinishedJobs)>() + MAX_SHORT_TEXT;
    let mut kept = 0;
    let all = categories.len();
    categories.retain(|_, _| {
        let is_kept = kept < MAX_CATEGORIES && request.share.take_bytes(SIZE);
        kept += usize::from(is_kept);
        is_kept
    });
    if kept < all {
        request.count_truncated(&BTreeMap::from([("categoryKey", (all - kept) as u64)]));
    }
    categories
}

/// Counts the users of the white label that `owner` owns.
///
/// Each response has the total of its filter, and one user at most, who is not read.
pub(super) async fn users(request: &Request<'_>, owner: u64) -> Result<Facts, Error> {
    let by_tier = totals(request, "tier", TIERS.map(str::to_owned)).await?;
    let active = totals(request, "active", windows_in_days()).await?;
    if by_tier.is_none() && active.is_none() {
        return Err(Error::Decode("no `total` member".to_owned()));
    }
    let whitelabel = Whitelabel { users_by_tier: by_tier, users_active: active, ..Whitelabel::new(owner) };
    Ok(Facts { whitelabels: BTreeMap::from([(owner, whitelabel)]), ..Facts::default() })
}

/// Counts the active organizations, the projects and the active projects of the white label that `owner` owns.
pub(super) async fn activity(request: &Request<'_>, owner: u64) -> Result<Facts, Error> {
    // Another endpoint counts organizations.
    let of_organizations = Request { endpoint: Collector::WhitelabelOrganizations.endpoint(), ..*request };
    let organizations_active = totals(&of_organizations, "active", windows_in_days()).await?;
    let projects = request.send(&[one()]).await?.page.total;
    let projects_active = totals(request, "active", windows_in_days()).await?;
    if organizations_active.is_none() && projects.is_none() && projects_active.is_none() {
        return Err(Error::Decode("no `total` member".to_owned()));
    }
    let whitelabel = Whitelabel { organizations_active, projects, projects_active, ..Whitelabel::new(owner) };
    Ok(Facts { whitelabels: BTreeMap::from([(owner, whitelabel)]), ..Facts::default() })
}

/// Returns the values of the filter `active`.
fn windows_in_days() -> [String; WINDOWS.len()] {
    WINDOWS.map(|(_, length)| (length / DAY).to_string())
}

/// Returns the parameter with which a response has one element: only the total is used.
fn one() -> (&'static str, String) {
    ("limit", "1".to_owned())
}

/// Returns the number of elements for each value of a filter; `None` if one of them is missing or invalid.
async fn totals<const N: usize>(
    request: &Request<'_>,
    filter: &'static str,
    values: [String; N],
) -> Result<Option<[u64; N]>, Error> {
    let mut totals = [None; N];
    for (total, value) in totals.iter_mut().zip(values) {
        *total = request.send(&[one(), (filter, value)]).await?.page.total;
    }
    Ok(totals.iter().all(Option::is_some).then(|| totals.map(Option::unwrap_or_default)))
}
