//! The facts and call results of one scrape.

use std::sync::Arc;

use super::{Facts, UnixTime};

/// What one scrape learned, ready to be written.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The facts of all accounts, merged.
    pub facts: Facts,
    /// The state of each account, in the order of configuration.
    pub accounts: Vec<AccountStatus>,
    /// How each call of each account went.
    pub call_results: Vec<CallResult>,
}

/// One account after a scrape.
#[derive(Clone, Debug, Default)]
pub struct AccountStatus {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Whether at least one call gave a decodable success, if that was to be found out.
    pub up: Option<bool>,
    /// Until when calls are paused, because the API asked for it.
    pub pause_end: Option<UnixTime>,
    /// `exp` of the JWT.
    pub credential_expiry: Option<UnixTime>,
    /// Whether the credential's last load succeeded.
    pub credential_loaded: bool,
    /// When the credential was last loaded with success.
    pub credential_load: UnixTime,
}

/// How one call of a scrape went.
#[derive(Clone, Debug)]
pub struct CallResult {
    /// The account's name.
    pub account: Arc<str>,
    /// The collector's name.
    pub collector: &'static str,
    /// The organization asked about.
    pub organization_id: Option<u64>,
    /// The user asked about.
    pub user_id: Option<u64>,
    /// Whether the answer arrived in time and could be read.
    pub success: bool,
    /// Whether the credential may make this call.
    pub supported: bool,
    /// Whether what is shown is older than this scrape should show.
    pub stale: bool,
    /// How long the last completed call took, in seconds.
    pub duration: Option<f64>,
    /// When the call that gave the last good answer began.
    pub last_success: Option<UnixTime>,
}
