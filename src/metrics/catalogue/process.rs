//! Metrics of the process, with the names that Prometheus client libraries use.

use super::metric::{Metric, counter, gauge};
use crate::metrics::process::Process;

/// One row per metric.
pub static PROCESS: &[Metric<Process>] = &[
    counter("process_cpu_seconds_total", "User and system CPU time of the process.", &[], |p, s| {
        s.add([], p.cpu);
    }),
    gauge("process_resident_memory_bytes", "Resident memory of the process.", &[], &[], |p, s| {
        s.add([], p.resident_memory);
    }),
    gauge("process_open_fds", "Number of open file descriptors.", &[], &[], |p, s| s.add([], p.open_fds)),
    gauge("process_max_fds", "Maximum number of open file descriptors.", &[], &[], |p, s| s.add([], p.max_fds)),
    gauge("process_start_time_seconds", "Start time of the process.", &[], &[], |p, s| s.add([], p.start_time)),
];
