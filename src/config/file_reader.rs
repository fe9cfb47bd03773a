//! Reads files on threads of their own: a read of a FIFO, or on a network file system that is gone, may never end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::timeout_at;

/// Maximum size of a file, in bytes. A bundle of all public certificate authorities is a sixteenth of it.
const MAX_SIZE: u64 = 4 << 20;

/// Maximum wait for a file at the start and at a reload.
const WAIT: Duration = Duration::from_secs(5);

/// Maximum wait of a scrape for a file.
const SCRAPE_WAIT: Duration = Duration::from_secs(1);

/// A read that has not ended is repeated after this time, doubled for each further attempt: the path may name another
/// file now, as when a FIFO was replaced.
const RETRY: Duration = Duration::from_mins(1);

/// One permit for each thread that may read at a time. A read that never ends keeps its permit.
static THREADS: Semaphore = Semaphore::const_new(16);

/// The reads that have not ended, and those that ended after their callers had gone.
static READS: Mutex<BTreeMap<PathBuf, FileRead>> = Mutex::new(BTreeMap::new());

/// A read that was started.
#[derive(Clone, Debug)]
struct FileRead {
    began: Instant,
    /// Reads of this path before this one that have not ended.
    attempts: u32,
    /// `None` until it ends.
    content: watch::Receiver<Option<Arc<io::Result<Vec<u8>>>>>,
}

/// Reads a file; blocks for at most 5 s.
///
/// # Errors
/// If it cannot be read in this time, or is larger than 4 MiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let until = Instant::now() + WAIT;
    let read = loop {
        match (FileRead::running(path), THREADS.try_acquire()) {
            (Some(read), _) => break read,
            (None, Ok(permit)) => break FileRead::start(path, permit)?,
            (None, Err(_)) if Instant::now() >= until => return Err(too_late(WAIT)),
            (None, Err(_)) => thread::sleep(Duration::from_millis(1)),
        }
    };
    while !read.has_ended() && read.began.elapsed() < WAIT {
        thread::sleep(Duration::from_millis(1));
    }
    read.end(path, WAIT)
}

/// Reads a file; waits for at most 1 s. A read that takes longer goes on, and its result is returned to the next caller.
///
/// # Errors
/// If it cannot be read in this time, or is larger than 4 MiB.
pub async fn read_in_scrape(path: &Path) -> io::Result<Vec<u8>> {
    let until = Instant::now() + SCRAPE_WAIT;
    let mut read = match FileRead::running(path) {
        Some(read) => read,
        None => match timeout_at(until.into(), THREADS.acquire()).await {
            Ok(Ok(permit)) => FileRead::start(path, permit)?,
            _ => return Err(too_late(SCRAPE_WAIT)),
        },
    };
    let until = read.began + SCRAPE_WAIT;
    // Whether it has ended is seen below.
    let _ = timeout_at(until.into(), read.content.wait_for(Option::is_some)).await;
    read.end(path, SCRAPE_WAIT)
}

impl FileRead {
    /// Returns the read of this path that others have started, unless it has run for so long that another is due.
    fn running(path: &Path) -> Option<Self> {
        let read = reads().get(path)?.clone();
        let is_overdue = read.began.elapsed() >= RETRY * 2_u32.saturating_pow(read.attempts.min(16));
        (read.has_ended() || !is_overdue).then_some(read)
    }

    fn start(path: &Path, permit: SemaphorePermit<'static>) -> io::Result<Self> {
        let (sender, content) = watch::channel(None);
        let mut reads = reads();
        let attempts = reads.get(path).map_or(0, |hung| hung.attempts + 1);
        let read = Self { began: Instant::now(), attempts, content };
        let owned = path.to_owned();
        thread::Builder::new().name("file".to_owned()).spawn(move || {
            sender.send_replace(Some(Arc::new(read_to_end(&owned))));
            drop(permit);
        })?;
        reads.insert(path.to_owned(), read.clone());
        Ok(read)
    }

    fn has_ended(&self) -> bool {
        self.content.borrow().is_some() || self.content.has_changed().is_err()
    }

    /// Returns the result, which is forgotten, or an error if there is none after `waited`.
    fn end(&self, path: &Path, waited: Duration) -> io::Result<Vec<u8>> {
        if !self.has_ended() {
            return Err(too_late(waited));
        }
        let mut reads = reads();
        if reads.get(path).is_some_and(|read| read.began == self.began) {
            reads.remove(path);
        }
        drop(reads);
        match self.content.borrow().as_deref() {
            Some(Ok(content)) => Ok(content.clone()),
            Some(Err(error)) => Err(io::Error::new(error.kind(), error.to_string())),
            None => Err(io::Error::other("the thread that reads it has failed")),
        }
    }
}

/// Returns true if every user of the machine may write to a file that was read.
#[must_use]
pub fn is_writable_by_everybody(path: &Path) -> bool {
    #[cfg(unix)]
    let is_writable = |file: std::fs::Metadata| std::os::unix::fs::MetadataExt::mode(&file) & 0o002 != 0;
    #[cfg(not(unix))]
    let is_writable = |_| false;
    path.metadata().is_ok_and(|file| file.is_file() && is_writable(file))
}

fn reads() -> MutexGuard<'static, BTreeMap<PathBuf, FileRead>> {
    READS.lock()
}

fn read_to_end(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_SIZE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 4 MiB"));
    }
    Ok(content)
}

fn too_late(waited: Duration) -> io::Error {
    let waited = humantime::format_duration(waited);
    let text = format!("no content within {waited}: is it a FIFO, or on a file system that does not respond?");
    io::Error::new(io::ErrorKind::TimedOut, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_never_ends_is_repeated_after_a_minute() {
        let path = std::env::temp_dir().join(format!("edgeimpulse-exporter-{}-replaced", std::process::id()));
        std::fs::write(&path, "content").unwrap();
        let (_never_ends, content) = watch::channel(None);
        for (minutes, attempts, is_read) in [(0, 0, false), (2, 0, true), (2, 1, true), (2, 2, false)] {
            let Some(began) = Instant::now().checked_sub(RETRY * minutes) else { return };
            reads().insert(path.clone(), FileRead { began, attempts, content: content.clone() });
            let read = FileRead::running(&path).is_none().then(|| read(&path).unwrap());
            assert_eq!(read.as_deref(), is_read.then_some(&b"content"[..]), "{minutes} {attempts}");
        }
        reads().remove(&path);
        std::fs::remove_file(path).unwrap();
    }
}
