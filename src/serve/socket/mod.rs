//! Listening sockets: TCP, Unix, and those passed by systemd.

#[cfg(target_os = "linux")]
mod systemd;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};

use crate::config::ListenAddress;

/// Length of the queue of connections that wait to be accepted, as in `TcpListener::bind`.
const BACKLOG: u32 = 1024;

/// The byte stream of a connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A listening socket.
#[derive(Debug)]
pub(super) enum Socket {
    /// A TCP address and port.
    Tcp(TcpListener),
    /// A Unix socket, with its file if this process created it, which is held for its `Drop` only.
    #[cfg(unix)]
    Unix { listener: tokio::net::UnixListener, _file: Option<unix::SocketFile> },
}

impl Socket {
    /// Listens on `address`.
    pub(super) async fn bind(address: &ListenAddress) -> Result<Self, String> {
        let socket = match address {
            ListenAddress::Tcp(address) => bind_tcp(*address).await.map(Self::Tcp),
            #[cfg(unix)]
            ListenAddress::Unix(path) => {
                unix::bind(path).map(|(listener, file)| Self::Unix { listener, _file: Some(file) })
            }
            #[cfg(not(unix))]
            ListenAddress::Unix(_) => Err(io::Error::other("this system has no Unix sockets")),
        };
        socket.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("cannot listen on {address}: address in use, choose another")
            }
            _ => format!("cannot listen on {address}: {error}"),
        })
    }

    /// Returns the sockets that systemd passed to this process, at least one.
    pub(super) fn from_systemd() -> Result<Vec<Self>, String> {
        #[cfg(target_os = "linux")]
        return systemd::sockets();
        #[cfg(not(target_os = "linux"))]
        Err("only available on Linux".to_owned())
    }

    /// Waits for a connection, and returns the address of a TCP client too. Most errors are temporary.
    pub(super) async fn accept(&self) -> io::Result<(Box<dyn Stream>, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // A response has several parts: the last one must not wait for the client's delayed acknowledgement. This
                // fails only if the client has left.
                let _ = stream.set_nodelay(true);
                Ok((Box::new(stream), Some(peer.ip())))
            }
            #[cfg(unix)]
            Self::Unix { listener, .. } => Ok((Box::new(listener.accept().await?.0), None)),
        }
    }

    /// Returns the port of a TCP socket.
    pub(super) fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok().map(|address| address.port()),
            #[cfg(unix)]
            Self::Unix { .. } => None,
        }
    }
}

/// Formats the address like a value of `--web.listen-address`.
impl fmt::Display for Socket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(formatter),
                Err(_) => formatter.write_str("unknown address"),
            },
            #[cfg(unix)]
            Self::Unix { listener, .. } => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname()).unwrap_or("".as_ref());
                write!(formatter, "unix:{}", path.display())
            }
        }
    }
}

/// Listens on a TCP address. The unspecified IPv6 address includes IPv4, and means IPv4 alone on a system without IPv6.
async fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    if address.ip() != Ipv6Addr::UNSPECIFIED {
        return TcpListener::bind(address).await;
    }
    let bound = bind_every_address(address);
    if bound.is_err() && UdpSocket::bind("[::1]:0").is_err() {
        return TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await;
    }
    bound
}

fn bind_every_address(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v6()?;
    // The default of the system may be to leave IPv4 out, as with net.ipv6.bindv6only=1.
    SockRef::from(&socket).set_only_v6(false)?;
    // As `TcpListener::bind` does; on Windows it would let others take the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
