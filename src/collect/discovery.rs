//! Which organizations an account sees: the lists that it reads before anything else.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::{Account, Scope};
use crate::api::Error;
use crate::collect::store::Reading;
use crate::config::CredentialKind;
use crate::model::{Call, Collector};
use crate::model::{Facts, Organization};

/// Calls of one account, and what they gave.
pub type Readings = Vec<(Call, Reading<Facts, Error>)>;

/// Lists whose answers are still on their way when the rest begins.
pub type Pending = Vec<Pin<Box<dyn Future<Output = Readings> + Send>>>;

/// What an account's lists say.
#[derive(Debug, Default)]
pub struct Discovery {
    /// What the credential itself sees, if that was asked for and answered at least once.
    own: Option<Arc<Facts>>,
    /// The white labels by the organization that owns them, each with its list of organizations.
    portfolios: Vec<(u64, Arc<Facts>)>,
    /// Whether every list was read at least once, or is not there for this credential.
    pub is_complete: bool,
}

impl Discovery {
    /// Reads the lists. Of those that were read before, what is known serves if the answer takes long; it comes with
    /// the pending ones then.
    pub async fn read(account: &Arc<Account>, deadline: Instant) -> (Self, Readings, Pending) {
        let (mut readings, mut pending) = (Readings::new(), Pending::new());
        let own_list = own_list(account);
        stage(account, own_list.into_iter().collect(), deadline, &mut readings, &mut pending).await;
        let owners = Self::known(account).owners(account);
        stage(account, portfolio_lists(account, &owners), deadline, &mut readings, &mut pending).await;
        (Self::known(account), readings, pending)
    }

    /// Returns what was read before, without asking.
    #[must_use]
    pub fn known(account: &Account) -> Self {
        let mut discovery = Self { is_complete: true, ..Self::default() };
        let mut known = |call: Call| {
            let facts = account.known(&call);
            discovery.is_complete &= facts.is_some() || account.is_denied(&call);
            facts
        };
        let own = own_list(account).and_then(&mut known);
        let owners = Self { own: own.clone(), ..Self::default() }.owners(account);
        let lists = portfolio_lists(account, &owners).into_iter();
        let portfolios = lists.filter_map(|call| Some((call.owner?, known(call)?))).collect();
        Self { own, portfolios, ..discovery }
    }

    /// Returns the organizations that own a white label which the account administers: those that it was told, else
    /// of those that it reads the ones that the credential's user administers.
    #[must_use]
    pub fn owners(&self, account: &Account) -> BTreeSet<u64> {
        let Scope { organizations, whitelabel_organizations: named, .. } = &account.scope;
        let is_read = |owner: &&u64| organizations.is_empty() || organizations.contains(owner);
        match (&self.own, account.kind()) {
            (Some(own), CredentialKind::Jwt) if named.is_empty() => {
                own.whitelabels.keys().filter(is_read).copied().collect()
            }
            _ => named.clone(),
        }
    }

    /// Returns the user that the credential belongs to.
    #[must_use]
    pub fn own_user(&self) -> Option<u64> {
        self.own.as_ref()?.own_user
    }

    /// Returns the organizations that the account reads: those that it was told, else all that it sees.
    #[must_use]
    pub fn organizations(&self, account: &Account) -> BTreeSet<u64> {
        let named = &account.scope.organizations;
        if !named.is_empty() {
            return named.clone();
        }
        self.lists().flat_map(|facts| facts.organizations.keys().copied()).collect()
    }

    /// Tells whether the account reads that organization.
    #[must_use]
    pub fn sees(&self, account: &Account, id: u64) -> bool {
        let named = &account.scope.organizations;
        named.contains(&id) || (named.is_empty() && self.find(id).is_some())
    }

    /// Returns every organization of a white label, after the one that owns the white label.
    pub fn portfolio(&self) -> impl Iterator<Item = (u64, u64)> {
        let ids = |(owner, facts): &(u64, Arc<Facts>)| {
            let owner = *owner;
            facts.organizations.keys().map(move |id| (owner, *id)).collect::<Vec<_>>()
        };
        self.portfolios.iter().flat_map(ids)
    }

    /// Returns what the lists say of an organization.
    #[must_use]
    pub fn find(&self, id: u64) -> Option<Organization> {
        let found = self.lists().filter_map(|facts| facts.organizations.get(&id));
        found.map(|organization| Organization::clone(organization)).reduce(Organization::or)
    }

    /// Returns the organization whose white label alone sees that one, because the credential is not its member.
    #[must_use]
    pub fn owner_of(&self, id: u64) -> Option<u64> {
        let is_member = self.own.as_ref().is_some_and(|own| own.organizations.contains_key(&id))
            || self.portfolios.iter().any(|(owner, _)| *owner == id);
        let has = |facts: &Facts| facts.organizations.contains_key(&id);
        self.portfolios.iter().find(|(_, facts)| !is_member && has(facts)).map(|(owner, _)| *owner)
    }

    /// Returns the name of a white label that the credential's user administers.
    #[must_use]
    pub fn whitelabel_name(&self, id: u64) -> Option<&str> {
        let mut known = self.own.as_ref()?.whitelabels.values();
        known.find(|whitelabel| whitelabel.id == Some(id))?.name.as_deref()
    }

    fn lists(&self) -> impl Iterator<Item = &Facts> {
        self.own.iter().chain(self.portfolios.iter().map(|(_, facts)| facts)).map(|facts| &**facts)
    }
}

/// Returns the call that tells what the credential sees, if that has to be asked.
fn own_list(account: &Account) -> Option<Call> {
    let scope = &account.scope;
    // For an API key it gives nothing but the list.
    if account.kind() == CredentialKind::ApiKey && !scope.organizations.is_empty() {
        return None;
    }
    let collector = Scope::discovery(account.kind());
    scope.collectors.contains(&collector).then_some(Call::of(collector))
}

/// Returns the calls for the lists of the white labels.
fn portfolio_lists(account: &Account, owners: &BTreeSet<u64>) -> Vec<Call> {
    let collector = Collector::WhitelabelOrganizations;
    let is_on = account.scope.collectors.contains(&collector);
    owners.iter().filter(|_| is_on).map(|owner| Call::whitelabel(collector, *owner)).collect()
}

/// Reads lists that do not depend on each other.
async fn stage(
    account: &Arc<Account>,
    calls: Vec<Call>,
    deadline: Instant,
    readings: &mut Readings,
    pending: &mut Pending,
) {
    // A list that was read before lets the rest begin without waiting for a slow answer to the end.
    let is_known = calls.iter().all(|call| account.known(call).is_some());
    let patience = if is_known { midway(deadline) } else { deadline };
    let account = Arc::clone(account);
    let mut reading: Pin<Box<dyn Future<Output = Readings> + Send>> = Box::pin(async move {
        join_all(calls.into_iter().map(async |call| (call, account.read(call, deadline).await))).await
    });
    match timeout_at(patience, &mut reading).await {
        Ok(arrived) => readings.extend(arrived),
        Err(_) => pending.push(reading),
    }
}

fn midway(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}
