//! Whether the exporter on this machine is healthy, for containers that hold no other program that could ask.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::config::ListenAddress;

/// Longest wait for an answer; less than what an engine that asks every few seconds allows for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the exporter that listens on `listen`.
///
/// # Errors
/// If it does not say that it is healthy, with a text that tells where it was asked and what came of it.
pub fn check(listen: ListenAddress) -> Result<(), String> {
    let port = listen.address.port();
    let hosts = match listen.address.ip() {
        ip if !ip.is_unspecified() => vec![ip],
        IpAddr::V4(_) => vec![Ipv4Addr::LOCALHOST.into()],
        // Both IP versions, or the one that the machine has.
        IpAddr::V6(_) => vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()],
    };
    let mut result = Ok(());
    for address in hosts.into_iter().map(|host| SocketAddr::new(host, port)) {
        let why = match ask(address) {
            Ok(status) if status.split(' ').nth(1) == Some("200") => return Ok(()),
            Ok(status) => format!("answers {status:?}"),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                format!("has not answered in {PATIENCE:?}")
            }
            Err(error) => format!("does not answer: {error}"),
        };
        result = Err(format!("http://{address}/-/healthy {why}"));
    }
    result
}

/// Returns the first line of the answer. No proxy is asked, whatever the environment says: this is about this machine.
fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /-/healthy HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut status = String::new();
    BufReader::new(stream.take(256)).read_line(&mut status)?;
    Ok(status.trim_end().to_owned())
}
