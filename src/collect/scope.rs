//! What an account reads.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::CredentialKind;
use crate::model::Collector;

/// What an account reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The collectors that are on.
    pub collectors: BTreeSet<Collector>,
    /// How long answers are used, where `max_age` does not say it.
    pub intervals: BTreeMap<Collector, Duration>,
    /// The organizations to read; all that the credential sees if empty.
    pub organizations: BTreeSet<u64>,
    /// Users to read beside the credential's own.
    pub users: BTreeSet<u64>,
    /// Organizations that own a white label; those that the credential administers if empty.
    pub whitelabel_organizations: BTreeSet<u64>,
    /// Users of the white label to read.
    pub whitelabel_users: BTreeSet<u64>,
}

impl Scope {
    /// Returns the collector that tells which organizations there are.
    #[must_use]
    pub const fn discovery(kind: CredentialKind) -> Collector {
        match kind {
            CredentialKind::ApiKey => Collector::Organizations,
            CredentialKind::Jwt => Collector::User,
        }
    }

    /// Returns the collectors of which a credential of that kind makes calls.
    pub fn called(&self, kind: CredentialKind) -> impl Iterator<Item = Collector> {
        let is_jwt = kind == CredentialKind::Jwt;
        // An API key does not know of what it administers.
        let may_own = is_jwt || !self.whitelabel_organizations.is_empty();
        self.collectors.iter().copied().filter(move |collector| match collector {
            Collector::Usage | Collector::Organization => true,
            Collector::Organizations => !is_jwt && self.organizations.is_empty(),
            Collector::User | Collector::Trials => is_jwt,
            Collector::UserOrganizations => is_jwt && !self.users.is_empty(),
            Collector::WhitelabelUser => !self.whitelabel_users.is_empty(),
            Collector::WhitelabelOrganization
            | Collector::WhitelabelOrganizations
            | Collector::WhitelabelUsers
            | Collector::Whitelabel => may_own,
        })
    }

    /// Tells whether anything can be read: organizations are found or named, or users are named.
    #[must_use]
    pub fn is_readable(&self, kind: CredentialKind) -> bool {
        let is_on = |collector| self.called(kind).any(|called| called == collector);
        !self.organizations.is_empty()
            || is_on(Self::discovery(kind))
            || is_on(Collector::UserOrganizations)
            || (!self.whitelabel_organizations.is_empty()
                && (is_on(Collector::WhitelabelUser) || is_on(Collector::WhitelabelOrganizations)))
    }
}
