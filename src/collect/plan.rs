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
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Calls to make, in the order in which they are started.
    pub(super) calls: Vec<Call>,
    /// Calls that the kind of the credential or of the organization rules out.
    pub(super) unsupported: BTreeSet<Call>,
}

impl Plan {
    /// Returns the calls for the lists.
    pub(super) fn of_lists(calls: impl IntoIterator<Item = Call>) -> Arc<Self> {
        Arc::new(Self { calls: calls.into_iter().collect(), ..Self::default() })
    }

    /// Returns the calls of all collectors of an account, for what `discovery` has found or for one organization.
    pub(super) fn new(account: &Account, discovery: &Discovery, organization: Option<u64>) -> Arc<Self> {
        let mut plan = Self::default();
        let organizations = match organization {
            Some(id) => BTreeSet::from([id]),
            None => discovery.organizations(account),
        };
        for id in &organizations {
            plan.add_organization(*id, account, discovery);
        }
        plan.add_users(account, discovery);
        match organization {
            None => plan.add_whitelabels(account, discovery, &organizations),
            // It has the name of the white label, a label of the organization.
            Some(id) => {
                let owner = discovery.owner_of(id);
                plan.calls.extend(owner.map(|owner| Call::whitelabel(Collector::Whitelabel, owner)));
            }
        }
        let is_on = |call: &Call| account.scope.collectors.contains(&call.collector);
        plan.calls.retain(is_on);
        plan.unsupported.retain(is_on);
        if organization.is_some() { Arc::new(plan) } else { account.share(plan) }
    }

    fn add_organization(&mut self, id: u64, account: &Account, discovery: &Discovery) {
        if let Some(owner) = discovery.owner_of(id) {
            self.add(Call::whitelabel_organization(owner, id), true);
            return;
        }
        self.add(Call::of_organization(Collector::Organization, id), true);
        self.add(Call::of_organization(Collector::Pipelines, id), true);
        // The API refuses usage and buckets of developer profiles.
        let is_developer_profile = discovery.info(account, id).developer_profile == Some(true);
        self.add(Call::of_organization(Collector::Usage, id), !is_developer_profile);
        self.add(Call::of_organization(Collector::Buckets, id), !is_developer_profile);
        for collector in [Collector::Jobs, Collector::FinishedJobs, Collector::TransformationJobs] {
            self.add(Call::of_organization(collector, id), true);
        }
        // Without a JWT, the answer is an empty list, whatever keys there are.
        if account.kind() == CredentialKind::Jwt {
            self.add(Call::of_organization(Collector::ApiKeys, id), true);
        }
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
        if let Some(id) = discovery.own_user() {
            self.add(Call::of_user(Collector::Plan, id), true);
        }
        if !is_jwt {
            self.add(Call::user(), false);
            self.add(Call::of(Collector::Plan), false);
            self.add(Call::of(Collector::ApiKeys), false);
            if users.is_empty() {
                self.add(Call::of(Collector::Trials), false);
            }
        }
    }

    fn add_whitelabels(&mut self, account: &Account, discovery: &Discovery, organizations: &BTreeSet<u64>) {
        let owners = discovery.owners(account);
        for owner in &owners {
            self.add(Call::whitelabel(Collector::Whitelabel, *owner), true);
            self.add(Call::whitelabel(Collector::WhitelabelUsers, *owner), true);
            self.add(Call::whitelabel(Collector::WhitelabelActivity, *owner), true);
        }
        // With an API key, the owner of a configured user's white label may be the key's own organization.
        let owners =
            if owners.is_empty() && account.kind() == CredentialKind::ApiKey { organizations } else { &owners };
        for user in &account.scope.whitelabel_users {
            if owners.is_empty() {
                self.add(Call::of_user(Collector::WhitelabelUser, *user), false);
            }
            for owner in owners.iter().take(MAX_OWNERS) {
                self.add(Call::whitelabel_user(*owner, *user), true);
            }
        }
    }

    fn add(&mut self, call: Call, is_supported: bool) {
        if is_supported {
            self.calls.push(call);
        } else {
            self.unsupported.insert(call);
        }
    }
}
