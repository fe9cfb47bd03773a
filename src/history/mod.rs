//! The past that the API keeps: a year of daily records of each organization of a white label, and of its users.
//!
//! Each becomes a file of its own, which is there as a whole or not at all: what a run has written, the next one does
//! not ask for again.

mod past;
mod progress;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use crate::api::Error;
use crate::collect::Account;
use crate::collect::Discovery;
use crate::collect::exporter::{Exporter, MAX_SCRAPE_TIME};
use crate::config::CredentialKind;
use crate::model::{Call, Collector};
use crate::model::{DailyRecord, Facts};
pub use past::{MARGIN, Past};
use progress::Progress;
pub use report::Report;

/// How many subjects are worked on at one time. The calls have their own bounds, which are lower: this one bounds what
/// waits for them.
const AT_ONCE: usize = 1_000;

/// Whose past it is. The order is that of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An organization of a white label.
    Organization(u64),
    /// A user of a white label.
    User(u64),
}

impl Subject {
    fn file(self) -> String {
        match self {
            Self::Organization(id) => format!("organization-{id}.om"),
            Self::User(id) => format!("user-{id}.om"),
        }
    }

    /// Returns what an answer says of its days.
    fn days(self, facts: &Facts) -> Option<&[DailyRecord]> {
        let days = match self {
            Self::Organization(id) => &facts.organizations.get(&id)?.days,
            Self::User(id) => &facts.users.get(&id)?.days,
        };
        days.as_ref().map(|days| days.as_slice())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => write!(formatter, "organization {id}"),
            Self::User(id) => write!(formatter, "user {id}"),
        }
    }
}

/// What a run is to write.
#[derive(Debug)]
pub struct Job {
    /// The directory of the files.
    pub output: PathBuf,
    /// Which moments, under which labels.
    pub past: Past,
    /// Only these organizations, for each account; all of its white labels if empty.
    pub organizations: Vec<BTreeSet<u64>>,
}

/// Who may know of a subject: accounts with their calls, in the order in which they are asked.
type Sources = Vec<(Arc<Account>, Call)>;

/// Writes what the accounts of `exporter` are told of the past. What fails is reported, and the rest goes on.
///
/// # Errors
/// If a file cannot be written.
pub async fn write(exporter: &Exporter, job: &Job) -> Result<Report, String> {
    let fail = |path: &Path, error: &std::io::Error| format!("cannot write {}: {error}", path.display());
    std::fs::create_dir_all(&job.output).map_err(|error| fail(&job.output, &error))?;
    let mut report = Report::default();
    let mut subjects = find(exporter, job, &mut report.failures).await;
    let found = subjects.len();
    subjects.retain(|subject, _| !job.output.join(subject.file()).exists());
    report.present = found - subjects.len();

    let mut progress = Progress::new(subjects.len());
    let results = stream::iter(subjects).map(async |(subject, sources)| {
        let facts = match ask(&sources).await {
            Ok(facts) => facts,
            Err(error) => return Ok((subject, Err(format!("{subject}: {error}")))),
        };
        let days = subject.days(&facts).unwrap_or_default();
        // Writing to a `String` does not fail.
        let text = job.past.text(subject, days).unwrap_or_default();
        if let Some(text) = &text {
            let path = job.output.join(subject.file());
            keep(&path, text).map_err(|error| fail(&path, &error))?;
        }
        Ok::<_, String>((subject, Ok(text.is_some())))
    });
    let mut results = std::pin::pin!(results.buffer_unordered(AT_ONCE));
    while let Some((subject, result)) = results.try_next().await? {
        match result {
            Ok(true) => report.written += 1,
            Ok(false) => report.empty.push(subject),
            Err(failure) => report.failures.push(failure),
        }
        progress.step(report.failures.len());
    }
    progress.end();
    report.empty.sort_unstable();
    report.failures.sort_unstable();
    Ok(report)
}

/// Finds out whose past there is, and says what stands in the way.
async fn find(exporter: &Exporter, job: &Job, failures: &mut Vec<String>) -> BTreeMap<Subject, Sources> {
    let mut subjects: BTreeMap<Subject, Sources> = BTreeMap::new();
    for (account, only) in exporter.accounts.iter().zip(&job.organizations) {
        account.refresh_credential();
        let (discovery, ..) = Discovery::read(account, Instant::now() + MAX_SCRAPE_TIME).await;
        if !discovery.is_complete {
            failures.push(format!("account {}: its lists of organizations could not be read", account.name));
        }
        let mut add = |subject: Subject, call: Call| {
            if account.scope.collectors.contains(&call.collector) {
                subjects.entry(subject).or_default().push((Arc::clone(account), call));
            }
        };
        for (owner, id) in discovery.portfolio().filter(|(_, id)| only.is_empty() || only.contains(id)) {
            add(Subject::Organization(id), Call::whitelabel_organization(owner, id));
        }
        for owner in user_owners(account, &discovery) {
            for user in &account.scope.whitelabel_users {
                add(Subject::User(*user), Call::whitelabel_user(owner, *user));
            }
        }
    }
    for id in job.organizations.iter().flatten() {
        if !subjects.contains_key(&Subject::Organization(*id)) {
            let collector = Collector::WhitelabelOrganizations.endpoint();
            failures.push(format!("organization {id}: it is in no list of a white label ({collector})"));
        }
    }
    subjects
}

/// Returns the organizations through which users of white labels are asked about, as a scrape does.
fn user_owners(account: &Account, discovery: &Discovery) -> BTreeSet<u64> {
    let owners = discovery.owners(account);
    if owners.is_empty() && account.kind() == CredentialKind::ApiKey {
        return discovery.organizations(account);
    }
    owners
}

/// Asks one after the other until one knows; of several failures the last one is told.
async fn ask(sources: &Sources) -> Result<Facts, Error> {
    let mut result = Err(Error::NotFound(crate::api::ErrorDetail::default()));
    for (account, call) in sources {
        result = account.fetch(*call).await;
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Writes a file as a whole or not at all.
fn keep(path: &Path, text: &str) -> std::io::Result<()> {
    let unfinished = path.with_extension("part");
    let mut file = std::fs::File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)
}
