//! Sockets passed by systemd (socket activation).

use std::io;
use std::net;
use std::os::fd::OwnedFd;

use socket2::{Domain, SockRef, Type};
use tokio::net::TcpListener;

use super::Socket;
use super::unix::UnixSocket;

/// Returns the sockets passed to this process.
pub(super) fn sockets() -> Result<Vec<Socket>, String> {
    let sockets = sd_listen_fds::get()
        .map_err(|error| format!("--web.systemd-socket: cannot read what systemd passed: {error}"))?;
    if sockets.is_empty() {
        let text =
            "--web.systemd-socket: systemd passed no sockets; start the service through its .socket unit";
        return Err(text.to_owned());
    }
    sockets.into_iter().map(|(_, socket)| from_fd(socket.into_std())).collect()
}

fn from_fd(socket: OwnedFd) -> Result<Socket, String> {
    let failed = |error: io::Error| format!("--web.systemd-socket: cannot use a passed socket: {error}");
    let options = SockRef::from(&socket);
    let (kind, domain) = (options.r#type().map_err(failed)?, options.domain().map_err(failed)?);
    if kind != Type::STREAM || !options.is_listener().map_err(failed)? {
        let text = "--web.systemd-socket: a passed socket does not accept connections; \
                    set ListenStream= and Accept=no in the .socket unit";
        return Err(text.to_owned());
    }
    options.set_nonblocking(true).map_err(failed)?;
    if domain == Domain::UNIX {
        return UnixSocket::from_fd(socket).map(Socket::Unix).map_err(failed);
    }
    Ok(Socket::Tcp(TcpListener::from_std(net::TcpListener::from(socket)).map_err(failed)?))
}
