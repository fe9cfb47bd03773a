//! Writes a recording.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::manifest::{Manifest, Recorded, VERSION};
use super::redaction::Redaction;
use super::{MANIFEST, account};
use crate::api::{Tap, TappedResponse};
use crate::config::AccountOptions;
use crate::model::UnixTime;

/// Keeps answers of the API, redacted.
#[derive(Debug)]
pub struct Recorder {
    directory: PathBuf,
    /// The folders of the accounts by the accounts' names.
    folders: BTreeMap<String, PathBuf>,
    redaction: Mutex<Redaction>,
    /// How many answers were kept, or why one could not be.
    kept: Mutex<Result<usize, String>>,
}

impl Recorder {
    /// Makes the directory, which only its owner may enter, for answers to these accounts; `now` is the time of the
    /// recording.
    ///
    /// # Errors
    /// If it cannot be made, or there is something in it.
    pub fn create(directory: &Path, accounts: &[AccountOptions], now: UnixTime) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("--record {}: {error}", directory.display());
        make_private(directory).map_err(fail)?;
        if std::fs::read_dir(directory).map_err(fail)?.next().is_some() {
            return Err(format!("--record {}: expected an empty directory or none", directory.display()));
        }
        let mut folders = BTreeMap::new();
        for (index, options) in accounts.iter().enumerate() {
            let folder = directory.join(account(index));
            make_private(&folder).map_err(fail)?;
            folders.insert(options.name.clone(), folder);
        }
        let recorded = accounts.iter().enumerate().map(|(index, options)| Recorded::new(index, options));
        let manifest = Manifest { version: VERSION, at: now, accounts: recorded.collect() };
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
        write_private(&directory.join(MANIFEST), &text).map_err(fail)?;
        Ok(Self {
            directory: directory.to_owned(),
            folders,
            redaction: Mutex::default(),
            kept: Mutex::new(Ok(0)),
        })
    }

    /// Returns the function that keeps responses.
    #[must_use]
    pub fn tap(self: &Arc<Self>) -> Tap {
        let recorder = Arc::clone(self);
        Arc::new(move |response| recorder.keep(response))
    }

    /// Keeps a response. One that is no JSON document leaves its status only, and so does one in which the secret has
    /// survived redaction.
    fn keep(&self, response: &TappedResponse<'_>) {
        let TappedResponse { account, request, status, body, secret } = response;
        let Some(folder) = self.folders.get(*account) else { return };
        let answer = lock(&self.redaction).document(body);
        let answer = answer.filter(|answer| secret.is_empty() || !answer.contains(secret));
        let head = json!({ "request": request, "status": status }).to_string();
        let head = head.trim_end_matches('}');
        // As text, since numbers are to stay as they are.
        let text = match answer {
            Some(answer) => format!("{head},\"answer\":{answer}}}\n"),
            None => format!("{head}}}\n"),
        };
        let result = write_private(&folder.join(file_name(request)), &text);
        let mut kept = lock(&self.kept);
        match (result, &mut *kept) {
            (Ok(()), Ok(count)) => *count += 1,
            (Ok(()), Err(_)) => {}
            (Err(error), _) => {
                *kept = Err(format!("cannot write to {}: {error}", self.directory.display()));
            }
        }
    }

    /// Returns how many answers were kept.
    ///
    /// # Errors
    /// If one could not be.
    pub fn end(&self) -> Result<usize, String> {
        lock(&self.kept).clone()
    }
}

/// Returns a file name that people can read; two requests of the exporter never have the same.
fn file_name(request: &str) -> String {
    let words = request.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-") + ".json"
}

fn make_private(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    #[cfg(unix)]
    std::fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done here where a panic could strike.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
