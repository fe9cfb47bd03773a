//! What has daily records: an organization or a user.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use super::{Export, Sources};
use crate::collect::account::Account;
use crate::collect::exporter::MAX_SCRAPE_TIME;
use crate::collect::{Discovery, Exporter};
use crate::config::CredentialKind;
use crate::model::{Call, Collector, DailyRecord, Facts};

/// An organization or a user of a white label. Entities are processed in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entity {
    /// An organization, by id.
    Organization(u64),
    /// A user, by id.
    User(u64),
}

impl Entity {
    pub(super) fn file_name(self) -> String {
        match self {
            Self::Organization(id) => format!("organization-{id}.om"),
            Self::User(id) => format!("user-{id}.om"),
        }
    }

    /// Returns the daily records among the facts of a response.
    pub(super) fn days(self, facts: &Facts) -> Option<&[DailyRecord]> {
        let days = match self {
            Self::Organization(id) => &facts.organizations.get(&id)?.days,
            Self::User(id) => &facts.users.get(&id)?.days,
        };
        days.as_ref().map(|days| days.as_slice())
    }

    /// Returns the facts at the end of the day of `record`.
    pub(super) fn facts(self, record: &DailyRecord) -> Facts {
        let mut facts = Facts::default();
        match self {
            Self::Organization(id) => {
                facts.organizations.insert(id, record.organization(id).into());
            }
            Self::User(id) => {
                facts.users.insert(id, record.user(id));
            }
        }
        facts
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => write!(formatter, "organization {id}"),
            Self::User(id) => write!(formatter, "user {id}"),
        }
    }
}

/// Returns the entities with their sources, and adds a message to `failures` for each list that cannot be read and each
/// organization that is not found.
pub(super) async fn find(
    exporter: &Exporter,
    export: &Export,
    failures: &mut Vec<String>,
) -> BTreeMap<Entity, Sources> {
    let mut entities: BTreeMap<Entity, Sources> = BTreeMap::new();
    for (account, selected) in exporter.accounts.iter().zip(&export.organizations) {
        account.refresh_credential().await;
        let (discovery, ..) = Discovery::read(account, Instant::now() + MAX_SCRAPE_TIME).await;
        if !discovery.is_complete {
            failures
                .push(format!("account {}: cannot read the lists of organizations: see the log", account.name));
        }
        let mut add = |entity: Entity, call: Call| {
            if account.scope.collectors.contains(&call.collector) {
                entities.entry(entity).or_default().push((Arc::clone(account), call));
            }
        };
        let is_selected = |id: &u64| selected.is_empty() || selected.contains(id);
        for (owner, id) in discovery.portfolio().filter(|(_, id)| is_selected(id)) {
            add(Entity::Organization(id), Call::whitelabel_organization(owner, id));
        }
        for owner in user_owners(account, &discovery) {
            for user in &account.scope.whitelabel_users {
                add(Entity::User(*user), Call::whitelabel_user(owner, *user));
            }
        }
    }
    for id in export.organizations.iter().flatten() {
        if !entities.contains_key(&Entity::Organization(*id)) {
            let endpoint = Collector::WhitelabelOrganizations.endpoint();
            failures.push(format!("organization {id}: not found in any white label (GET {endpoint})"));
        }
    }
    entities
}

/// Returns the organizations that may own the white label of a user, as a scrape does.
fn user_owners(account: &Account, discovery: &Discovery) -> BTreeSet<u64> {
    let owners = discovery.owners(account);
    if owners.is_empty() && account.kind() == CredentialKind::ApiKey {
        return discovery.organizations(account);
    }
    owners
}
