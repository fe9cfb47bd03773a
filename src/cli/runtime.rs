//! The tokio runtime, with a number of threads that does not depend on the machine.

use std::io;
use std::sync::Mutex;
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// Maximum number of worker threads. Most of a scrape is waiting for the API.
const MAX_WORKERS: usize = 4;

/// Maximum number of threads that wait for DNS and check passwords.
const MAX_BLOCKING_THREADS: usize = 16;

/// Starts the runtime.
///
/// # Errors
/// If the system does not allow the threads.
pub(super) fn start() -> Result<Runtime, String> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS);
    let runtime = check_threads(workers).and_then(|()| {
        Builder::new_multi_thread()
            .worker_threads(workers)
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .enable_all()
            .build()
    });
    runtime.map_err(|error| {
        format!(
            "cannot start {workers} threads: {error}: raise the limit, e.g. TasksMax of systemd, or ulimit -u"
        )
    })
}

/// Starts this number of threads and ends them again: tokio would panic, or wait for ever, if one could not be started.
fn check_threads(count: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let _closed = gate.lock();
        (0..count).try_for_each(|_| {
            let waiting = thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()));
            waiting.map(drop)
        })
    })
}
