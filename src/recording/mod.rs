//! Answers of the API in a directory, with nothing in them that tells who or what they are about.
//!
//! `scrape --record` writes it: [`Recorder`] takes a copy of each answer on its way to decoding, `redaction` replaces
//! what people wrote. `--replay` reads it: [`Replay`] serves the directory on loopback, so that the real client and
//! the real decoding run, without an account and without a network.
//!
//! ```text
//! DIR/recording.json          when it was made, and what each account was to read
//! DIR/account-1/....json      one file per request: its path and query, the status, the answer
//! ```

mod manifest;
mod recorder;
mod redaction;
mod replay;

pub use recorder::Recorder;
pub use replay::Replay;

/// The file that describes the others.
const MANIFEST: &str = "recording.json";

/// Returns the name under which the account at `index` of the configuration is recorded. Its own name may tell whose
/// it is.
fn account(index: usize) -> String {
    format!("account-{}", index + 1)
}
