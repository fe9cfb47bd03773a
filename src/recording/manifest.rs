//! What a recording says of itself.

use serde::{Deserialize, Serialize};

use super::account;
use crate::config::CredentialKind;
use crate::config::{AccountOptions, ScopeOptions};
use crate::model::Collector;
use crate::model::UnixTime;

/// The form of the directory; another one cannot be read.
pub(super) const VERSION: u32 = 1;

/// `recording.json`
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) version: u32,
    /// When the recording began: what is replayed is told as of this moment.
    pub(super) at: UnixTime,
    /// The accounts, in the order of configuration.
    pub(super) accounts: Vec<Recorded>,
}

/// What an account was to read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Recorded {
    /// Name of its folder.
    pub(super) name: String,
    /// Whether its credential is a user's, and not an organization's.
    pub(super) is_user: bool,
    /// Names of the collectors that were on.
    collectors: Vec<String>,
    organization_ids: Vec<u64>,
    user_ids: Vec<u64>,
    whitelabel_organization_ids: Vec<u64>,
    whitelabel_user_ids: Vec<u64>,
}

impl Recorded {
    pub(super) fn new(index: usize, options: &AccountOptions) -> Self {
        let ScopeOptions { organization_ids, user_ids, whitelabel_organization_ids, whitelabel_user_ids } =
            options.scope.clone();
        Self {
            name: account(index),
            is_user: options.kind == CredentialKind::Jwt,
            collectors: options
                .collectors
                .enabled
                .iter()
                .map(|collector| collector.name().to_owned())
                .collect(),
            organization_ids,
            user_ids,
            whitelabel_organization_ids,
            whitelabel_user_ids,
        }
    }

    /// Tells whether that collector was on.
    pub(super) fn has(&self, collector: Collector) -> bool {
        self.collectors.iter().any(|name| name == collector.name())
    }

    pub(super) const fn kind(&self) -> CredentialKind {
        if self.is_user { CredentialKind::Jwt } else { CredentialKind::ApiKey }
    }

    pub(super) fn scope(&self) -> ScopeOptions {
        ScopeOptions {
            organization_ids: self.organization_ids.clone(),
            user_ids: self.user_ids.clone(),
            whitelabel_organization_ids: self.whitelabel_organization_ids.clone(),
            whitelabel_user_ids: self.whitelabel_user_ids.clone(),
        }
    }
}
