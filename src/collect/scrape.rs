//! One scrape: ask for the calls that are due, wait for them, read the store. A scrape reports failures and never fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::plan::Plan;
use super::store::{CallStatus, Read};
use super::{Account, Discovery};
use crate::model::{Call, CallResult, Clock, Collector, Facts, OrganizationInfo, Snapshot, UnixTime};

/// Time to read, merge and write the result of one call, measured with 200,000 calls. It is part of the time of a scrape.
const WRITE_TIME: Duration = Duration::from_micros(3);

/// What a scrape reads.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these collectors; all if `None`.
    pub collectors: Option<BTreeSet<Collector>>,
    /// Only this organization; all if `None`.
    pub organization: Option<u64>,
}

impl Selection {
    /// Returns true if nothing is left out.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.collectors.is_none() && self.organization.is_none()
    }

    pub(super) fn includes(&self, call: &Call) -> bool {
        self.collectors.as_ref().is_none_or(|collectors| collectors.contains(&call.collector))
    }

    /// Returns true if the selected collectors need the result of `call`, which is not reported: metrics of a white label
    /// have its id, and an API key gets that from no list.
    pub(super) fn needs(&self, call: &Call) -> bool {
        let of_whitelabels =
            [Collector::WhitelabelOrganizations, Collector::WhitelabelUsers, Collector::WhitelabelActivity];
        call.collector == Collector::Whitelabel
            && self.collectors.iter().flatten().any(|collector| of_whitelabels.contains(collector))
    }

    /// Returns true if the result of `call` is reported: for one organization, only calls about it are.
    fn reports(&self, call: &Call) -> bool {
        self.includes(call)
            && self
                .organization
                .is_none_or(|id| call.organization_id == Some(id) && call.collector.is_per_organization())
    }
}

/// Reads `accounts` until `deadline` and merges what they report.
pub(super) async fn collect(
    accounts: &[Arc<Account>],
    selection: &Selection,
    deadline: Instant,
    clock: &Clock,
) -> Snapshot {
    let reads = join_all(accounts.iter().map(|account| read(account, selection, deadline, clock))).await;
    let merge = |mut snapshot: Snapshot, other: Snapshot| {
        snapshot.facts.merge(&other.facts);
        snapshot.accounts.extend(other.accounts);
        snapshot.call_results.extend(other.call_results);
        snapshot
    };
    // Most often there is one account, which may have tens of thousands of results.
    reads.into_iter().reduce(merge).unwrap_or_default()
}

async fn read(account: &Arc<Account>, selection: &Selection, deadline: Instant, clock: &Clock) -> Snapshot {
    if selection.collectors.as_ref().is_some_and(BTreeSet::is_empty) {
        return Snapshot { accounts: vec![account.status(None, &Facts::default())], ..Snapshot::default() };
    }
    let _reporting = account.report_at_end();
    let _ = timeout_at(deadline, account.refresh_credential()).await;
    let (discovery, plan, asked) = loop {
        let generation = account.store().generation();
        let (discovery, mut asked) = Discovery::read(account, deadline).await;
        let plan = Plan::new(account, &discovery, selection.organization);
        let write_time = WRITE_TIME * u32::try_from(plan.calls.len()).unwrap_or(u32::MAX);
        asked.push(account.ask(Arc::clone(&plan), |call| selection.includes(call) || selection.needs(call)));
        for asked in &asked {
            account.store().wait(asked, deadline.checked_sub(write_time).unwrap_or(deadline)).await;
        }
        // A credential that was replaced in the meantime may see other organizations.
        if account.store().generation() == generation || Instant::now() >= deadline {
            break (discovery, plan, asked);
        }
    };
    let mut reads = account.read(&asked);
    // Not the time at which the scrape began: ages are measured now.
    let now = clock.now();
    // The order of calls is the order of precedence.
    reads.sort_unstable_by_key(|(call, _)| *call);
    if selection.is_everything() {
        account.store().retain(|kept| reads.binary_search_by_key(kept, |(call, _)| *call).is_ok());
    }
    let known = Known::of(reads.iter().filter_map(|(_, read)| read.status.facts.as_deref()));
    let included = || reads.iter().filter(|(call, _)| selection.includes(call));

    let unsupported = plan.unsupported.iter().filter(|call| selection.includes(call)).map(|call| (call, None));
    let mut calls: Vec<_> = included().map(|(call, read)| (call, Some(read))).chain(unsupported).collect();
    calls.retain(|(call, _)| selection.reports(call));
    calls.sort_unstable_by_key(|(call, _)| *call);
    let call_results = calls.into_iter().map(|(call, read)| call_result(account, *call, read, now)).collect();
    let up = selection.is_everything().then(|| is_up(account, &reads));
    let shown = included().filter_map(|(_, read)| read.facts.as_deref());
    let mut facts = merge(account, &discovery, &known, selection, shown);
    if reads.iter().any(|(call, read)| names_whitelabels(call.collector) && read.status.is_unknown()) {
        for organization in facts.organizations.values_mut().filter(|it| it.info.lacks_whitelabel_name()) {
            Arc::make_mut(organization).info = OrganizationInfo::default();
        }
    }
    let status = account.status(up, &facts);
    account.report_unit(status.compute_time_unit_mismatch);
    Snapshot { facts, accounts: vec![status], call_results }
}

