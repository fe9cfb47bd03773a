//! One scrape: what to ask, asked at once, merged. It reports failure and never returns it.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::{join, join_all};
use tokio::time::Instant;

use crate::api::Error;
use crate::collect::account::Account;
use crate::collect::discovery::{Discovery, Readings};
use crate::collect::store::{History, Reading};
use crate::config::CredentialKind;
use crate::model::{AccountStatus, CallResult, Facts, Snapshot, UnixTime};
use crate::model::{Call, Collector};

/// What a scrape is to read.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these collectors.
    pub collectors: Option<BTreeSet<Collector>>,
    /// Only this organization.
    pub organization: Option<u64>,
}

impl Selection {
    /// Tells whether nothing is left out.
    pub(crate) const fn is_everything(&self) -> bool {
        self.collectors.is_none() && self.organization.is_none()
    }

    fn has(&self, call: &Call) -> bool {
        self.collectors.as_ref().is_none_or(|collectors| collectors.contains(&call.collector))
    }

    /// Tells whether `call` is to be reported: of one organization's scrape, what is about it.
    fn reports(&self, call: &Call) -> bool {
        self.has(call)
            && self
                .organization
                .is_none_or(|id| call.organization_id == Some(id) && call.collector.is_per_organization())
    }
}

/// Reads `accounts` until `deadline`, and merges what arrived; `now` is the time of the scrape.
pub async fn collect(
    accounts: &[Arc<Account>],
    selection: &Selection,
    deadline: Instant,
    now: UnixTime,
) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (facts, state, call_results) in
        join_all(accounts.iter().map(|account| read(account, selection, deadline, now))).await
    {
        snapshot.facts.merge(&facts);
        snapshot.accounts.push(state);
        snapshot.call_results.extend(call_results);
    }
    snapshot
}

async fn read(
    account: &Arc<Account>,
    selection: &Selection,
    deadline: Instant,
    now: UnixTime,
) -> (Facts, AccountStatus, Vec<CallResult>) {
    if selection.collectors.as_ref().is_some_and(BTreeSet::is_empty) {
        return (Facts::default(), account.state(None), Vec::new());
    }
    account.refresh_credential();
    let (discovery, mut readings, pending) = Discovery::read(account, deadline).await;
    let Plan { calls, unsupported } = Plan::new(account, &discovery, selection);
    let rest = join_all(calls.into_iter().map(async |call| (call, account.read(call, deadline).await)));
    let (rest, late_lists) = join(rest, join_all(pending)).await;
    readings.extend(rest);
    readings.extend(late_lists.into_iter().flatten());
    if selection.organization.is_none() && selection.collectors.is_none() {
        account.retain(&readings.iter().map(|(call, _)| *call).collect());
    }

    // The order of calls is the order of precedence.
    readings.sort_by_key(|(call, _)| *call);
    readings.retain(|(call, _)| selection.has(call));
    let mut call_results: Vec<_> = readings
        .iter()
        .map(|(call, reading)| (*call, collection(account, *call, Some(reading), now)))
        .chain(unsupported.iter().map(|call| (*call, collection(account, *call, None, now))))
        .filter(|(call, _)| selection.reports(call))
        .collect();
    call_results.sort_by_key(|(call, _)| *call);
    let call_results = call_results.into_iter().map(|(_, collection)| collection).collect();
    let up = selection.organization.is_none().then(|| is_up(account, &readings));
    let shown = readings.iter().filter_map(|(_, reading)| reading.value.as_deref());
    (merge(account, &discovery, selection, shown), account.state(up), call_results)
}

/// Merges the last good answers of an account as a scrape does, however old they are. Nothing is asked.
pub(crate) fn known(account: &Account, histories: &[(Call, History<Facts, Error>)]) -> Facts {
    let answers = histories.iter().filter_map(|(_, history)| history.last_good.as_deref());
    merge(account, &Discovery::known(account), &Selection::default(), answers)
}

/// Merges answers, of which an earlier one is believed.
fn merge<'a>(
    account: &Account,
    discovery: &Discovery,
    selection: &Selection,
    answers: impl Iterator<Item = &'a Facts>,
) -> Facts {
    let mut facts = Facts::default();
    for value in answers {
        match selection.organization {
            Some(id) => facts.merge(&value.about(id)),
            None => facts.merge(value),
        }
    }
    // A white label's list has its id alone; its name is the user's to know.
    for organization in facts.organizations.values_mut() {
        let info = &organization.info;
        let unnamed = info.whitelabel_id.filter(|_| info.whitelabel_name.is_none());
        if let Some(name) = unnamed.and_then(|id| discovery.whitelabel_name(id)) {
            Arc::make_mut(organization).info.whitelabel_name = Some(name.to_owned());
        }
    }
    let asked_for = &account.scope.organizations;
    if !asked_for.is_empty() {
        facts.organizations.retain(|id, _| asked_for.contains(id));
        facts.trials.retain(|(id, _), _| asked_for.contains(id));
        let owners = discovery.owners(account);
        facts.whitelabels.retain(|owner, _| owners.contains(owner));
    }
    facts
}

