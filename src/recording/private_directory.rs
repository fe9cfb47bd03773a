//! A directory that only its owner can use, and that stays the same one whatever others do with its path.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

#[cfg(unix)]
use rustix::fs::{AtFlags, Dir, Mode, OFlags, fchmod, fstat, mkdirat, open, openat, unlinkat};

/// An open directory.
#[derive(Debug)]
pub(super) struct PrivateDirectory {
    #[cfg(unix)]
    opened: std::os::fd::OwnedFd,
    #[cfg(not(unix))]
    path: PathBuf,
}

#[cfg(unix)]
impl PrivateDirectory {
    /// Creates the directory, or opens it if it is empty and the user's. Nothing is changed before this is known, and a
    /// symbolic link is not followed.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        // Without a slash at the end, for which a link would be followed.
        let path: PathBuf = path.components().collect();
        if let Some(parent) = path.parent().filter(|_| path.symlink_metadata().is_err()) {
            std::fs::create_dir_all(parent)?;
            mkdirat(rustix::fs::CWD, &path, Mode::RWXU)?;
        }
        if path.is_symlink() {
            return Err(io::Error::other("it is a symbolic link: choose a new directory"));
        }
        let opened = open(&path, DIRECTORY, Mode::empty())?;
        if fstat(&opened)?.st_uid != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other("the directory belongs to another user: choose a new one"));
        }
        for entry in Dir::read_from(&opened)? {
            if ![&b"."[..], b".."].contains(&entry?.file_name().to_bytes()) {
                return Err(io::Error::other("the directory is not empty: choose a new one"));
            }
        }
        fchmod(&opened, Mode::RWXU)?;
        Ok(Self { opened })
    }

    /// Creates a directory in this one.
    pub(super) fn create_directory(&self, name: &str) -> io::Result<Self> {
        mkdirat(&self.opened, name, Mode::RWXU)?;
        Ok(Self { opened: openat(&self.opened, name, DIRECTORY, Mode::empty())? })
    }

    /// Writes a new file, instead of an older one of this name.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        // Fails if there is none.
        let _ = unlinkat(&self.opened, name, AtFlags::empty());
        let file = openat(&self.opened, name, new, Mode::RUSR | Mode::WUSR)?;
        std::fs::File::from(file).write_all(text.as_bytes())
    }
}

#[cfg(unix)]
const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

#[cfg(not(unix))]
impl PrivateDirectory {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        if std::fs::read_dir(path)?.next().is_some() {
            return Err(io::Error::other("the directory is not empty: choose a new one"));
        }
        Ok(Self { path: path.to_owned() })
    }

    pub(super) fn create_directory(&self, name: &str) -> io::Result<Self> {
        Self::create(&self.path.join(name))
    }

    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        std::fs::File::create(self.path.join(name))?.write_all(text.as_bytes())
    }
}
