//! Listening sockets: TCP, Unix, and those passed by systemd.

#[cfg(target_os = "linux")]
mod systemd;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::config::ListenAddress;

/// The byte stream of a connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A listening socket.
#[derive(Debug)]
pub enum Socket {
    /// A TCP address and port.
    Tcp(TcpListener),
    /// A Unix socket file.
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
    /// If the address is in use or not available, with a message that contains the address.
    pub async fn bind(address: &ListenAddress) -> Result<Self, String> {
        match address {
            ListenAddress::Tcp(address) => bind_tcp(*address).await.map(Self::Tcp),
            #[cfg(unix)]
            ListenAddress::Unix(path) => unix::UnixSocket::bind(path).map(Self::Unix),
            #[cfg(not(unix))]
            ListenAddress::Unix(path) => {
                Err(format!("cannot listen on unix:{}: this system has no Unix sockets", path.display()))
            }
        }
    }

    /// Returns the sockets that systemd passed to this process.
    ///
    /// # Errors
    /// If there are none, or one of them does not accept connections.
    pub fn from_systemd() -> Result<Vec<Self>, String> {
        #[cfg(target_os = "linux")]
        return systemd::sockets();
        #[cfg(not(target_os = "linux"))]
        Err("--web.systemd-socket: only available on Linux".to_owned())
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// Those of the system, most of which are temporary.
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

/// Formats the address like a value of `--web.listen-address`.
impl fmt::Display for Socket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(formatter),
                Err(_) => formatter.write_str("unknown address"),
            },
            #[cfg(unix)]
            Self::Unix(socket) => socket.fmt(formatter),
        }
    }
}

/// Listens on a TCP address. The unspecified IPv6 address includes IPv4.
async fn bind_tcp(address: SocketAddr) -> Result<TcpListener, String> {
    match (bind_exactly(address).await, address) {
        (Err(_), SocketAddr::V6(v6)) if v6.ip().is_unspecified() && !has_ipv6() => {
            bind_exactly(SocketAddr::from((Ipv4Addr::UNSPECIFIED, v6.port()))).await
        }
        (result, _) => result,
    }
}

async fn bind_exactly(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("cannot listen on {address}: address in use; choose another with --web.listen-address")
        }
        _ => format!("cannot listen on {address}: {error}"),
    })
}

fn has_ipv6() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}
