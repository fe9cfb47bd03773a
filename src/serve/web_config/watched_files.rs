//! The files of a web configuration, and whether they have changed.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

/// Maximum size of a file, in bytes. A bundle of all public certificate authorities is a quarter of it.
const MAX_SIZE: u64 = 1 << 20;

/// Reads files and keeps digests of their contents.
#[derive(Debug, Default)]
pub(super) struct WatchedFiles {
    /// Path and digest of each file, without a digest if the file could not be read.
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
}

impl WatchedFiles {
    /// Reads a file and records its digest.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let content = read(path);
        self.files.push((path.to_owned(), content.as_deref().ok().map(sha256)));
        content
    }

    /// Returns whether the content or the readability of any file has changed. Contents are compared instead of times,
    /// because Kubernetes swaps symbolic links and two writes can have the same time.
    pub(super) fn have_changed(&self) -> bool {
        self.files.iter().any(|(path, before)| read(path).ok().as_deref().map(sha256) != *before)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_SIZE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 1 MiB"));
    }
    Ok(content)
}

fn sha256(content: &[u8]) -> Vec<u8> {
    digest(&SHA256, content).as_ref().to_vec()
}
