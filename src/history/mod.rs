//! Writes the daily records of a white label's organizations and users, which the API keeps for a year.
//!
//! Each organization and user gets a file of its own, which is written completely or not at all. A later run skips the
//! files that exist.

mod entity;
mod openmetrics;
mod progress;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::api::{Error, ErrorDetail};
use crate::collect::account::Account;
use crate::collect::exporter::Exporter;
use crate::config::shown_path;
use crate::model::{Call, Facts, UnixTime};
pub use entity::Entity;
pub use report::Report;

/// Age of the newest sample. Younger samples could still be in the head of Prometheus' database, which must not overlap
/// with blocks.
pub const MARGIN: Duration = Duration::from_hours(3);

/// Maximum number of entities that are processed concurrently. API calls have lower limits; this one limits memory.
const CONCURRENCY: usize = 1_000;

/// What to write, and where.
#[derive(Debug)]
pub struct Export {
    /// The directory of the files.
    pub output: PathBuf,
    /// Labels that Prometheus would add to a scrape.
    pub labels: BTreeMap<String, String>,
    /// Time of the last sample.
    pub end: UnixTime,
    /// The organizations to write for each account; if empty, all of its white labels.
    pub organizations: Vec<BTreeSet<u64>>,
}

/// The accounts that can access an entity, with their calls, in the order in which they are tried.
type Sources = Vec<(Arc<Account>, Call)>;

/// Writes the files. Failed calls are reported, and the other files are written.
///
/// # Errors
/// If a file cannot be written.
pub async fn write(exporter: &Exporter, export: &Export) -> Result<Report, String> {
    let fail = |path: &Path, error: &std::io::Error| format!("cannot write {}: {error}", shown_path(path));
    std::fs::create_dir_all(&export.output).map_err(|error| fail(&export.output, &error))?;
    let mut report = Report::default();
    let mut entities = entity::find(exporter, export, &mut report.failures).await;
    let found = entities.len();
    entities.retain(|entity, _| !export.output.join(entity.file_name()).exists());
    report.existing = found - entities.len();

    let (mut done, total) = (0, entities.len());
    progress::show(done, total, report.failures.len());
    let results = stream::iter(entities).map(async |(entity, sources)| {
        let facts = match request(&sources).await {
            Ok(facts) => facts,
            Err(error) => return Ok((entity, Err(format!("{entity}: {error}")))),
        };
        let days = entity.days(&facts).unwrap_or_default();
        let text = export.open_metrics(entity, days);
        if let Some(text) = &text {
            let path = export.output.join(entity.file_name());
            write_file(&path, text).map_err(|error| fail(&path, &error))?;
        }
        Ok::<_, String>((entity, Ok(text.is_some())))
    });
    let mut results = std::pin::pin!(results.buffer_unordered(CONCURRENCY));
    while let Some((entity, result)) = results.try_next().await? {
        match result {
            Ok(true) => report.written += 1,
            Ok(false) => report.empty.push(entity),
            Err(failure) => report.failures.push(failure),
        }
        done += 1;
        progress::show(done, total, report.failures.len());
    }
    report.empty.sort_unstable();
    report.failures.sort_unstable();
    Ok(report)
}

/// Tries one source after the other until a call succeeds, and returns the last failure if none does.
async fn request(sources: &Sources) -> Result<Facts, Error> {
    let mut result = Err(Error::NotFound(ErrorDetail::default()));
    for (account, call) in sources {
        result = account.fetch(*call).await;
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Writes a file completely or not at all.
fn write_file(path: &Path, text: &str) -> std::io::Result<()> {
    let unfinished = path.with_extension("part");
    let mut file = std::fs::File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)
}
