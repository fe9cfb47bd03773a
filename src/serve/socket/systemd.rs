//! Sockets passed by systemd (socket activation).

use std::io;
use std::net;
use std::os::fd::OwnedFd;
use std::os::unix;

use socket2::{Domain, SockRef, Type};
use tokio::net::{TcpListener, UnixListener};

use super::Socket;

/// Returns the sockets passed to this process.
pub(super) fn sockets() -> Result<Vec<Socket>, String> {
    let sockets = sd_listen_fds::get().map_err(|error| format!("cannot read what systemd passed: {error}"))?;
    if sockets.is_empty() {
        return Err("systemd passed no sockets; start the service through its .socket unit".to_owned());
    }
    let sockets = sockets.into_iter().map(|(_, socket)| from_fd(socket.into_std()));
    sockets.collect::<io::Result<_>>().map_err(|error| format!("cannot use a passed socket: {error}"))
}

fn from_fd(socket: OwnedFd) -> io::Result<Socket> {
    let options = SockRef::from(&socket);
    if options.r#type()? != Type::STREAM || !options.is_listener()? {
        let text = "it does not accept connections; set ListenStream= and Accept=no in the .socket unit";
        return Err(io::Error::other(text));
    }
    options.set_nonblocking(true)?;
    if options.domain()? == Domain::UNIX {
        // systemd also deletes the file.
        let listener = UnixListener::from_std(unix::net::UnixListener::from(socket))?;
        return Ok(Socket::Unix { listener, _file: None });
    }
    Ok(Socket::Tcp(TcpListener::from_std(net::TcpListener::from(socket))?))
}
