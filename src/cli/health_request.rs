//! Whether the exporter on this machine is healthy, for containers that hold no other program that could ask.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::config::{ListenAddress, WebOptions};

/// Longest wait for an answer; less than what an engine that asks every few seconds allows for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the exporter that is reached in this way: where probes are answered, else wherever it listens.
///
/// # Errors
/// If it does not say that it is healthy, with a text that tells where it was asked and what came of it.
pub fn check(web: &WebOptions) -> Result<(), String> {
    match (&web.probe_listen_address, &web.web_config_file) {
        (Some(address), _) => check_at(address),
        (None, Some(_)) if web.listen_addresses.iter().all(|address| address.port().is_some()) => {
            let hint = "what it asks of clients may keep this check out: set --web.probe-listen-address";
            web.listen_addresses.iter().try_for_each(check_at).map_err(|error| format!("{error}; {hint}"))
        }
        (None, _) => web.listen_addresses.iter().try_for_each(check_at),
    }
}

fn check_at(listen: &ListenAddress) -> Result<(), String> {
    let address = match listen {
        ListenAddress::Tcp(address) => *address,
        ListenAddress::Unix(path) => return check_socket(path),
    };
    let hosts = match address.ip() {
        ip if !ip.is_unspecified() => vec![ip],
        IpAddr::V4(_) => vec![Ipv4Addr::LOCALHOST.into()],
        // Both IP versions, or the one that the machine has.
        IpAddr::V6(_) => vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()],
    };
    let mut result = Ok(());
    for address in hosts.into_iter().map(|host| SocketAddr::new(host, address.port())) {
        let answer = TcpStream::connect_timeout(&address, PATIENCE).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            ask(stream)
        });
        result = judge(answer).map_err(|why| format!("http://{address}/-/healthy {why}"));
        if result.is_ok() {
            break;
        }
    }
    result
}

#[cfg(unix)]
fn check_socket(path: &Path) -> Result<(), String> {
    let answer = std::os::unix::net::UnixStream::connect(path).and_then(|stream| {
        stream.set_read_timeout(Some(PATIENCE))?;
        ask(stream)
    });
    judge(answer).map_err(|why| format!("/-/healthy at {} {why}", path.display()))
}

#[cfg(not(unix))]
fn check_socket(path: &Path) -> Result<(), String> {
    Err(format!("there are no Unix sockets here: {}", path.display()))
}

fn judge(answer: io::Result<String>) -> Result<(), String> {
    match answer {
        Ok(status) if status.split(' ').nth(1) == Some("200") => Ok(()),
        Ok(status) => Err(format!("answers {status:?}")),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err(format!("has not answered in {PATIENCE:?}"))
        }
        Err(error) => Err(format!("does not answer: {error}")),
    }
}

/// Returns the first line of the answer. No proxy is asked, whatever the environment says: this is about this machine.
fn ask(mut stream: impl Read + Write) -> io::Result<String> {
    write!(stream, "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut status = String::new();
    BufReader::new(stream.take(256)).read_line(&mut status)?;
    Ok(status.trim_end().to_owned())
}
