//! What the program does, from options to exit codes.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap_complete::Shell;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::check::Report;
use crate::clock::Clock;
use crate::config::{
    self, AccountOptions, CheckFormat, Command, CommandLine, CommonOptions, Configuration, DemoOptions,
    HistoryOptions, ListenAddress, LogFormat, LogLevel, LogOptions, Options, ReferenceFormat,
};
use crate::demo::{self, world::World};
use crate::drift::Document;
use crate::exporter::Exporter;
use crate::health;
use crate::history::{self, Past};
use crate::listener::Limits;
use crate::manual;
use crate::metrics::catalogue::RENAMED;
use crate::options;
use crate::recording::Recorder;
use crate::reference;
use crate::reload::Live;
use crate::scrape::Selection;
use crate::server;
use crate::snapshot::Snapshot;
use crate::web::{Front, WebConfig};

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

/// Does what was asked.
///
/// It waits here and not in the program's other crate, where the compiler would make all that waits once more.
///
/// # Errors
/// See [`Failure`].
pub fn execute(command_line: CommandLine) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::Running(format!("the threads cannot be started: {error}")))?;
    runtime.block_on(async {
        match command_line.command {
            None => serve(command_line.options).await,
            Some(Command::Demo(options)) => demo(&options).await,
            Some(Command::Scrape { record, options }) => scrape(*options, record.as_deref()).await,
            Some(Command::Check { format, options }) => check(*options, format).await,
            Some(Command::CheckConfig { schema, options }) => check_config(*options, schema),
            Some(Command::History(options)) => history(*options).await,
            Some(Command::Healthcheck(options)) => healthcheck(&options),
            Some(Command::CheckApi { openapi }) => check_api(&openapi),
            Some(Command::Metrics { format }) => metrics(format),
            Some(Command::Completions { shell }) => completions(shell),
            Some(Command::Man { directory, markdown }) => man(directory.as_deref(), markdown),
        }
    })
}

/// Serves the metrics of the configured account until the process is told to stop.
///
/// # Errors
/// If the configuration cannot work.
async fn serve(options: Options) -> Result<ExitCode, Failure> {
    let configuration = options.configuration().map_err(Failure::Configuration)?;
    log(&configuration.common.log);
    let exporter = build(configuration).await?;
    let front = open(&exporter.configuration.common).await?;
    front.announce(&exporter.web().telemetry_path, exporter.configuration.api.url.as_str());
    Ok(run(exporter, front).await)
}

