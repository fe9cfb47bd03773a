//! Metrics of the process, with the names that Prometheus client libraries use.

use crate::metrics::process::Process;

catalogue! { pub static PROCESS: Process, |p, s|
    Counter(&[], &[]) process_cpu_seconds_total
        "User and system CPU time of the process." => s.add([], p.cpu);
    Gauge(&[], &[]) process_resident_memory_bytes
        "Resident memory of the process." => s.add([], p.resident_memory);
    Gauge(&[], &[]) process_open_fds
        "Number of open file descriptors." => s.add([], p.open_fds);
    Gauge(&[], &[]) process_max_fds
        "Maximum number of open file descriptors." => s.add([], p.max_fds);
    Gauge(&[], &[]) process_start_time_seconds
        "Start time of the process." => s.add([], p.start_time);
}
