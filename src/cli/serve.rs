//! Without a command: serves /metrics.

use std::process::ExitCode;
use std::sync::Arc;

use super::{Failure, build, configuration, logging};
use crate::collect::{Exporter, Keep};
use crate::config::{CommonOptions, Options};
use crate::serve::{self, ConnectionLimits, ReloadableExporter, Server};

/// Serves the metrics of the configured accounts until SIGTERM or SIGINT.
///
/// # Errors
/// If the configuration cannot work.
pub(super) async fn serve(options: Options) -> Result<ExitCode, Failure> {
    let (configuration, replay) = configuration(options)?;
    logging::init(&configuration.common.log);
    let exporter = build(configuration, replay, Keep::default()).await?;
    let server = open(&exporter.configuration.common).await?;
    server.announce(&exporter.web().telemetry_path, exporter.configuration.api.url.as_str());
    Ok(run(exporter, server).await)
}

/// Opens the sockets.
///
/// # Errors
/// If an address cannot be listened on, or `--web.config.file` is invalid.
pub(super) async fn open(common: &CommonOptions) -> Result<Server, Failure> {
    Server::open(&common.web).await.map_err(Failure::Configuration)
}

/// Serves `exporter` until SIGTERM or SIGINT. The exit code is 1 if requests were still running at the end.
pub(super) async fn run(exporter: Arc<Exporter>, server: Server) -> ExitCode {
    let limits = ConnectionLimits::default();
    let live = ReloadableExporter::new(exporter);
    tokio::spawn(reload_on_sighup(Arc::clone(&live)));
    let is_clean = server.serve(serve::app(live), shutdown_signal(), limits).await;
    if is_clean {
        tracing::info!("stopped");
        ExitCode::SUCCESS
    } else {
        tracing::warn!(after = %humantime::format_duration(limits.grace), "stopped before all requests were finished");
        ExitCode::FAILURE
    }
}

/// Reloads the configuration file at each SIGHUP.
async fn reload_on_sighup(live: Arc<ReloadableExporter>) {
    #[cfg(unix)]
    if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        while signal.recv().await.is_some() {
            // Failures are logged and counted where they happen.
            let _ = live.reload();
        }
    }
}

/// Waits for SIGTERM or SIGINT.
async fn shutdown_signal() {
    let interrupt = async {
        // Without a handler SIGINT ends the process at once.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