/// Serves the metrics of a simulated API.
///
/// # Errors
/// If an address cannot be listened on.
async fn demo(options: &DemoOptions) -> Result<ExitCode, Failure> {
    log(&options.common.log);
    let now = Clock::System.now();
    let world = World::starting(now).with_organizations(options.organizations);
    if let Some(length) = options.history {
        let port = options.common.web.listen_addresses.iter().find_map(ListenAddress::port).unwrap_or_default();
        let (instance, step) = (format!("localhost:{port}"), options.history_step);
        print(&demo::history::write(options.common.clone(), world, &instance, now, length, step).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let front = open(&options.common).await?;
    let api =
        demo::start_in(world, Clock::System).await.map_err(|error| Failure::Running(error.to_string()))?;
    let exporter = api.exporter(options.common.clone())?;
    let (scheme, port, path) = (front.scheme(), front.port(), &exporter.web().telemetry_path);
    print(&format!(
        "A simulated Edge Impulse API answers at {}\n\
         The exporter reads it as it would read the real one:\n\
         \x20 {scheme}://localhost:{port}{path}  the metrics\n\
         \x20 {scheme}://localhost:{port}/         a page for people\n\
         Nothing outside this machine is contacted. Ctrl-C ends it.\n",
        api.url()
    ))?;
    Ok(run(exporter, front).await)
}

/// Collects once and writes the metrics to standard output, in the Prometheus text format; keeps the answers, redacted,
/// in the directory `record`.
///
/// # Errors
/// If the configuration cannot work, or an answer could not be kept.
async fn scrape(options: Options, record: Option<&Path>) -> Result<ExitCode, Failure> {
    let mut configuration = options.configuration().map_err(Failure::Configuration)?;
    let recorder = record.map(|directory| {
        Recorder::create(directory, &configuration.accounts, Clock::System.now()).map(Arc::new)
    });
    configuration.keep.answers = recorder.transpose().map_err(Failure::Configuration)?;
    let (exporter, text, snapshot) = collect_once(configuration).await?;
    print(&server::Format::PrometheusText.write(text))?;
    if let Some(recorder) = &exporter.configuration.keep.answers {
        let answers = recorder.end().map_err(Failure::Running)?;
        tracing::info!(answers, "the answers were kept, redacted: read them before you pass them on");
    }
    let is_up = snapshot.accounts.iter().all(|account| account.up == Some(true));
    Ok(if is_up { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes every call once and writes what came of it to standard output.
///
/// # Errors
/// If the configuration cannot work.
async fn check(options: Options, format: CheckFormat) -> Result<ExitCode, Failure> {
    let configuration = options.configuration().map_err(Failure::Configuration)?;
    let (exporter, _, snapshot) = collect_once(configuration).await?;
    let report = Report::new(&exporter, &snapshot);
    print(&match format {
        CheckFormat::Table => report.table(),
        CheckFormat::Json => report.json(),
    })?;
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes what the API keeps of the past, a file for each organization and user.
///
/// # Errors
/// If the configuration cannot work, a file cannot be written, or something could not be read; what could is there.
async fn history(options: HistoryOptions) -> Result<ExitCode, Failure> {
    let labels = options.labels();
    let HistoryOptions { output, until, options, .. } = options;
    let mut configuration = options.configuration().map_err(Failure::Configuration)?;
    log(&configuration.common.log);
    configuration.keep.days = true;
    // White labels are found among all organizations, whichever of theirs are to be written.
    let only = |account: &mut AccountOptions| std::mem::take(&mut account.scope.organization_ids);
    let organizations = configuration.accounts.iter_mut().map(|account| only(account).into_iter().collect());
    let organizations = organizations.collect();
    let exporter = build(configuration).await?;
    let latest = exporter.clock.now() - history::MARGIN.as_secs_f64();
    let past = Past { labels, end: until.map_or(latest, |until| until.min(latest)) };
    let job = history::Job { output, past, organizations };
    let report = history::write(&exporter, &job).await.map_err(Failure::Running)?;
    if report.all() == 0 {
        return Err(Failure::Running(
            "no white label: the credential administers none; name the organization that owns it with \
             --whitelabel.organization-id, and its users with --whitelabel.user-id"
                .to_owned(),
        ));
    }
    print(&report.line(&job.output))?;
    report.failure().map_or(Ok(ExitCode::SUCCESS), |failure| Err(Failure::Running(failure)))
}

/// Builds the exporter of a configuration; one that replays a recording, together with what it asks.
async fn build(mut configuration: Configuration) -> Result<Arc<Exporter>, Failure> {
    let mut clock = Clock::System;
    if let Some(replay) = &configuration.replay {
        configuration.api.url = replay.serve().await.map_err(Failure::Running)?;
        clock = Clock::Fixed(replay.at());
    }
    Exporter::build(configuration, clock, None).map_err(Failure::Configuration)
}

/// Reads everything that is configured, and returns the metrics with it.
async fn collect_once(configuration: Configuration) -> Result<(Arc<Exporter>, String, Arc<Snapshot>), Failure> {
    log(&configuration.common.log);
    let exporter = build(configuration).await?;
    // Nobody waits for this scrape but the person who asked for it: it may take as long as a call may.
    let Configuration { api, common, .. } = &exporter.configuration;
    let budget = common.scrape.timeout_max.unwrap_or(api.timeout.saturating_mul(2));
    let all = Selection::default();
    let collected = exporter.collect(&exporter.accounts, &all, true, budget).await;
    let (text, snapshot) = collected.map_err(|error| Failure::Running(error.to_string()))?;
    Ok((exporter, text, snapshot))
}

/// Says whether the configuration could be used, or what the file of one looks like.
///
/// # Errors
/// If it could not.
fn check_config(options: Options, schema: bool) -> Result<ExitCode, Failure> {
    if schema {
        print(&config::file::schema())?;
        return Ok(ExitCode::SUCCESS);
    }
    let configuration = options.configuration().map_err(Failure::Configuration)?;
    let exporter = Exporter::build(configuration, Clock::System, None).map_err(Failure::Configuration)?;
    if let Some(path) = &exporter.web().web_config_file {
        WebConfig::load(path).map_err(|error| Failure::Configuration(error.to_string()))?;
    }
    let count = exporter.accounts.len();
    let names: Vec<_> = exporter.accounts.iter().map(|account| &*account.name).collect();
    print(&format!("The configuration can be used. Accounts: {count} ({}).\n", names.join(", ")))?;
    Ok(ExitCode::SUCCESS)
}

/// Says where a document of the API is not as the exporter reads it.
///
/// # Errors
/// If the document cannot be read.
fn check_api(openapi: &Path) -> Result<ExitCode, Failure> {
    let unusable = |error: String| Failure::Configuration(format!("{}: {error}", openapi.display()));
    let text =
        std::fs::read_to_string(openapi).map_err(|error| unusable(format!("it cannot be read: {error}")))?;
    let differences = Document::parse(&text).map_err(unusable)?.differences();
    if differences.is_empty() {
        print("All that is read is in the document, as it is read.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let lines: Vec<_> = differences.iter().map(ToString::to_string).collect();
    print(&(lines.join("\n") + "\n"))?;
    Ok(ExitCode::FAILURE)
}

/// Asks the exporter that runs with these options whether it is healthy.
///
/// # Errors
/// If it does not say so.
fn healthcheck(options: &Options) -> Result<ExitCode, Failure> {
    let configuration = options.config_file.as_deref().map(config::file::read).transpose();
    let configuration = configuration.map_err(Failure::Configuration)?;
    let web = configuration.as_ref().map_or(&options.common.web, |configuration| &configuration.common.web);
    health::check(web).map_err(Failure::Running)?;
    print("healthy\n")?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the reference of all metrics to standard output.
///
/// # Errors
/// If it cannot be written.
fn metrics(format: ReferenceFormat) -> Result<ExitCode, Failure> {
    print(&match format {
        ReferenceFormat::Markdown => reference::markdown(),
        ReferenceFormat::Json => reference::json(),
        ReferenceFormat::Rules => reference::rules(RENAMED),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Writes what makes a shell complete the command line to standard output.
///
/// # Errors
/// If it cannot be written.
fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    write(&manual::completions(shell))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the manual page to standard output, or those of all commands into a directory, or the reference of options.
///
/// # Errors
/// If they cannot be written.
fn man(directory: Option<&Path>, markdown: bool) -> Result<ExitCode, Failure> {
    if markdown {
        print(&options::markdown())?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(directory) = directory else {
        write(&manual::page().map_err(|error| Failure::Running(error.to_string()))?)?;
        return Ok(ExitCode::SUCCESS);
    };
    let cannot = |error| format!("cannot write manual pages into {}: {error}", directory.display());
    manual::write_pages(directory).map_err(cannot).map_err(Failure::Running)?;
    Ok(ExitCode::SUCCESS)
}

async fn open(common: &CommonOptions) -> Result<Front, Failure> {
    Front::open(&common.web).await.map_err(Failure::Configuration)
}

async fn run(exporter: Arc<Exporter>, front: Front) -> ExitCode {
    let limits = Limits::default();
    let live = Live::new(exporter);
    tokio::spawn(reload_when_told(Arc::clone(&live)));
    let is_clean = front.serve(server::app(live), told_to_stop(), limits).await;
    if is_clean {
        tracing::info!("stopped");
        ExitCode::SUCCESS
    } else {
        tracing::warn!(after = %humantime::format_duration(limits.grace), "stopped with requests unfinished");
        ExitCode::FAILURE
    }
}

/// Reads the configuration file again at each SIGHUP.
async fn reload_when_told(live: Arc<Live>) {
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

/// Writes to standard output; a reader that has seen enough is no failure.
fn print(text: &str) -> Result<(), Failure> {
    write(text.as_bytes())
}

/// Like [`print()`], for what others have made.
fn write(bytes: &[u8]) -> Result<(), Failure> {
    match std::io::stdout().write_all(bytes) {
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
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // How others speak HTTP and TLS is not what the levels below are for.
    let others = ["hyper_util", "reqwest", "h2", "rustls"].map(|name| (name, LevelFilter::INFO));
    let filter = Targets::new().with_default(level).with_targets(others);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let subscriber = tracing_subscriber::registry().with(filter);
    // A second one, as in a test that builds two exporters, changes nothing.
    let _ = match options.format {
        LogFormat::Text => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            subscriber.with(layer.with_ansi(is_terminal)).try_init()
        }
        LogFormat::Json => subscriber.with(layer.json().flatten_event(true)).try_init(),
    };
}
