//! Options of the HTTP server.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ListenAddress, values};

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
    #[arg(
        long = "web.probe-listen-address",
        value_name = "ADDRESS"
    )]
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
    /// Enable reloading the configuration file via POST /-/reload; SIGHUP always reloads it
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
    /// When to respond to a scrape with HTTP status 503 instead of metrics, for alerts on up
    #[arg(
        long = "web.fail-scrape",
        value_name = "WHEN",
        value_enum,
        default_value_t
    )]
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