/// Tells whether anything could be read now. What has an interval may be minutes old: it says nothing of now, unless
/// there is nothing else.
fn is_up(account: &Account, readings: &Readings) -> bool {
    let is_of_now = |call: &Call| account.interval(call.collector).is_none();
    let only_old = !readings.iter().any(|(call, _)| is_of_now(call));
    readings.iter().any(|(call, reading)| reading.is_success && (only_old || is_of_now(call)))
}

/// The calls of a scrape after discovery.
struct Plan {
    calls: Vec<Call>,
    /// Calls that are not made, because the kind of credential or of organization rules them out.
    unsupported: BTreeSet<Call>,
}

impl Plan {
    fn new(account: &Account, discovery: &Discovery, selection: &Selection) -> Self {
        let scope = &account.scope;
        let mut plan = Self { calls: Vec::new(), unsupported: BTreeSet::new() };
        let organizations = match selection.organization {
            Some(id) => BTreeSet::from([id]),
            None => discovery.organizations(account),
        };
        for id in &organizations {
            plan.add_organization(*id, discovery);
        }
        plan.add_users(account, discovery);
        if selection.organization.is_none() {
            plan.add_whitelabels(account, discovery, organizations);
        }
        let is_wanted = |call: &Call| scope.collectors.contains(&call.collector) && selection.has(call);
        plan.calls.retain(is_wanted);
        plan.unsupported.retain(is_wanted);
        // Where not all can be asked at once, it is the turn of those that waited longest.
        let is_spread =
            |call: &Call| call.collector.is_per_organization() && account.interval(call.collector).is_some();
        if plan.calls.iter().any(is_spread) {
            plan.calls.sort_by_cached_key(|call| is_spread(call).then(|| account.last_read(call)));
        }
        plan
    }

    fn add_organization(&mut self, id: u64, discovery: &Discovery) {
        if let Some(owner) = discovery.owner_of(id) {
            self.add(Call::whitelabel_organization(owner, id), true);
            return;
        }
        self.add(Call::of_organization(Collector::Organization, id), true);
        let known = discovery.find(id);
        // The API refuses to count the usage of a developer profile.
        let is_developer_profile =
            known.and_then(|organization| organization.info.developer_profile) == Some(true);
        self.add(Call::of_organization(Collector::Usage, id), !is_developer_profile);
    }

    fn add_users(&mut self, account: &Account, discovery: &Discovery) {
        let scope = &account.scope;
        let is_jwt = account.kind() == CredentialKind::Jwt;
        let users: BTreeSet<u64> = scope.users.iter().copied().chain(discovery.own_user()).collect();
        for id in &users {
            self.add(Call::of_user(Collector::Trials, *id), is_jwt);
        }
        for id in &scope.users {
            self.add(Call::of_user(Collector::UserOrganizations, *id), is_jwt);
        }
        if !is_jwt {
            self.add(Call::user(), false);
            if users.is_empty() {
                self.add(Call::of(Collector::Trials), false);
            }
        }
    }

    fn add_whitelabels(&mut self, account: &Account, discovery: &Discovery, organizations: BTreeSet<u64>) {
        let owners = discovery.owners(account);
        for owner in &owners {
            self.add(Call::whitelabel(Collector::Whitelabel, *owner), true);
            self.add(Call::whitelabel(Collector::WhitelabelUsers, *owner), true);
        }
        // Whoever names a user of a white label, and no owner, may mean an organization of their own.
        let owners =
            if owners.is_empty() && account.kind() == CredentialKind::ApiKey { organizations } else { owners };
        for user in &account.scope.whitelabel_users {
            if owners.is_empty() {
                self.add(Call::of_user(Collector::WhitelabelUser, *user), false);
            }
            for owner in &owners {
                self.add(Call::whitelabel_user(*owner, *user), true);
            }
        }
    }

    fn add(&mut self, call: Call, supported: bool) {
        if supported {
            self.calls.push(call);
        } else {
            self.unsupported.insert(call);
        }
    }
}

/// Says how a call went; one without a reading is unsupported.
fn collection(
    account: &Account,
    call: Call,
    reading: Option<&Reading<Facts, Error>>,
    now: UnixTime,
) -> CallResult {
    let success = reading.is_some_and(|reading| reading.is_success);
    let age = |at: Instant| Instant::now().duration_since(at).as_secs_f64();
    CallResult {
        account: Arc::clone(&account.name),
        collector: call.collector.name(),
        organization_id: call.organization_id,
        user_id: call.user_id,
        success,
        supported: reading.is_some_and(|reading| !matches!(reading.error, Some(Error::Forbidden(_)))),
        stale: !success && reading.is_some_and(|reading| reading.value.is_some()),
        duration: reading.and_then(|reading| reading.history.duration).map(|duration| duration.as_secs_f64()),
        last_success: reading.and_then(|reading| reading.history.last_good_at).map(|at| now - age(at)),
    }
}
