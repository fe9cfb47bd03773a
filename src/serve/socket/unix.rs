//! Unix sockets.

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// Only the owner and the group may connect, such as a proxy or a Prometheus in the same group.
const MODE: u32 = 0o660;

/// A listening Unix socket. Dropping it deletes the file that [`UnixSocket::bind`] created.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    /// Held for its `Drop` only.
    _file: Option<SocketFile>,
}

#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl UnixSocket {
    pub(super) fn bind(path: &Path) -> Result<Self, String> {
        let failed = |why: &dyn fmt::Display| format!("cannot listen on unix:{}: {why}", path.display());
        let io_failed = |error: io::Error| failed(&error);
        match fs::symlink_metadata(path) {
            Ok(metadata) if !metadata.file_type().is_socket() => {
                return Err(failed(&"the file exists and is not a socket"));
            }
            Ok(_) => match net::UnixStream::connect(path) {
                Ok(_) => return Err(failed(&"address in use")),
                // A killed process cannot delete its socket.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    fs::remove_file(path).map_err(io_failed)?;
                }
                Err(error) => return Err(io_failed(error)),
            },
            Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(io_failed)?;
        fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(io_failed)?;
        let identity = identity(path).map_err(io_failed)?;
        Ok(Self { listener, _file: Some(SocketFile { path: path.to_owned(), identity }) })
    }

    /// Uses a socket that another process opened. That process also deletes the file.
    #[cfg(target_os = "linux")]
    pub(super) fn from_fd(socket: std::os::fd::OwnedFd) -> io::Result<Self> {
        Ok(Self { listener: UnixListener::from_std(net::UnixListener::from(socket))?, _file: None })
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
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

impl fmt::Display for UnixSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.listener.local_addr().ok();
        match address.as_ref().and_then(|address| address.as_pathname()) {
            Some(path) => write!(formatter, "unix:{}", path.display()),
            None => formatter.write_str("unix:"),
        }
    }
}
