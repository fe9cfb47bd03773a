//! Options of the HTTP server.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Deserialize;

use super::values::{self, ListenAddress};

/// How the exporter is reached.
#[derive(Args, Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Web")]
pub struct WebOptions {
    /// Address to listen on, may be repeated; without a host on all of IPv4 and IPv6; or unix: and a path
    #[arg(
        long = "web.listen-address",
        env = "EDGEIMPULSE_WEB_LISTEN_ADDRESS",
        value_name = "ADDRESS",
        value_delimiter = ',',
        default_value = ":10101"
    )]
    #[schemars(with = "Vec<String>")]
    pub listen_addresses: Vec<ListenAddress>,
    /// File with TLS, passwords and limits, in the format of Prometheus' exporter-toolkit
    #[arg(long = "web.config.file", env = "EDGEIMPULSE_WEB_CONFIG_FILE", value_name = "FILE")]
    #[serde(rename = "config_file")]
    pub web_config_file: Option<PathBuf>,
    /// Take the sockets of systemd's socket activation instead of --web.listen-address
    #[arg(long = "web.systemd-socket", env = "EDGEIMPULSE_WEB_SYSTEMD_SOCKET")]
    pub systemd_socket: bool,
    /// Answer /-/healthy and /-/ready here too, and nothing else, without TLS: for probes that have no certificate
    #[arg(
        long = "web.probe-listen-address",
        env = "EDGEIMPULSE_WEB_PROBE_LISTEN_ADDRESS",
        value_name = "ADDRESS"
    )]
    #[schemars(with = "Option<String>")]
    pub probe_listen_address: Option<ListenAddress>,
    /// Path of the metrics
    #[arg(long = "web.telemetry-path", env = "EDGEIMPULSE_WEB_TELEMETRY_PATH", value_name = "PATH",
        default_value = "/metrics", value_parser = values::telemetry_path)]
    #[serde(deserialize_with = "values::from_text::telemetry_path")]
    pub telemetry_path: String,
    /// Leave out the exporter's own metrics (edgeimpulse_exporter_*, process_*)
    #[arg(long = "web.disable-exporter-metrics", env = "EDGEIMPULSE_WEB_DISABLE_EXPORTER_METRICS")]
    pub disable_exporter_metrics: bool,
    /// Read the configuration file again when POST /-/reload asks for it; SIGHUP always does
    #[arg(long = "web.enable-lifecycle", env = "EDGEIMPULSE_WEB_ENABLE_LIFECYCLE")]
    pub enable_lifecycle: bool,
    /// When to answer a scrape with status 503 instead of metrics, for those who alert on up
    #[arg(
        long = "web.fail-scrape",
        env = "EDGEIMPULSE_WEB_FAIL_SCRAPE",
        value_name = "WHEN",
        value_enum,
        default_value_t
    )]
    pub fail_scrape: FailScrape,
}

/// When a scrape is answered with a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailScrape {
    /// Prometheus' up tells of the exporter alone
    #[default]
    Never,
    /// If no account could be read
    All,
    /// If any supported collector failed
    Any,
}
