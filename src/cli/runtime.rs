//! The tokio runtime, with a number of threads that does not depend on the machine.

use std::convert::Infallible;
use std::io;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};

/// Maximum number of worker threads. Most of a scrape is waiting for the API.
const MAX_WORKERS: usize = 4;

/// Maximum number of threads that wait for DNS, check passwords and decompress large responses.
const MAX_BLOCKING_THREADS: usize = 16;

/// After how many polls of tasks a worker looks at timers and sockets. By default it is 61, and a poll of a connection that
/// always has data takes up to 50 ms: on one core, a call ended two seconds after its timeout.
const EVENT_INTERVAL: u32 = 2;

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
            .event_interval(EVENT_INTERVAL)
            .on_thread_start(read_clock)
            .enable_all()
            .build()
    });
    runtime.map_err(|error| {
        format!(
            "cannot start {workers} threads: {error}: raise the limit, e.g. TasksMax of systemd, or ulimit -u"
        )
    })
}

/// Lets hyper read the clock on this thread: it panics if the clock is before 1970 when the thread serves its first
/// connection, and uses the last date if the clock is set back later.
fn read_clock() {
    if SystemTime::now() < UNIX_EPOCH {
        return;
    }
    let service = service_fn(async |_: Request<Incoming>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(tokio::io::empty()), service);
    let _ = connection.now_or_never();
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn tasks_that_never_wait_do_not_delay_timers() {
        let runtime = start().unwrap();
        let (polls, is_over) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let timer = runtime.spawn(async { tokio::time::sleep(Duration::from_millis(1)).await });
        for _ in 0..MAX_WORKERS {
            let (polls, is_over) = (Arc::clone(&polls), Arc::clone(&is_over));
            runtime.spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(5));
                    polls.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            });
        }
        runtime.block_on(timer).unwrap();
        is_over.store(true, Ordering::Relaxed);
        let polls = polls.load(Ordering::Relaxed);
        assert!(polls < 40, "the timer ended after {polls} polls of other tasks");
    }
}
