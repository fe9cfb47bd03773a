//! Sockets to listen on: TCP, Unix, and those that systemd has opened.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::config::ListenAddress;

/// A connection, whatever it runs over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A socket that is listened on.
#[derive(Debug)]
pub enum Socket {
    /// An address and a port.
    Tcp(TcpListener),
    /// A file.
    #[cfg(unix)]
    Unix(unix::UnixSocket),
}

impl From<TcpListener> for Socket {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

impl Socket {
    /// Listens on `address`.
    ///
    /// # Errors
    /// If the address is taken or not this machine's, with a text that names it.
    pub async fn bind(address: &ListenAddress) -> Result<Self, String> {
        match address {
            ListenAddress::Tcp(address) => bind(*address).await.map(Self::Tcp),
            #[cfg(unix)]
            ListenAddress::Unix(path) => unix::UnixSocket::bind(path).map(Self::Unix),
            #[cfg(not(unix))]
            ListenAddress::Unix(_) => Err("cannot listen on a Unix socket: this system has none".to_owned()),
        }
    }

    /// Takes the sockets that systemd has opened for this process.
    ///
    /// # Errors
    /// If there are none, or one of them takes no connections.
    pub fn of_systemd() -> Result<Vec<Self>, String> {
        #[cfg(target_os = "linux")]
        return systemd::take();
        #[cfg(not(target_os = "linux"))]
        Err("--web.systemd-socket: this system has no systemd".to_owned())
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// Those of the system; most are over soon.
    pub async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp(listener) => Ok(Box::new(listener.accept().await?.0)),
            #[cfg(unix)]
            Self::Unix(socket) => Ok(Box::new(socket.accept().await?)),
        }
    }

    /// Returns the port of a TCP socket.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok().map(|address| address.port()),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }
}

/// Writes the address as `--web.listen-address` takes it.
impl std::fmt::Display for Socket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(formatter),
                Err(_) => formatter.write_str("a socket without an address"),
            },
            #[cfg(unix)]
            Self::Unix(socket) => socket.fmt(formatter),
        }
    }
}

/// Listens on a TCP address; unspecified IPv6 stands for both IP versions.
///
/// # Errors
/// If the address is taken or not this machine's, with a text that names it.
async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    let SocketAddr::V6(v6) = address else { return bind_to(address).await };
    match bind_to(address).await {
        // A machine without IPv6: every host of IPv4 then.
        Err(_) if v6.ip().is_unspecified() && !has_ipv6() => {
            bind_to(SocketAddr::from((Ipv4Addr::UNSPECIFIED, v6.port()))).await
        }
        result => result,
    }
}

async fn bind_to(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("cannot listen on {address}: it is in use; choose another with --web.listen-address")
        }
        _ => format!("cannot listen on {address}: {error}"),
    })
}

fn has_ipv6() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}

/// Sockets that are files.
#[cfg(unix)]
mod unix {
    use std::fmt;
    use std::fs::{self, Permissions};
    use std::io;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    use std::os::unix::net;
    use std::path::{Path, PathBuf};

    use tokio::net::{UnixListener, UnixStream};

    /// Owner and group may connect: a proxy or a Prometheus that shares the group, and nobody else.
    const MODE: u32 = 0o660;

    /// A Unix socket. The file that it made goes away with it.
    #[derive(Debug)]
    pub struct UnixSocket {
        listener: UnixListener,
        /// Kept for its end.
        _file: Option<SocketFile>,
    }

    #[derive(Debug)]
    struct SocketFile {
        path: PathBuf,
        identity: (u64, u64),
    }

    impl UnixSocket {
        pub(super) fn bind(path: &Path) -> Result<Self, String> {
            let shown = path.display();
            let failed = |error: io::Error| format!("cannot listen on unix:{shown}: {error}");
            match fs::symlink_metadata(path) {
                Ok(metadata) if !metadata.file_type().is_socket() => {
                    return Err(format!("cannot listen on unix:{shown}: there is a file that is no socket"));
                }
                Ok(_) => match net::UnixStream::connect(path) {
                    Ok(_) => return Err(format!("cannot listen on unix:{shown}: it is in use")),
                    // A process has left it behind that was killed.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                        fs::remove_file(path).map_err(failed)?;
                    }
                    Err(error) => return Err(failed(error)),
                },
                Err(_) => {}
            }
            let listener = UnixListener::bind(path).map_err(failed)?;
            fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(failed)?;
            let identity = identity(path).map_err(failed)?;
            Ok(Self { listener, _file: Some(SocketFile { path: path.to_owned(), identity }) })
        }

        /// Takes over a socket that another process has opened; its file is that process's business.
        #[cfg(target_os = "linux")]
        pub(super) fn adopt(socket: std::os::fd::OwnedFd) -> io::Result<Self> {
            Ok(Self { listener: UnixListener::from_std(net::UnixListener::from(socket))?, _file: None })
        }

        pub(super) async fn accept(&self) -> io::Result<UnixStream> {
            Ok(self.listener.accept().await?.0)
        }
    }

    impl Drop for SocketFile {
        fn drop(&mut self) {
            // Unless another process has put its own in this place.
            if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
                let _ = fs::remove_file(&self.path);
            }
        }
    }

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
}

/// Sockets that are inherited.
#[cfg(target_os = "linux")]
mod systemd {
    use std::io;
    use std::net;
    use std::os::fd::OwnedFd;

    use socket2::{Domain, SockRef, Type};
    use tokio::net::TcpListener;

    use super::Socket;
    use super::unix::UnixSocket;

    pub(super) fn take() -> Result<Vec<Socket>, String> {
        let sockets =
            sd_listen_fds::get().map_err(|error| format!("cannot take systemd's sockets: {error}"))?;
        if sockets.is_empty() {
            return Err(
                "--web.systemd-socket: systemd gave no socket; start the service by its .socket unit".into()
            );
        }
        sockets.into_iter().map(|(_, socket)| adopt(socket.into_std())).collect()
    }

    fn adopt(socket: OwnedFd) -> Result<Socket, String> {
        let cannot = |error: io::Error| format!("--web.systemd-socket: cannot take what systemd gave: {error}");
        let about = SockRef::from(&socket);
        let (kind, domain) = (about.r#type().map_err(cannot)?, about.domain().map_err(cannot)?);
        if kind != Type::STREAM || !about.is_listener().map_err(cannot)? {
            return Err(
                "--web.systemd-socket: expected ListenStream= with Accept=no in the .socket unit".to_owned()
            );
        }
        about.set_nonblocking(true).map_err(cannot)?;
        if domain == Domain::UNIX {
            return UnixSocket::adopt(socket).map(Socket::Unix).map_err(cannot);
        }
        Ok(Socket::Tcp(TcpListener::from_std(net::TcpListener::from(socket)).map_err(cannot)?))
    }
}
