//! The calls that a scrape needs.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Account, Discovery};
use crate::config::CredentialKind;
use crate::model::{Call, Collector};

/// Maximum number of organizations that are asked for a user of a white label whose owner is not known. An API key is of
/// one organization.
const MAX_OWNERS: usize = 100;

/// Calls of a scrape: those for the lists, or the others.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Calls to make, in the order in which they are started.
    pub(super) calls: Vec<Call>,
    /// Calls that the kind of the credential or of the organization rules out.
    pub(super) unsupported: Vec<Call>,
}

impl Plan {
    /// Returns the calls for the lists.
    pub(super) fn of_lists(calls: impl IntoIterator<Item = Call>) -> Arc<Self> {
        Arc::new(Self { calls: calls.into_iter().collect(), ..Self::default() })
    }

    /// Returns the calls of all collectors of an account, for what `discovery` has found or for one organization. The
    /// latest plan is used again if it is the same and in use: many scrapes may wait for tens of thousands of calls.
    pub(super) fn new(account: &Account, discovery: &Discovery, organization: Option<u64>) -> Arc<Self> {
        let organizations = match organization {
            Some(id) => BTreeSet::from([id]),
            None => discovery.organizations(account),
        };
        let is_on = |(call, _): &(Call, bool)| account.scope.collectors.contains(&call.collector);
        let calls = || {
            let of_whitelabels = match organization {
                None => of_whitelabels(account, discovery, &organizations),
                // It has the name of the white label, a label of the organization.
                Some(id) => {
                    let owner = discovery.owner_of(id).into_iter();
                    owner.map(|owner| (Call::whitelabel(Collector::Whitelabel, owner), true)).collect()
                }
            };
            let of_organizations = organizations.iter().flat_map(|id| of_organization(account, discovery, *id));
            of_organizations.chain(of_users(account, discovery)).chain(of_whitelabels).filter(is_on)
        };
        let latest = account.state.plan.lock().upgrade();
        if let Some(latest) = latest.filter(|latest| latest.is_of(calls())) {
            return latest;
        }
        let mut plan = Self::default();
        for (call, is_supported) in calls() {
            let list = if is_supported { &mut plan.calls } else { &mut plan.unsupported };
            list.push(call);
        }
        plan.calls.shrink_to_fit();
        let plan = Arc::new(plan);
        if organization.is_none() {
            *account.state.plan.lock() = Arc::downgrade(&plan);
        }
        plan
    }

    /// Returns true if it has these calls and no others.
    fn is_of(&self, mut calls: impl Iterator<Item = (Call, bool)>) -> bool {
        let (mut supported, mut unsupported) = (self.calls.iter(), self.unsupported.iter());
        let mut next = |is_supported| if is_supported { supported.next() } else { unsupported.next() };
        calls.all(|(call, is_supported)| next(is_supported) == Some(&call))
            && next(true).or_else(|| next(false)).is_none()
    }
}

/// Returns the calls about an organization, each with whether it is supported.
fn of_organization(account: &Account, discovery: &Discovery, id: u64) -> Vec<(Call, bool)> {
    if let Some(owner) = discovery.owner_of(id) {
        return vec![(Call::whitelabel_organization(owner, id), true)];
    }
    // The API refuses usage and buckets of developer profiles.
    let is_developer_profile = discovery.info(account, id).developer_profile == Some(true);
    let calls = [
        (Collector::Organization, true),
        (Collector::Pipelines, true),
        (Collector::Usage, !is_developer_profile),
        (Collector::Buckets, !is_developer_profile),
        (Collector::Jobs, true),
        (Collector::FinishedJobs, true),
        (Collector::TransformationJobs, true),
    ];
    // Without a JWT, the answer is an empty list, whatever keys there are.
    let keys = (account.kind() == CredentialKind::Jwt).then_some((Collector::ApiKeys, true));
    let calls = calls.into_iter().chain(keys);
    calls.map(|(collector, is_supported)| (Call::of_organization(collector, id), is_supported)).collect()
}

fn of_users(account: &Account, discovery: &Discovery) -> Vec<(Call, bool)> {
    let scope = &account.scope;
    let is_jwt = account.kind() == CredentialKind::Jwt;
    let users: BTreeSet<u64> = scope.users.iter().copied().chain(discovery.own_user()).collect();
    let trials = users.iter().map(|id| (Call::of_user(Collector::Trials, *id), is_jwt));
    let organizations = scope.users.iter().map(|id| (Call::of_user(Collector::UserOrganizations, *id), is_jwt));
    let plan = discovery.own_user().map(|id| (Call::of_user(Collector::Plan, id), true));
    let mut calls: Vec<_> = trials.chain(organizations).chain(plan).collect();
    if !is_jwt {
        let trials = users.is_empty().then_some(Call::of(Collector::Trials));
        let others = [Call::user(), Call::of(Collector::Plan), Call::of(Collector::ApiKeys)];
        calls.extend(others.into_iter().chain(trials).map(|call| (call, false)));
    }
    calls
}

fn of_whitelabels(
    account: &Account,
    discovery: &Discovery,
    organizations: &BTreeSet<u64>,
) -> Vec<(Call, bool)> {
    let owners = discovery.owners(account);
    let collectors = [Collector::Whitelabel, Collector::WhitelabelUsers, Collector::WhitelabelActivity];
    let of_owner = |owner| collectors.map(|collector| (Call::whitelabel(collector, owner), true));
    let mut calls: Vec<_> = owners.iter().copied().flat_map(of_owner).collect();
    // With an API key, the owner of a configured user's white label may be the key's own organization.
    let owners =
        if owners.is_empty() && account.kind() == CredentialKind::ApiKey { organizations } else { &owners };
    for user in &account.scope.whitelabel_users {
        if owners.is_empty() {
            calls.push((Call::of_user(Collector::WhitelabelUser, *user), false));
        }
        let owners = owners.iter().take(MAX_OWNERS);
        calls.extend(owners.map(|owner| (Call::whitelabel_user(*owner, *user), true)));
    }
    calls
}
