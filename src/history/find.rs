//! Finds the organizations and users to write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use super::{Entity, Export, Sources};
use crate::collect::account::Account;
use crate::collect::exporter::MAX_SCRAPE_TIME;
use crate::collect::{Discovery, Exporter};
use crate::config::CredentialKind;
use crate::model::{Call, Collector};

/// Returns the entities with their sources, and adds a message to `failures` for each list that cannot be read and each
/// organization that is not found.
pub(super) async fn entities(
    exporter: &Exporter,
    export: &Export,
    failures: &mut Vec<String>,
) -> BTreeMap<Entity, Sources> {
    let mut entities: BTreeMap<Entity, Sources> = BTreeMap::new();
    for (account, selected) in exporter.accounts.iter().zip(&export.organizations) {
        account.refresh_credential();
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
