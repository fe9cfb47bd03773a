//! What an account reads: organizations, users and collectors.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::CredentialKind;
use crate::model::Collector;

/// What an account reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The enabled collectors.
    pub collectors: BTreeSet<Collector>,
    /// For how long results are used, for collectors with an interval.
    pub intervals: BTreeMap<Collector, Duration>,
    /// Organizations to read; if empty, all that the credential sees.
    pub organizations: BTreeSet<u64>,
    /// Users to read in addition to the credential's own.
    pub users: BTreeSet<u64>,
    /// Organizations that own a white label; if empty, those of white labels that the credential administers.
    pub whitelabel_organizations: BTreeSet<u64>,
    /// White-label users to read.
    pub whitelabel_users: BTreeSet<u64>,
}

impl Scope {
    /// Returns the collector that lists the organizations.
    #[must_use]
    pub const fn discovery(kind: CredentialKind) -> Collector {
        match kind {
            CredentialKind::ApiKey => Collector::Organizations,
            CredentialKind::Jwt => Collector::User,
        }
    }

    /// Returns the collectors that make calls with a credential of that kind.
    pub fn called(&self, kind: CredentialKind) -> impl Iterator<Item = Collector> {
        let is_jwt = kind == CredentialKind::Jwt;
        // The API does not report to an API key which white labels it administers.
        let may_own = is_jwt || !self.whitelabel_organizations.is_empty();
        self.collectors.iter().copied().filter(move |collector| match collector {
            Collector::Usage | Collector::Organization | Collector::Buckets | Collector::Pipelines => true,
            Collector::Organizations => !is_jwt && self.organizations.is_empty(),
            Collector::User | Collector::Trials | Collector::Plan | Collector::ApiKeys => is_jwt,
            Collector::UserOrganizations => is_jwt && !self.users.is_empty(),
            Collector::WhitelabelUser => !self.whitelabel_users.is_empty(),
            Collector::WhitelabelOrganization
            | Collector::WhitelabelOrganizations
            | Collector::WhitelabelUsers
            | Collector::WhitelabelActivity
            | Collector::Whitelabel => may_own,
        })
    }

    /// Returns true if organizations are configured, or one of the lists is read that find them.
    #[must_use]
    pub fn finds_organizations(&self, kind: CredentialKind) -> bool {
        let is_on = |collector| self.called(kind).any(|called| called == collector);
        !self.organizations.is_empty()
            || is_on(Self::discovery(kind))
            || (!self.whitelabel_organizations.is_empty() && is_on(Collector::WhitelabelOrganizations))
    }

    /// Returns true if anything can be read: organizations are listed or configured, or users are configured.
    #[must_use]
    pub fn is_readable(&self, kind: CredentialKind) -> bool {
        let is_on = |collector| self.called(kind).any(|called| called == collector);
        self.finds_organizations(kind)
            || is_on(Collector::UserOrganizations)
            || (!self.whitelabel_organizations.is_empty() && is_on(Collector::WhitelabelUser))
    }
}
