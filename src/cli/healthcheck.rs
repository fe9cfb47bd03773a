//! `healthcheck`: checks the health of the exporter on this machine, for containers that have no HTTP client.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::Failure;
use super::output::print;
use crate::config::{self, ListenAddress, Options, WebOptions};

/// Timeout of the request, less than the usual timeout of a container's health check.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Checks the exporter that runs with these options.
///
/// # Errors
/// If it is not healthy, or the configuration file cannot be read.
pub(super) fn healthcheck(options: &Options) -> Result<ExitCode, Failure> {
    let configuration = options.config_file.as_deref().map(config::file::read).transpose();
    let configuration = configuration.map_err(Failure::Configuration)?;
    check(configuration.as_ref().map_or(&options.common.web, |configuration| &configuration.common.web))
        .map_err(Failure::Running)?;
    print("healthy\n")?;
    Ok(ExitCode::SUCCESS)
}

/// Checks the probe address if there is one, else every listen address.
fn check(web: &WebOptions) -> Result<(), String> {
    let listen_addresses = || web.listen_addresses.iter().try_for_each(check_address);
    match &web.probe_listen_address {
        Some(address) => check_address(address),
        None if web.web_config_file.is_some() && web.listen_addresses.iter().all(|at| at.port().is_some()) => {
            let hint = "--web.config.file may require TLS or a password: set --web.probe-listen-address";
            listen_addresses().map_err(|error| format!("{error}; {hint}"))
        }
        None => listen_addresses(),
    }
}

fn check_address(listen: &ListenAddress) -> Result<(), String> {
    let address = match listen {
        ListenAddress::Tcp(address) => *address,
        ListenAddress::Unix(path) => return check_socket(path),
    };
    let hosts = match address.ip() {
        ip if !ip.is_unspecified() => vec![ip],
        IpAddr::V4(_) => vec![Ipv4Addr::LOCALHOST.into()],
        // Stands for both IP versions, of which the machine may have only one.
        IpAddr::V6(_) => vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()],
    };
    let mut result = Ok(());
    for address in hosts.into_iter().map(|host| SocketAddr::new(host, address.port())) {
        let status = TcpStream::connect_timeout(&address, TIMEOUT).and_then(|stream| {
            stream.set_read_timeout(Some(TIMEOUT))?;
            request(stream)
        });
        result = evaluate(status).map_err(|why| format!("http://{address}/-/healthy: {why}"));
        if result.is_ok() {
            break;
        }
    }
    result
}

#[cfg(unix)]
fn check_socket(path: &Path) -> Result<(), String> {
    let status = std::os::unix::net::UnixStream::connect(path).and_then(|stream| {
        stream.set_read_timeout(Some(TIMEOUT))?;
        request(stream)
    });
    evaluate(status).map_err(|why| format!("/-/healthy at unix:{}: {why}", path.display()))
}

#[cfg(not(unix))]
fn check_socket(path: &Path) -> Result<(), String> {
    Err(format!("unix:{}: this system has no Unix sockets", path.display()))
}

fn evaluate(status: io::Result<String>) -> Result<(), String> {
    match status {
        Ok(status) if status.split(' ').nth(1) == Some("200") => Ok(()),
        Ok(status) => Err(format!("unexpected response {status:?}")),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err(format!("no response within {TIMEOUT:?}"))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Sends the request and returns the status line. Proxies of the environment are ignored: the exporter is on this machine.
fn request(mut stream: impl Read + Write) -> io::Result<String> {
    write!(stream, "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut status = String::new();
    BufReader::new(stream.take(256)).read_line(&mut status)?;
    Ok(status.trim_end().to_owned())
}
