//! Without a command: the HTTP server.

use std::process::ExitCode;
use std::sync::Arc;

use super::{Failure, build, configuration, logging};
use crate::collect::{Exporter, Keep};
use crate::config::{CommonOptions, Options};
use crate::serve::{self, ConnectionLimits, ReloadableExporter, Server};

/// Serves the metrics of the configured account until the process is told to stop.
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

pub(super) async fn open(common: &CommonOptions) -> Result<Server, Failure> {
    Server::open(&common.web).await.map_err(Failure::Configuration)
}

pub(super) async fn run(exporter: Arc<Exporter>, server: Server) -> ExitCode {
    let limits = ConnectionLimits::default();
    let live = ReloadableExporter::new(exporter);
    tokio::spawn(reload_when_told(Arc::clone(&live)));
    let is_clean = server.serve(serve::app(live), told_to_stop(), limits).await;
    if is_clean {
        tracing::info!("stopped");
        ExitCode::SUCCESS
    } else {
        tracing::warn!(after = %humantime::format_duration(limits.grace), "stopped with requests unfinished");
        ExitCode::FAILURE
    }
}

/// Reads the configuration file again at each SIGHUP.
async fn reload_when_told(live: Arc<ReloadableExporter>) {
    #[cfg(unix)]
    if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        while signal.recv().await.is_some() {
            // A failure is logged and shown as a metric.
            let _ = live.reload();
        }
    }
}

/// Waits until the process is told to stop.
async fn told_to_stop() {
    let interrupt = async {
        // Without a handler the signal ends the process, which is what it is for.
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