/// Returns true if the responses of a collector have names of white labels. Until the first one arrives, an organization has
/// no info: its series would get another label.
const fn names_whitelabels(collector: Collector) -> bool {
    matches!(collector, Collector::User | Collector::Whitelabel)
}

/// Merges the latest facts of an account as a scrape does, whatever their age. Makes no call.
#[must_use]
pub fn latest(account: &Account, statuses: &[(Call, CallStatus)]) -> Facts {
    let facts = || statuses.iter().filter_map(|(_, status)| status.facts.as_deref());
    merge(account, &Discovery::latest(account), &Known::of(facts()), &Selection::default(), facts())
}

/// Ids and names of white labels from the latest facts of all calls, whatever their age and selection: what identifies a
/// white label does not change, and a series must not lose its labels because another call fails.
#[derive(Default)]
struct Known<'a> {
    /// Ids of white labels by the id of the owning organization.
    ids: BTreeMap<u64, u64>,
    /// Names of white labels by their ids.
    names: BTreeMap<u64, &'a str>,
}

impl<'a> Known<'a> {
    fn of(facts: impl Iterator<Item = &'a Facts>) -> Self {
        let mut known = Self::default();
        for facts in facts {
            for (owner, whitelabel) in &facts.whitelabels {
                // The list of one white label's organizations has its id.
                let is_list = facts.whitelabels.len() == 1 && facts.own_user.is_none();
                let of_list = facts.organizations.values().find_map(|it| it.info.whitelabel_id);
                known.ids.extend(whitelabel.id.or(of_list.filter(|_| is_list)).map(|id| (*owner, id)));
                known.names.extend(whitelabel.id.zip(whitelabel.name.as_deref()));
            }
            for organization in facts.organizations.values() {
                let info = &organization.info;
                known.names.extend(info.whitelabel_id.zip(info.whitelabel_name.as_deref()));
            }
        }
        known
    }
}

/// Merges facts in the order of precedence.
fn merge<'a>(
    account: &Account,
    discovery: &Discovery,
    known: &Known<'_>,
    selection: &Selection,
    facts: impl Iterator<Item = &'a Facts>,
) -> Facts {
    let mut merged = Facts::default();
    for facts in facts {
        match selection.organization {
            Some(id) => merged.merge(&facts.about(id)),
            None => merged.merge(facts),
        }
    }
    for (owner, whitelabel) in &mut merged.whitelabels {
        whitelabel.id = whitelabel.id.or_else(|| known.ids.get(owner).copied());
    }
    // A white label's list has the id of the white label only, and does not tell developer profiles.
    for organization in merged.organizations.values_mut() {
        if organization.info.developer_profile.is_none() {
            let with_kind = discovery.with_kind(account, organization.id, organization.info.clone());
            // Most organizations are shared with the store.
            if with_kind != organization.info {
                Arc::make_mut(organization).info = with_kind;
            }
        }
        let info = &organization.info;
        let unnamed = info.whitelabel_id.filter(|_| info.lacks_whitelabel_name());
        if let Some(name) = unnamed.and_then(|id| known.names.get(&id)) {
            Arc::make_mut(organization).info.whitelabel_name = Some((*name).to_owned());
        }
    }
    let configured = &account.scope.organizations;
    if !configured.is_empty() {
        merged.organizations.retain(|id, _| configured.contains(id));
        merged.trials.retain(|(id, _), _| configured.contains(id));
        let owners = discovery.owners(account);
        merged.whitelabels.retain(|owner, _| owners.contains(owner));
    }
    merged
}

/// Returns true if at least one call succeeded. Facts of collectors with an interval may be minutes old, so their calls
/// count only if there are no others.
fn is_up(account: &Account, reads: &[(Call, Read)]) -> bool {
    let is_current = |call: &Call| account.interval(call.collector).is_none();
    let has_current = reads.iter().any(|(call, _)| is_current(call));
    reads.iter().any(|(call, read)| read.is_success && (!has_current || is_current(call)))
}

/// Returns the result of a call for the metrics; a call that was not read is not supported.
fn call_result(account: &Account, call: Call, read: Option<&Read>, now: UnixTime) -> CallResult {
    let success = read.is_some_and(|read| read.is_success);
    let status = read.map(|read| &read.status);
    let age = |at: Instant| Instant::now().duration_since(at).as_secs_f64();
    CallResult {
        account: Arc::clone(&account.name),
        collector: call.collector.name(),
        organization_id: call.organization_id,
        user_id: call.user_id,
        success,
        supported: status.is_some_and(|status| !status.is_forbidden()),
        stale: !success && read.is_some_and(|read| read.facts.is_some()),
        duration: status.and_then(|status| status.duration).map(|duration| duration.as_secs_f64()),
        last_success: status.and_then(|status| status.last_success).map(|at| now - age(at)),
    }
}
