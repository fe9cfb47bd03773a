//! Calls of several requests: a list in pages, and counts by the values of a filter.
//!
//! The requests of a call follow one another, so that it is one call at a time for the limits. If one of them fails, the
//! call fails: an incomplete list would look as if organizations had disappeared.

use std::collections::BTreeMap;

use super::Error;
use super::request::Request;
use crate::model::{Collector, Facts, TIERS, WINDOWS, Whitelabel};

/// Requested organizations per page. The API documents neither default nor maximum: it may send fewer, and the next page
/// begins after those that it sent.
const PAGE_SIZE: u64 = 200;

/// Maximum number of pages of one list: the largest that is kept in pages of ten.
const MAX_PAGES: u64 = 1_000;

/// Length of a day, in seconds: the unit of the filter `active`.
const DAY: f64 = 86_400.0;

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
