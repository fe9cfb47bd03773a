//! Options of the HTTP server.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::values;

/// HTTP server.
#[derive(Args, Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Web")]
pub struct WebOptions {
    /// Address to listen on: :PORT for all IPv4 and IPv6 addresses, HOST:PORT or unix:PATH; may be repeated
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        value_delimiter = ',',
        default_value = ":10101"
    )]
    #[schemars(with = "Vec<String>")]
    pub listen_addresses: Vec<ListenAddress>,
    /// File with TLS, basic authentication and rate limit, in the format of Prometheus' exporter-toolkit
    #[arg(long = "web.config.file", value_name = "FILE")]
    #[serde(rename = "config_file", serialize_with = "values::path_as_text")]
    pub web_config_file: Option<PathBuf>,
    /// Use systemd socket activation instead of --web.listen-address
    #[arg(long = "web.systemd-socket")]
    pub systemd_socket: bool,
    /// Additional address that serves only /-/healthy and /-/ready, without TLS, for probes without a certificate
    #[arg(long = "web.probe-listen-address", value_name = "ADDRESS")]
    #[schemars(with = "Option<String>")]
    pub probe_listen_address: Option<ListenAddress>,
    /// Path under which to expose metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH",
        default_value = "/metrics", value_parser = values::telemetry_path)]
    #[serde(with = "values::telemetry_path")]
    #[schemars(with = "String")]
    pub telemetry_path: String,
    /// Exclude metrics about the exporter itself (edgeimpulse_exporter_*, process_*)
    #[arg(long = "web.disable-exporter-metrics")]
    pub disable_exporter_metrics: bool,
    /// Enable reloading the configuration via POST /-/reload; SIGHUP always reloads it
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
    /// When to respond to a scrape with HTTP status 503 instead of metrics, for alerts on up
    #[arg(long = "web.fail-scrape", value_name = "WHEN", value_enum, default_value_t)]
    pub fail_scrape: FailScrape,
}

/// When the response to a scrape is HTTP status 503.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailScrape {
    /// Never: up is about the exporter alone
    #[default]
    Never,
    /// If no account could be read
    All,
    /// If any supported collector failed
    Any,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ListenAddress {
    /// A TCP address; the unspecified IPv6 address means all addresses of IPv4 and IPv6.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
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

/// Writes the address as it can be configured.
impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) if address.ip() == Ipv6Addr::UNSPECIFIED => {
                write!(formatter, ":{}", address.port())
            }
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

impl Serialize for ListenAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
            // Linux allows 107 bytes.
            return match path.len() {
                1..108 => Ok(Self::Unix(path.into())),
                _ => Err("expected unix:PATH with a path of 1 to 107 bytes".to_owned()),
            };
        }
        let every_host = |port: &str| Some(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port.parse().ok()?)));
        let address = match text.strip_prefix(':') {
            Some(port) => every_host(port),
            None => text.replace("localhost:", "127.0.0.1:").parse().ok(),
        };
        let expected = "expected :PORT, IPV4:PORT, [IPV6]:PORT or unix:PATH, e.g. 127.0.0.1:10101";
        address.map(Self::Tcp).ok_or_else(|| expected.to_owned())
    }
}
