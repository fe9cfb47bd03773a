//! Without a command: serves /metrics.

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::sleep;

use super::output::init_log;
use super::{Failure, build, configuration};
use crate::collect::{Exporter, Keep};
use crate::config::{Options, redact};
use crate::serve::{self, ConnectionLimits, ReloadableExporter, Server};

/// How often a clock that is not set is read again.
const CLOCK_INTERVAL: Duration = Duration::from_millis(500);

/// Serves the metrics of the configured accounts until SIGTERM or SIGINT.
pub(super) async fn serve(options: Options) -> Result<ExitCode, Failure> {
    let (configuration, replay) = configuration(options)?;
    init_log(&configuration.common.log, &configuration.accounts);
    let exporter = build(configuration, replay, Keep::default()).await?;
    let server = Server::open(exporter.web())
        .await
        .map_err(|error| Failure::Configuration(exporter.configuration.sources.describe(error)))?;
    server.announce(&exporter.web().telemetry_path, &redact(exporter.configuration.api.url.as_str()));
    Ok(run(exporter, server).await)
}

/// Serves `exporter` until SIGTERM or SIGINT. The exit code is 1 if requests were still running at the end.
pub(super) async fn run(exporter: Arc<Exporter>, server: Server) -> ExitCode {
    let limits = ConnectionLimits::default();
    let server = server.with_telemetry(Arc::clone(&exporter.telemetry));
    let live = ReloadableExporter::new(exporter);
    tokio::spawn(reload_on_sighup(Arc::clone(&live)));
    let mut shutdown = pin!(shutdown_signal());
    let is_clean = tokio::select! {
        // In this order, so that a signal stops it from its first line on.
        biased;
        () = shutdown.as_mut() => true,
        () = clock_is_set() => server.serve(serve::app(live), shutdown.as_mut(), limits).await,
    };
    if is_clean {
        tracing::info!("stopped");
        ExitCode::SUCCESS
    } else {
        tracing::warn!(after = %humantime::format_duration(limits.grace), "stopped before all requests were finished");
        ExitCode::FAILURE
    }
}

/// Waits until the system clock is not before 1970: hyper panics in connections that begin then, whatever its options. The
/// sockets are open meanwhile, so that clients wait too.
async fn clock_is_set() {
    let is_set = || SystemTime::now() >= UNIX_EPOCH;
    if !is_set() {
        tracing::warn!("the system clock is before 1970: requests wait until it is set");
    }
    while !is_set() {
        sleep(CLOCK_INTERVAL).await;
    }
}

/// Reloads the configuration at each SIGHUP.
async fn reload_on_sighup(live: Arc<ReloadableExporter>) {
    #[cfg(unix)]
    if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        while signal.recv().await.is_some() {
            // Failures are logged and counted where they happen.
            let _ = live.reload().await;
        }
    }
}

/// Waits for SIGTERM or SIGINT.
async fn shutdown_signal() {
    // A signal without a handler ends the process at once: if one cannot be set up, only the other is awaited.
    let interrupt = async { tokio::signal::ctrl_c().await.ok() };
    #[cfg(unix)]
    let terminate = async {
        let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        signal.ok()?.recv().await
    };
    #[cfg(not(unix))]
    let terminate = std::future::ready(None::<()>);
    tokio::select! {
        Some(()) = interrupt => {}
        Some(()) = terminate => {}
        else => std::future::pending().await,
    }
}
