//! Statistics of the process, on Linux only.

/// The values of the `process_*` metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Process {
    /// User and system CPU time, in seconds.
    pub cpu: Option<f64>,
    /// Resident memory, in bytes.
    pub resident_memory: Option<f64>,
    /// Number of open file descriptors.
    pub open_fds: Option<f64>,
    /// Maximum number of open file descriptors.
    pub max_fds: Option<f64>,
    /// Start time, in seconds since 1970.
    pub start_time: Option<f64>,
}

impl Process {
    /// Reads `/proc`; a value that cannot be read is `None`.
    #[cfg(target_os = "linux")]
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "none of these numbers comes near 2^53")]
    pub fn read() -> Self {
        let Ok(process) = procfs::process::Process::myself() else { return Self::default() };
        let stat = process.stat().ok();
        let ticks = procfs::ticks_per_second() as f64;
        Self {
            cpu: stat.as_ref().map(|stat| (stat.utime + stat.stime) as f64 / ticks),
            resident_memory: stat.as_ref().map(|stat| (stat.rss * procfs::page_size()) as f64),
            open_fds: process.fd_count().ok().map(|count| count as f64),
            max_fds: process.limits().ok().and_then(|limits| match limits.max_open_files.soft_limit {
                procfs::process::LimitValue::Value(limit) => Some(limit as f64),
                procfs::process::LimitValue::Unlimited => None,
            }),
            start_time: stat
                .and_then(|stat| Some(procfs::boot_time_secs().ok()? as f64 + stat.starttime as f64 / ticks)),
        }
    }

    /// Returns no values: they are read on Linux only.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn read() -> Self {
        Self::default()
    }
}
