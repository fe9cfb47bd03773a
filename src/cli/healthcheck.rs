//! `healthcheck`: checks the health of the exporter on this machine, for containers that have no HTTP client.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::Failure;
use super::output::print;
use crate::config::{self, ListenAddress, Options};

/// Timeout of the request, less than the usual timeout of a container's health check.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Checks the exporter that runs with these options: the probe address if there is one, else every listen address.
pub(super) fn healthcheck(options: &Options) -> Result<ExitCode, Failure> {
    let sources = &options.sources;
    let file = options.config_file.as_deref();
    let configuration = file.map(|file| config::file::read(file, sources)).transpose();
    let configuration = configuration.map_err(Failure::Configuration)?;
    let web = configuration.as_ref().map_or(&options.common.web, |configuration| &configuration.common.web);
    let addresses = web.probe_listen_address.as_ref().map_or(&web.listen_addresses[..], std::slice::from_ref);
    let may_be_protected = web.probe_listen_address.is_none()
        && web.web_config_file.is_some()
        && addresses.iter().all(|address| address.port().is_some());
    addresses.iter().try_for_each(check_address).map_err(|error| {
        let sources = configuration.as_ref().map_or(sources, |configuration| &configuration.sources);
        let [file, probes] = ["web.config.file", "web.probe-listen-address"].map(|flag| sources.name(flag));
        let hint = format!("; {file} may require TLS or a password: set {probes}");
        Failure::Running(error + if may_be_protected { &hint } else { "" })
    })?;
    print("healthy\n")
}

fn check_address(listen: &ListenAddress) -> Result<(), String> {
    let address = match listen {
        ListenAddress::Tcp(address) => *address,
        ListenAddress::Unix(path) => {
            return evaluate(request_at_socket(path)).map_err(|why| format!("/-/healthy at {listen}: {why}"));
        }
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
fn request_at_socket(path: &Path) -> io::Result<String> {
    let stream = std::os::unix::net::UnixStream::connect(path)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    request(stream)
}

#[cfg(not(unix))]
fn request_at_socket(_: &Path) -> io::Result<String> {
    Err(io::Error::new(ErrorKind::Unsupported, "this system has no Unix sockets"))
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
