//! What stands before the routes.

use std::path::PathBuf;

use clap::Args;

use super::value::ListenAddress;

/// What stands before the routes.
#[derive(Args, Clone, Debug, Default)]
pub struct FrontOptions {
    /// File with TLS, passwords and limits, in the format of Prometheus' exporter-toolkit
    #[arg(long = "web.config.file", env = "EDGEIMPULSE_WEB_CONFIG_FILE", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Take the sockets of systemd's socket activation instead of --web.listen-address
    #[arg(long = "web.systemd-socket", env = "EDGEIMPULSE_WEB_SYSTEMD_SOCKET")]
    pub systemd_socket: bool,
    /// Answer /-/healthy and /-/ready here too, and nothing else, without TLS: for probes that have no certificate
    #[arg(
        long = "web.probe-listen-address",
        env = "EDGEIMPULSE_WEB_PROBE_LISTEN_ADDRESS",
        value_name = "ADDRESS"
    )]
    pub probe_listen_address: Option<ListenAddress>,
}
