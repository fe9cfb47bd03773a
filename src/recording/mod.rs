//! Recordings of API responses, without credentials, names or other text of people.
//!
//! `scrape --record` writes a recording: [`Recorder`] gets a copy of each response before it is decoded, and `redaction`
//! replaces its texts. `--replay` reads it: [`Replay`] serves the recording on loopback to the same client and the same
//! decoders, without a credential and without a network.
//!
//! ```text
//! DIR/recording.json          time of the recording, and the options of each account
//! DIR/account-1/....json      one file per request: path and query, status, response
//! ```

mod private_directory;
mod recorder;
mod redaction;
mod replay;

use serde::{Deserialize, Serialize};

use crate::config::{AccountOptions, CredentialKind, ScopeOptions};
use crate::model::{Collector, UnixTime};
pub use recorder::Recorder;
pub use replay::Replay;

/// The file that describes the recording.
const MANIFEST: &str = "recording.json";

/// Returns the directory of the account at `index` of the configuration. Its configured name is not used, because it may
/// be the name of a customer.
fn account(index: usize) -> String {
    format!("account-{}", index + 1)
}

/// Version of the directory's format. Other versions cannot be read.
const VERSION: u32 = 1;

/// The content of `recording.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    /// Time of the recording, which is the current time of the replay.
    at: UnixTime,
    /// The accounts, in the order of the configuration.
    accounts: Vec<RecordedAccount>,
}

/// An account with the options that decide which calls it makes.
#[derive(Debug, Serialize, Deserialize)]
struct RecordedAccount {
    /// Name of the account's directory.
    name: String,
    /// True for a JWT, false for an API key.
    is_user: bool,
    /// Names of the enabled collectors.
    collectors: Vec<String>,
    #[serde(flatten, with = "RecordedScope")]
    scope: ScopeOptions,
}

/// The fields of the scope in `recording.json`.
#[derive(Serialize, Deserialize)]
#[serde(remote = "ScopeOptions")]
#[expect(clippy::struct_field_names, reason = "the names in the file")]
struct RecordedScope {
    organization_ids: Vec<u64>,
    user_ids: Vec<u64>,
    whitelabel_organization_ids: Vec<u64>,
    whitelabel_user_ids: Vec<u64>,
}

impl RecordedAccount {
    fn new(index: usize, options: &AccountOptions) -> Self {
        let enabled = options.collectors.enabled.iter();
        Self {
            name: account(index),
            is_user: options.kind == CredentialKind::Jwt,
            collectors: enabled.map(|collector| collector.name().to_owned()).collect(),
            scope: options.scope.clone(),
        }
    }

    /// Returns true if the collector was enabled.
    fn has(&self, collector: Collector) -> bool {
        self.collectors.iter().any(|name| name == collector.name())
    }

    const fn kind(&self) -> CredentialKind {
        if self.is_user { CredentialKind::Jwt } else { CredentialKind::ApiKey }
    }
}
