//! Values of options that have a form of their own.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::api::STUDIO_URL;
use crate::model::UnixTime;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
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

/// Writes it as it may be configured.
impl std::fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) if address.ip() == Ipv6Addr::UNSPECIFIED => {
                write!(formatter, ":{}", address.port())
            }
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
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
    const TAKEN: [&str; 6] = ["/", "/-/healthy", "/-/ready", "/-/reload", "/probe", "/sd"];
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

pub(super) fn proxy_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or("expected an http or https URL such as http://proxy.example:3128")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a credential in the URL would be shown in logs: set HTTPS_PROXY instead".to_owned());
    }
    Ok(url)
}

pub(super) fn server_name(text: &str) -> Result<String, String> {
    match url::Host::parse(text) {
        Ok(url::Host::Domain(name)) => Ok(name),
        _ => Err("expected a host name such as studio.edgeimpulse.com".to_owned()),
    }
}

/// Reads a time of day with its date.
/// Parses a time of day with its date.
///
/// # Errors
/// If the text is no such time.
pub fn moment(text: &str) -> Result<UnixTime, String> {
    let moment = text.parse::<jiff::Timestamp>();
    let moment = moment.map_err(|_| "expected a time such as 2026-10-30T12:00:00Z".to_owned())?;
    Ok(moment.as_duration().as_secs_f64())
}

/// Parses a duration that is greater than zero.
///
/// # Errors
/// If the text is no such duration.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("expected more than nothing, such as 10s".to_owned()),
        duration => Ok(duration),
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

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}: expected a duration such as 10s or 1m30s"))
}

/// The same values in the file: texts, understood as the flags' are.
pub(super) mod from_text {
    use serde::de::{Deserialize, Deserializer, Error};

    macro_rules! from_text {
        ($($parser:ident -> $value:ty),* $(,)?) => {$(
            pub(in crate::config) fn $parser<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$value, D::Error> {
                super::$parser(&String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        )*};
    }

    from_text! {
        base_url -> url::Url,
        duration -> std::time::Duration,
        positive_duration -> std::time::Duration,
        proxy_url -> url::Url,
        server_name -> String,
        size -> u64,
        telemetry_path -> String,
    }

    macro_rules! optional {
        ($($name:ident = $parser:ident -> $value:ty),* $(,)?) => {$(
            pub(in crate::config) fn $name<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<$value>, D::Error> {
                $parser(deserializer).map(Some)
            }
        )*};
    }

    optional! {
        some_positive_duration = positive_duration -> std::time::Duration,
        some_proxy_url = proxy_url -> url::Url,
        some_server_name = server_name -> String,
    }
}

/// Numbers in the file that have bounds, which are those of the flags.
pub(super) mod between {
    use serde::de::{Deserialize, Deserializer, Error};

    fn number<'de, D: Deserializer<'de>>(deserializer: D, least: u32, most: u32) -> Result<u32, D::Error> {
        let number = u64::deserialize(deserializer)?;
        let within = u32::try_from(number).ok().filter(|number| (least..=most).contains(number));
        within.ok_or_else(|| D::Error::custom(format!("{number}: expected a number from {least} to {most}")))
    }

    pub(in crate::config) fn calls_per_minute<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u32, D::Error> {
        number(deserializer, 1, u32::MAX)
    }

    pub(in crate::config) fn some_concurrency<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u16>, D::Error> {
        Ok(u16::try_from(number(deserializer, 1, 1000)?).ok())
    }
}
