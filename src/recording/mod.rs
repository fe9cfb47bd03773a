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

mod manifest;
mod recorder;
mod redaction;
mod replay;

pub use recorder::Recorder;
pub use replay::Replay;

/// The file that describes the recording.
const MANIFEST: &str = "recording.json";

/// Returns the directory of the account at `index` of the configuration. Its configured name is not used, because it may
/// be the name of a customer.
fn account(index: usize) -> String {
    format!("account-{}", index + 1)
}
