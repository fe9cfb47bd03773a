//! What the program does, from options to exit codes.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::account::{Account, Scope, Shared};
use crate::api::{Client, Settings, Terms};
use crate::clock::Clock;
use crate::config::{
    CommonOptions, DemoOptions, LogFormat, LogLevel, LogOptions, Options, ReferenceFormat, WebOptions,
};
use crate::credential::Held;
use crate::demo;
use crate::health;
use crate::listener::{self, Limits};
use crate::own::Own;
use crate::reference;
use crate::server::{self, Exporter};

/// Name of the account that flags and environment describe.
const ACCOUNT: &str = "default";

/// Why the program ends early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration cannot work.
    #[error("{0}")]
    Configuration(String),
    /// Something failed while running.
    #[error("{0}")]
    Running(String),
}

impl Failure {
    /// Returns the exit code for it.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) => 2,
            Self::Running(_) => 1,
        }
    }
}

/// Serves the metrics of the configured account until the process is told to stop.
///
/// # Errors
/// If the configuration cannot work.
pub async fn serve(options: &Options) -> Result<ExitCode, Failure> {
    log(&options.common.log);
    let exporter = build(options, Clock::System)?;
    let listeners = bind(&options.common).await?;
    announce(&exporter, &listeners);
    Ok(run(exporter, listeners).await)
}

