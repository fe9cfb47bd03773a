//! Calls that take several requests: a list in pages, and counts under one filter after another.
//!
//! The requests of a call follow each other, so that it is one call at a time to the API as any other. Where one of
//! them fails, the call fails: of half a list, the other half would look as if it had vanished.

use std::collections::BTreeMap;

use super::Error;
use super::client::Request;
use crate::model::{Facts, TIERS, WINDOWS, Whitelabel};

/// How many organizations a page is asked to have. The API documents neither its default nor its most: it may send
/// fewer, and the next page begins after those that it did send.
const PAGE: u64 = 200;

/// Most pages of one list: twice the largest white label in pages of ten. A list that goes on has no end.
const MOST_PAGES: u64 = 1_000;

/// Length of a day, in seconds: the unit of the filter `active`.
const DAY: f64 = 86_400.0;

/// Reads all pages of the organizations of the white label that `owner` owns.
pub(super) async fn organizations(asking: &Request<'_>, owner: u64) -> Result<Facts, Error> {
    let mut organizations = BTreeMap::new();
    let mut total = None;
    let mut offset = 0;
    for _ in 0..MOST_PAGES {
        // An order that does not change from page to page: without one, pages may overlap.
        let query = [("limit", PAGE.to_string()), ("offset", offset.to_string()), ("sort", "id".to_owned())];
        let answer = asking.ask(&query).await?;
        let known = organizations.len();
        for (id, organization) in answer.facts.organizations {
            organizations.entry(id).or_insert(organization);
        }
        total = answer.listed.total.or(total);
        offset += answer.listed.elements;
        // The total may be missing or wrong, and the offset ignored: then nothing new comes.
        if organizations.len() == known || total.is_some_and(|total| offset >= total) {
            let whitelabel = Whitelabel { organizations: total, ..Whitelabel::new(owner) };
            let whitelabels = BTreeMap::from([(owner, whitelabel)]);
            return Ok(Facts { organizations, whitelabels, ..Facts::default() });
        }
    }
    Err(Error::Decode(format!("its list of organizations goes on after {MOST_PAGES} pages")))
}

/// Counts the users of the white label that `owner` owns.
///
/// The API is asked for one user at a time, since it says how many there would be: none of them is read.
pub(super) async fn users(asking: &Request<'_>, owner: u64) -> Result<Facts, Error> {
    let by_tier = totals(asking, "tier", TIERS.map(str::to_owned)).await?;
    let active = totals(asking, "active", WINDOWS.map(|(_, length)| (length / DAY).to_string())).await?;
    if by_tier.is_none() && active.is_none() {
        return Err(Error::Decode("it has no `total`".to_owned()));
    }
    let whitelabel = Whitelabel { users_by_tier: by_tier, users_active: active, ..Whitelabel::new(owner) };
    Ok(Facts { whitelabels: BTreeMap::from([(owner, whitelabel)]), ..Facts::default() })
}

/// Returns how many elements there are for each value of a filter; `None` if one of the numbers cannot be used.
async fn totals<const N: usize>(
    asking: &Request<'_>,
    filter: &'static str,
    values: [String; N],
) -> Result<Option<[u64; N]>, Error> {
    let mut totals = [None; N];
    for (total, value) in totals.iter_mut().zip(values) {
        *total = asking.ask(&[("limit", "1".to_owned()), (filter, value)]).await?.listed.total;
    }
    Ok(totals.iter().all(Option::is_some).then(|| totals.map(Option::unwrap_or_default)))
}
