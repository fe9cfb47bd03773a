//! Standard output, and the log on standard error.

use std::io::Write as _;
use std::process::ExitCode;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Failure;
use crate::config::{LogFormat, LogLevel, LogOptions};

/// Writes to standard output and returns the exit code of success. A closed pipe, as after `| head`, is no error.
pub(super) fn print(content: impl AsRef<[u8]>) -> Result<ExitCode, Failure> {
    match std::io::stdout().write_all(content.as_ref()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Running(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Sets up the log for the whole process.
pub(super) fn init_log(options: &LogOptions) {
    // Panics are logged in the same format as other events.
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
    // Debug events of the HTTP and TLS libraries are too many to be of use.
    let libraries = ["hyper_util", "reqwest", "h2", "rustls"].map(|name| (name, LevelFilter::INFO));
    let filter = Targets::new().with_default(level).with_targets(libraries);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let subscriber = tracing_subscriber::registry().with(filter);
    // Fails if the log is already set up, which is no problem.
    let _ = match options.format {
        LogFormat::Text => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            subscriber.with(layer.with_ansi(is_terminal)).try_init()
        }
        LogFormat::Json => subscriber.with(layer.json().flatten_event(true)).try_init(),
    };
}