/// Serves the metrics of a simulated API.
///
/// # Errors
/// If an address cannot be listened on.
pub async fn demo(options: &DemoOptions) -> Result<ExitCode, Failure> {
    log(&options.common.log);
    if let Some(length) = options.history {
        let port = options.common.web.listen_addresses.first().map_or(0, |listen| listen.address.port());
        let (instance, step) = (format!("localhost:{port}"), options.history_step);
        let now = Clock::System.now();
        print(&demo::history::write(options.common.clone(), &instance, now, length, step).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let listeners = bind(&options.common).await?;
    let api = demo::start(Clock::System).await.map_err(|error| Failure::Running(error.to_string()))?;
    let exporter = api.exporter(options.common.clone())?;
    let address = listeners.first().and_then(|listener| listener.local_addr().ok());
    let port = address.map_or(0, |address| address.port());
    let path = &exporter.telemetry_path;
    print(&format!(
        "A simulated Edge Impulse API answers at {}\n\
         The exporter reads it as it would read the real one:\n\
         \x20 http://localhost:{port}{path}  the metrics\n\
         \x20 http://localhost:{port}/         a page for people\n\
         Nothing outside this machine is contacted. Ctrl-C ends it.\n",
        api.url()
    ))?;
    Ok(run(exporter, listeners).await)
}

/// Collects once and writes the metrics to standard output, in the Prometheus text format.
///
/// # Errors
/// If the configuration cannot work.
pub async fn scrape(options: &Options) -> Result<ExitCode, Failure> {
    log(&options.common.log);
    let exporter = build(options, Clock::System)?;
    // Nobody waits for this scrape but the person who asked for it: it may take as long as a call may.
    let budget = exporter.scrape.timeout_max.unwrap_or(options.api.timeout.saturating_mul(2));
    let (text, snapshot) =
        exporter.collect(budget).await.map_err(|error| Failure::Running(error.to_string()))?;
    let text = server::Format::PrometheusText.write(text);
    print(&text)?;
    let is_up = snapshot.accounts.iter().all(|account| account.up);
    Ok(if is_up { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks the exporter that listens on these addresses whether it is healthy.
///
/// # Errors
/// If it does not say so on each of them.
pub fn healthcheck(web: &WebOptions) -> Result<ExitCode, Failure> {
    web.listen_addresses.iter().try_for_each(|listen| health::check(*listen)).map_err(Failure::Running)?;
    print("healthy\n")?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the reference of all metrics to standard output.
///
/// # Errors
/// If it cannot be written.
pub fn metrics(format: ReferenceFormat) -> Result<ExitCode, Failure> {
    print(&match format {
        ReferenceFormat::Markdown => reference::markdown(),
        ReferenceFormat::Json => reference::json(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the exporter that the options describe.
///
/// # Errors
/// If the credential cannot be loaded, or there is nothing to read.
pub fn build(options: &Options, clock: Clock) -> Result<Arc<Exporter>, Failure> {
    let (kind, origin) = options.api.credential().map_err(Failure::Configuration)?;
    let credential = Held::load(kind, origin.clone(), clock.now())
        .map_err(|error| Failure::Configuration(format!("the {} in {origin} {error}", kind.name())))?;
    build_with(options, credential, clock)
}

/// Builds the exporter that the options describe, with a credential that they do not.
///
/// # Errors
/// If there is nothing to read, or TLS cannot be set up.
pub fn build_with(options: &Options, credential: Held, clock: Clock) -> Result<Arc<Exporter>, Failure> {
    let Options { api, scope: ids, common } = options;
    let set = |ids: &[u64]| ids.iter().copied().collect::<BTreeSet<_>>();
    let scope = Scope {
        collectors: common.collectors.enabled.clone(),
        organizations: set(&ids.organization_ids),
        users: set(&ids.user_ids),
        whitelabel_organizations: set(&ids.whitelabel_organization_ids),
        whitelabel_users: set(&ids.whitelabel_user_ids),
    };
    if !scope.is_readable(credential.kind()) {
        return Err(Failure::Configuration(format!(
            "nothing to read: the {} collector, which finds organizations, is off; name them with --organization-id",
            Scope::discovery(credential.kind()).name()
        )));
    }
    let settings = Settings {
        url: api.url.clone(),
        timeout: api.timeout,
        max_response_size: api.max_response_size,
        usage_query: options.usage_query(),
        terms: Terms {
            now: 0.0,
            compute_time_unit: api.compute_time_unit.seconds(),
            memory_unit: api.memory_unit.bytes(),
            projects: common.collectors.projects,
            most_datasets: common.collectors.most_datasets,
        },
    };
    let own = Arc::new(Own::new());
    let client = Client::new(settings, Arc::clone(&own)).map_err(|error| {
        Failure::Configuration(format!(
            "cannot set up TLS: {error}; are the system's CA certificates installed?"
        ))
    })?;
    let shared = Shared {
        client: Arc::new(client),
        permits: Arc::new(Semaphore::new(usize::from(api.concurrency))),
        own: Arc::clone(&own),
        clock: clock.clone(),
        max_age: common.cache.ttl,
        stale_for: common.cache.stale_for,
    };
    Ok(Arc::new(Exporter {
        accounts: vec![Arc::new(Account::new(ACCOUNT, credential, scope, shared))],
        own,
        clock,
        scrape: common.scrape,
        telemetry_path: common.web.telemetry_path.clone(),
        exporter_metrics: !common.web.disable_exporter_metrics,
        fail_scrape: common.web.fail_scrape,
        api_url: api.url.to_string(),
    }))
}

async fn bind(common: &CommonOptions) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners = Vec::new();
    for address in &common.web.listen_addresses {
        listeners.push(listener::bind(*address).await.map_err(Failure::Configuration)?);
    }
    Ok(listeners)
}

fn announce(exporter: &Exporter, listeners: &[TcpListener]) {
    for address in listeners.iter().filter_map(|listener| listener.local_addr().ok()) {
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            %address,
            path = exporter.telemetry_path,
            api = exporter.api_url,
            "listening"
        );
    }
}

async fn run(exporter: Arc<Exporter>, listeners: Vec<TcpListener>) -> ExitCode {
    let limits = Limits::default();
    let is_clean = listener::serve(listeners, server::app(exporter), told_to_stop(), limits).await;
    if is_clean {
        tracing::info!("stopped");
        ExitCode::SUCCESS
    } else {
        tracing::warn!(after = %humantime::format_duration(limits.grace), "stopped with requests unfinished");
        ExitCode::FAILURE
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

/// Writes to standard output; a reader that has seen enough is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Running(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn log(options: &LogOptions) {
    // A panic is a line of the log like any other, in its format.
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or_default();
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panic: {message}");
    }));
    let level = match options.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(format!("{level},hyper_util=info,reqwest=info,h2=info,rustls=info"))
        .with_writer(std::io::stderr)
        .with_target(false);
    // A second one, as in a test that builds two exporters, changes nothing.
    let _ = match options.format {
        LogFormat::Text => {
            subscriber.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init()
        }
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
}
