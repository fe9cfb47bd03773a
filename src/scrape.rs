//! One scrape: what to ask, asked at once, merged. It reports failure and never returns it.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{join, join_all};
use tokio::time::{Instant, timeout_at};

use crate::account::{Account, Scope};
use crate::api::Error;
use crate::cell::Reading;
use crate::collector::{Call, Collector};
use crate::credential::Kind;
use crate::snapshot::{AccountState, Collection, Facts, Snapshot, UnixTime};

/// The calls of one account in one scrape, and what they gave.
type Readings = Vec<(Call, Reading<Facts, Error>)>;

/// Reads every account until `deadline`, and merges what arrived; `now` is the time of the scrape.
pub async fn collect(accounts: &[Arc<Account>], deadline: Instant, now: UnixTime) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (facts, state, collections) in
        join_all(accounts.iter().map(|account| read(account, deadline, now))).await
    {
        snapshot.facts.merge(&facts);
        snapshot.accounts.push(state);
        snapshot.collections.extend(collections);
    }
    snapshot
}

async fn read(
    account: &Arc<Account>,
    deadline: Instant,
    now: UnixTime,
) -> (Facts, AccountState, Vec<Collection>) {
    account.refresh_credential();
    let discovery = discovery(account);
    let mut readings = Readings::new();
    let mut discovered = discovery.and_then(|call| account.known(&call));

    let mut reading = pin!(async {
        match discovery {
            Some(call) => Some((call, account.read(call, deadline).await)),
            None => None,
        }
    });
    // A list that was read before lets the rest begin without waiting for a slow discovery to the end.
    let patience = if discovered.is_some() { midway(deadline) } else { deadline };
    let arrived = timeout_at(patience, &mut reading).await.ok();
    if let Some(Some((_, reading))) = &arrived {
        discovered.clone_from(&reading.history.last_good);
    }
    let plan = Plan::new(account, discovered.as_deref().unwrap_or(&Facts::default()));
    let rest = join_all(plan.calls.iter().map(async |call| (*call, account.read(*call, deadline).await)));
    if let Some(arrived) = arrived {
        readings.extend(arrived);
        readings.extend(rest.await);
    } else {
        let (rest, reading) = join(rest, reading).await;
        readings.extend(reading);
        readings.extend(rest);
    }
    account.retain(&readings.iter().map(|(call, _)| *call).collect());

    // The order of calls is the order of precedence.
    readings.sort_by_key(|(call, _)| *call);
    let mut collections: Vec<_> = readings
        .iter()
        .map(|(call, reading)| (*call, collection(account, *call, Some(reading), now)))
        .chain(plan.unsupported.iter().map(|call| (*call, collection(account, *call, None, now))))
        .collect();
    collections.sort_by_key(|(call, _)| *call);
    let collections = collections.into_iter().map(|(_, collection)| collection).collect();
    (merge(account, &readings), account.state(is_up(&readings)), collections)
}

/// Merges what is to be shown of the readings, in their order.
fn merge(account: &Account, readings: &Readings) -> Facts {
    let mut facts = Facts::default();
    for value in readings.iter().filter_map(|(_, reading)| reading.value.as_ref()) {
        facts.merge(value);
    }
    let asked_for = &account.scope.organizations;
    if !asked_for.is_empty() {
        facts.organizations.retain(|id, _| asked_for.contains(id));
        facts.trials.retain(|(id, _), _| asked_for.contains(id));
    }
    facts
}

/// Tells whether anything could be read now. The list of organizations may be minutes old: it says nothing of now,
/// unless there is nothing else.
fn is_up(readings: &Readings) -> bool {
    let is_list = |call: &Call| call.collector == Collector::Organizations;
    let only_list = readings.iter().all(|(call, _)| is_list(call));
    readings.iter().any(|(call, reading)| reading.is_success && (only_list || !is_list(call)))
}

/// Returns the call that tells which organizations there are, if one is needed.
fn discovery(account: &Account) -> Option<Call> {
    let scope = &account.scope;
    // For an API key it gives nothing but the list.
    if account.kind() == Kind::ApiKey && !scope.organizations.is_empty() {
        return None;
    }
    let collector = Scope::discovery(account.kind());
    scope.collectors.contains(&collector).then_some(Call::of(collector))
}

/// The calls of a scrape after discovery.
struct Plan {
    calls: BTreeSet<Call>,
    /// Calls that are not made, because the kind of credential or of organization rules them out.
    unsupported: BTreeSet<Call>,
}

impl Plan {
    fn new(account: &Account, discovered: &Facts) -> Self {
        let scope = &account.scope;
        let is_jwt = account.kind() == Kind::Jwt;
        let mut plan = Self { calls: BTreeSet::new(), unsupported: BTreeSet::new() };

        let organizations: BTreeSet<u64> = match scope.organizations.is_empty() {
            true => discovered.organizations.keys().copied().collect(),
            false => scope.organizations.clone(),
        };
        for id in &organizations {
            plan.add(Call::of_organization(Collector::Organization, *id), true);
            let info = discovered.organizations.get(id).map(|organization| &organization.info);
            // The API refuses to count the usage of a developer profile.
            let is_developer_profile = info.and_then(|info| info.developer_profile) == Some(true);
            plan.add(Call::of_organization(Collector::Usage, *id), !is_developer_profile);
        }

        let users: BTreeSet<u64> = scope.users.iter().copied().chain(discovered.own_user).collect();
        for id in &users {
            plan.add(Call::of_user(Collector::Trials, *id), is_jwt);
        }
        for id in &scope.users {
            plan.add(Call::of_user(Collector::UserOrganizations, *id), is_jwt);
        }
        if !is_jwt {
            plan.add(Call::user(), false);
            if users.is_empty() {
                plan.add(Call::of(Collector::Trials), false);
            }
        }

        let owners: BTreeSet<u64> = if !scope.whitelabel_organizations.is_empty() {
            scope.whitelabel_organizations.clone()
        } else if is_jwt {
            discovered.whitelabels.keys().copied().collect()
        } else {
            organizations
        };
        if owners.is_empty() {
            for user in &scope.whitelabel_users {
                plan.add(Call::of_user(Collector::WhitelabelUser, *user), false);
            }
        }
        for owner in &owners {
            for user in &scope.whitelabel_users {
                plan.add(Call::whitelabel_user(*owner, *user), true);
            }
        }
        plan.calls.retain(|call| scope.collectors.contains(&call.collector));
        plan.unsupported.retain(|call| scope.collectors.contains(&call.collector));
        plan
    }

    fn add(&mut self, call: Call, supported: bool) {
        if supported {
            self.calls.insert(call)
        } else {
            self.unsupported.insert(call)
        };
    }
}

/// Says how a call went; one without a reading is unsupported.
fn collection(
    account: &Account,
    call: Call,
    reading: Option<&Reading<Facts, Error>>,
    now: UnixTime,
) -> Collection {
    let success = reading.is_some_and(|reading| reading.is_success);
    let age = |at: Instant| Instant::now().duration_since(at).as_secs_f64();
    Collection {
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

fn midway(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}
