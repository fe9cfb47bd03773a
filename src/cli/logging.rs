//! The log, on standard error.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogFormat, LogLevel, LogOptions};

pub(super) fn init(options: &LogOptions) {
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
