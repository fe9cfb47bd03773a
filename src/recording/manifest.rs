//! The description of a recording.

use serde::{Deserialize, Serialize};

use super::account;
use crate::config::{AccountOptions, CredentialKind, ScopeOptions};
use crate::model::{Collector, UnixTime};

/// Version of the directory's format. Other versions cannot be read.
pub(super) const VERSION: u32 = 1;

/// The content of `recording.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) version: u32,
    /// Time of the recording, which is the current time of the replay.
    pub(super) at: UnixTime,
    /// The accounts, in the order of the configuration.
    pub(super) accounts: Vec<RecordedAccount>,
}

/// An account with the options that decide which calls it makes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RecordedAccount {
    /// Name of the account's directory.
    pub(super) name: String,
    /// True for a JWT, false for an API key.
    pub(super) is_user: bool,
    /// Names of the enabled collectors.
    collectors: Vec<String>,
    organization_ids: Vec<u64>,
    user_ids: Vec<u64>,
    whitelabel_organization_ids: Vec<u64>,
    whitelabel_user_ids: Vec<u64>,
}

impl RecordedAccount {
    pub(super) fn new(index: usize, options: &AccountOptions) -> Self {
        let ScopeOptions { organization_ids, user_ids, whitelabel_organization_ids, whitelabel_user_ids } =
            options.scope.clone();
        let enabled = options.collectors.enabled.iter();
        Self {
            name: account(index),
            is_user: options.kind == CredentialKind::Jwt,
            collectors: enabled.map(|collector| collector.name().to_owned()).collect(),
            organization_ids,
            user_ids,
            whitelabel_organization_ids,
            whitelabel_user_ids,
        }
    }

    /// Returns true if the collector was enabled.
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
