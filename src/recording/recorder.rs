//! Writes a recording.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;

use super::private_directory::PrivateDirectory;
use super::redaction::Redaction;
use super::{MANIFEST, Manifest, RecordedAccount, VERSION, account};
use crate::api::{Tap, TappedResponse};
use crate::config::{AccountOptions, shown_path};
use crate::model::UnixTime;

/// Writes redacted responses to a directory.
#[derive(Debug)]
pub struct Recorder {
    directory: PathBuf,
    /// The directories of the accounts, by account name.
    folders: BTreeMap<String, PrivateDirectory>,
    redaction: Mutex<Redaction>,
    /// Number of responses written, or why one could not be.
    written: Mutex<Result<usize, String>>,
}

impl Recorder {
    /// Creates the directory and writes the description of the accounts; `now` is the time of the recording. Only the owner
    /// of the directory can read it.
    ///
    /// # Errors
    /// If the directory cannot be created, is not empty, a symbolic link, or another user's. Nothing has changed then.
    pub fn create(directory: &Path, accounts: &[AccountOptions], now: UnixTime) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("--record: {}: {error}", shown_path(directory));
        let opened = PrivateDirectory::create(directory).map_err(fail)?;
        let mut folders = BTreeMap::new();
        for (index, options) in accounts.iter().enumerate() {
            let folder = opened.create_directory(&account(index)).map_err(fail)?;
            folders.insert(options.name.clone(), folder);
        }
        let recorded = accounts.iter().enumerate().map(|(index, options)| RecordedAccount::new(index, options));
        let manifest = Manifest { version: VERSION, at: now, accounts: recorded.collect() };
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
        opened.write(MANIFEST, &text).map_err(fail)?;
        Ok(Self {
            directory: directory.to_owned(),
            folders,
            redaction: Mutex::default(),
            written: Mutex::new(Ok(0)),
        })
    }

    /// Returns the function that writes a response.
    #[must_use]
    pub fn tap(self: &Arc<Self>) -> Tap {
        let recorder = Arc::clone(self);
        Arc::new(move |response| recorder.record(response))
    }

    /// Writes a response. Only the status is written if the body is not JSON, or if it still contains the credential after
    /// redaction.
    fn record(&self, response: &TappedResponse<'_>) {
        let TappedResponse { account, request, status, body, secret } = response;
        let Some(folder) = self.folders.get(*account) else { return };
        let body = self.redaction.lock().document(body);
        let body = body.filter(|body| secret.is_empty() || !body.contains(secret));
        let head = json!({ "request": request, "status": status }).to_string();
        let head = head.trim_end_matches('}');
        // Assembled as text, so that numbers keep their spelling.
        let text = match body {
            Some(body) => format!("{head},\"answer\":{body}}}\n"),
            None => format!("{head}}}\n"),
        };
        let result = folder.write(&file_name(request), &text);
        let mut written = self.written.lock();
        match (result, &mut *written) {
            (Ok(()), Ok(count)) => *count += 1,
            (Ok(()), Err(_)) => {}
            (Err(error), _) => {
                *written = Err(format!("cannot write to {}: {error}", shown_path(&self.directory)));
            }
        }
    }

    /// Returns the number of responses written.
    ///
    /// # Errors
    /// If a response could not be written.
    pub fn end(&self) -> Result<usize, String> {
        self.written.lock().clone()
    }
}

/// Returns a readable file name, which is different for every request that the exporter makes.
fn file_name(request: &str) -> String {
    let words = request.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-") + ".json"
}
