//! The organizations that an account sees, from the lists that are read before everything else.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::time::Instant;

use super::plan::Plan;
use super::store::{Asked, CallStatus};
use super::{Account, Scope};
use crate::config::CredentialKind;
use crate::model::{Call, Collector, Facts, OrganizationInfo};

/// What an account's lists report.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Facts of the credential's own list, if it was ever read.
    own: Option<Arc<Facts>>,
    /// Facts of each white label's list of organizations, with the organization that owns the white label.
    portfolios: Vec<(u64, Arc<Facts>)>,
    /// True if every list was read at least once, or is denied to the credential.
    pub is_complete: bool,
}

impl Discovery {
    /// Reads the lists until `deadline`, and returns those calls that may still be running. A list that was read before
    /// delays the other calls at most until half of the time has passed: then its latest facts are used.
    pub async fn read(account: &Arc<Account>, deadline: Instant) -> (Self, Vec<Asked>) {
        let mut discovery = Self { is_complete: true, ..Self::default() };
        let own = discovery.read_lists(account, own_list(account).as_slice(), deadline).await;
        let owners = discovery.owners(account);
        let portfolios = discovery.read_lists(account, &portfolio_lists(account, &owners), deadline).await;
        (discovery, vec![own, portfolios])
    }

    /// Asks for lists, waits and reads them.
    async fn read_lists(&mut self, account: &Arc<Account>, lists: &[Call], deadline: Instant) -> Asked {
        let is_known = lists.iter().all(|call| account.store().last_success(call).is_some());
        let asked = account.ask(Plan::of_lists(lists.iter().copied()), |_| true);
        account.store().wait(&asked, if is_known { midway(deadline) } else { deadline }).await;
        for (call, status) in account.store().peek(&asked) {
            self.add(call, &status);
        }
        asked
    }

    /// Returns what the latest lists in the store report, without calls.
    #[must_use]
    pub fn latest(account: &Account) -> Self {
        let mut discovery = Self { is_complete: true, ..Self::default() };
        let status = |call: &Call| account.store().status(call).unwrap_or_default();
        if let Some(call) = own_list(account) {
            discovery.add(call, &status(&call));
        }
        for call in portfolio_lists(account, &discovery.owners(account)) {
            discovery.add(call, &status(&call));
        }
        discovery
    }

    fn add(&mut self, call: Call, status: &CallStatus) {
        self.is_complete &= status.facts.is_some() || status.is_denied();
        let Some(facts) = &status.facts else { return };
        match call.owner {
            Some(owner) => self.portfolios.push((owner, Arc::clone(facts))),
            None => self.own = Some(Arc::clone(facts)),
        }
    }

    /// Returns the organizations that own a white label which the account administers: the configured ones, else those
    /// of the JWT's user.
    #[must_use]
    pub fn owners(&self, account: &Account) -> BTreeSet<u64> {
        let Scope { organizations, whitelabel_organizations: configured, .. } = &account.scope;
        let is_read = |owner: &&u64| organizations.is_empty() || organizations.contains(owner);
        match (&self.own, account.kind()) {
            (Some(own), CredentialKind::Jwt) if configured.is_empty() => {
                own.whitelabels.keys().filter(is_read).copied().collect()
            }
            _ => configured.clone(),
        }
    }

    /// Returns the user of the credential.
    #[must_use]
    pub fn own_user(&self) -> Option<u64> {
        self.own.as_ref()?.own_user
    }

    /// Returns the organizations that the account reads: the configured ones, else all that it sees.
    #[must_use]
    pub fn organizations(&self, account: &Account) -> BTreeSet<u64> {
        let configured = &account.scope.organizations;
        if !configured.is_empty() {
            return configured.clone();
        }
        self.lists().flat_map(|facts| facts.organizations.keys().copied()).collect()
    }

    /// Returns true if the account reads that organization.
    #[must_use]
    pub fn sees(&self, account: &Account, id: u64) -> bool {
        let configured = &account.scope.organizations;
        let is_listed = || self.lists().any(|facts| facts.organizations.contains_key(&id));
        configured.contains(&id) || (configured.is_empty() && is_listed())
    }

    /// Returns the organizations of all white labels, each with the organization that owns the white label.
    pub fn portfolio(&self) -> impl Iterator<Item = (u64, u64)> {
        let of_one = |(owner, facts): &'_ (u64, Arc<Facts>)| {
            facts.organizations.keys().map(|id| (*owner, *id)).collect::<Vec<_>>()
        };
        self.portfolios.iter().flat_map(of_one)
    }

    /// Returns name and kind of an organization, as far as they are known.
    #[must_use]
    pub fn info(&self, account: &Account, id: u64) -> OrganizationInfo {
        let found = self.lists().filter_map(|facts| facts.organizations.get(&id));
        let info = found.map(|organization| organization.info.clone()).reduce(OrganizationInfo::or);
        self.with_kind(account, id, info.unwrap_or_default())
    }

    /// Completes name and kind of an organization. The list of a white label has developer profiles too, and does not say
    /// so: the organization's own records tell, however old they are. Until they are read, there is no name, which could
    /// be that of a person.
    pub(super) fn with_kind(&self, account: &Account, id: u64, info: OrganizationInfo) -> OrganizationInfo {
        let is_on = account.scope.collectors.contains(&Collector::WhitelabelOrganization);
        let Some(owner) = self.owner_of(id).filter(|_| is_on && info.developer_profile.is_none()) else {
            return info;
        };
        let status = account.store().status(&Call::whitelabel_organization(owner, id));
        match status.and_then(|status| status.facts) {
            Some(facts) => match facts.organizations.get(&id) {
                Some(organization) => info.or(organization.info.clone()),
                None => info,
            },
            None => OrganizationInfo { name: None, ..info },
        }
    }

    /// Returns the owner of the white label through which an organization is read, if the credential is not its member.
    #[must_use]
    pub fn owner_of(&self, id: u64) -> Option<u64> {
        let is_member = self.own.as_ref().is_some_and(|own| own.organizations.contains_key(&id))
            || self.portfolios.iter().any(|(owner, _)| *owner == id);
        let has = |facts: &Facts| facts.organizations.contains_key(&id);
        self.portfolios.iter().find(|(_, facts)| !is_member && has(facts)).map(|(owner, _)| *owner)
    }

    fn lists(&self) -> impl Iterator<Item = &Facts> {
        self.own.iter().chain(self.portfolios.iter().map(|(_, facts)| facts)).map(|facts| &**facts)
    }
}

/// Returns the call for the credential's own list, if it is needed.
fn own_list(account: &Account) -> Option<Call> {
    let scope = &account.scope;
    // The list of an API key has nothing but the organizations.
    if account.kind() == CredentialKind::ApiKey && !scope.organizations.is_empty() {
        return None;
    }
    let collector = Scope::discovery(account.kind());
    scope.collectors.contains(&collector).then_some(Call::of(collector))
}

/// Returns the calls for the lists of white labels.
fn portfolio_lists(account: &Account, owners: &BTreeSet<u64>) -> Vec<Call> {
    let collector = Collector::WhitelabelOrganizations;
    let is_on = account.scope.collectors.contains(&collector);
    owners.iter().filter(|_| is_on).map(|owner| Call::whitelabel(collector, *owner)).collect()
}

fn midway(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}
