//! Values of options that have a form of their own.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use super::api::STUDIO_URL;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// An address of TCP; unspecified IPv6 stands for both IP versions.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl ListenAddress {
    /// Returns the port, if it has one.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(address) => Some(address.port()),
            Self::Unix(_) => None,
        }
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            // A path is longer than 0 and, for the system's sake, shorter than 108 bytes.
            return match path.len() {
                1..108 => Ok(Self::Unix(path.into())),
                _ => Err("expected unix: and a path of at most 107 bytes".to_owned()),
            };
        }
        let every_host = |port: &str| Some(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port.parse().ok()?)));
        let address = match text.strip_prefix(':') {
            Some(port) => every_host(port),
            None => text.replace("localhost:", "127.0.0.1:").parse().ok(),
        };
        let expected = "expected :PORT, IPV4:PORT, [IPV6]:PORT or unix:PATH, such as 127.0.0.1:10101";
        address.map(Self::Tcp).ok_or_else(|| expected.to_owned())
    }
}

pub(super) fn telemetry_path(text: &str) -> Result<String, String> {
    const TAKEN: [&str; 3] = ["/", "/-/healthy", "/-/ready"];
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    if !text.starts_with('/') || !text.chars().all(allowed) {
        return Err("expected a path such as /metrics".to_owned());
    }
    if TAKEN.contains(&text) {
        return Err(format!("{text} is taken by another page"));
    }
    Ok(text.to_owned())
}

pub(super) fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}: expected a URL such as {STUDIO_URL}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("expected an http or https URL such as {STUDIO_URL}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a credential in the URL would be shown in logs: set it as the help says".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("expected a URL without query and fragment".to_owned());
    }
    Ok(url)
}

pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => Err("expected more than nothing, such as 10s".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}: expected a duration such as 10s or 1m30s")),
    }
}

pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "" | "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    let size = unit.and_then(|unit: u64| number.parse::<u64>().ok()?.checked_mul(unit));
    size.filter(|size| *size > 0).ok_or_else(|| "expected a size such as 64MiB (B, KiB, MiB, GiB)".to_owned())
}
