//! The files that a configuration is made of, and whether they have changed since.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

/// Longest file that is read, in bytes: a bundle of all public authorities has a quarter of it.
const LONGEST: u64 = 1 << 20;

/// Reads files and remembers what was in them, as digests.
#[derive(Debug, Default)]
pub(super) struct Sources {
    seen: Vec<(PathBuf, Option<Vec<u8>>)>,
}

impl Sources {
    /// Reads a file.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let content = read(path);
        self.seen.push((path.to_owned(), content.as_deref().ok().map(fingerprint)));
        content
    }

    /// Tells whether any of the files has another content now, or can or cannot be read unlike then. By content and not
    /// by time: Kubernetes swaps links, and two writes may have the same time.
    pub(super) fn have_changed(&self) -> bool {
        self.seen.iter().any(|(path, then)| read(path).ok().as_deref().map(fingerprint) != *then)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    Ok(content)
}

fn fingerprint(content: &[u8]) -> Vec<u8> {
    digest(&SHA256, content).as_ref().to_vec()
}
