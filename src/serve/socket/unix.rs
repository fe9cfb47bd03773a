//! Unix sockets.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Only the owner and the group may connect, such as a proxy or a Prometheus in the same group.
const MODE: u32 = 0o660;

/// The file of a Unix socket. Dropping it deletes the file.
#[derive(Debug)]
pub(in crate::serve) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

/// Listens on a new socket, which replaces one that nobody listens on.
pub(super) fn bind(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    if let Ok(metadata) = fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(io::Error::other("the file exists and is not a socket"));
        }
        match UnixStream::connect(path) {
            Ok(_) => return Err(io::Error::other("address in use")),
            // A killed process cannot delete its socket.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path)?,
            Err(error) => return Err(error),
        }
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    Ok((listener, SocketFile { path: path.to_owned(), identity: identity(path)? }))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another process may have replaced the file.
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Returns device and inode.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}
