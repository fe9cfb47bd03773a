//! Statistics of the process, on Linux only.

/// The values of the `process_*` metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Process {
    /// User and system CPU time, in seconds.
    pub cpu: Option<f64>,
    /// Resident memory, in bytes.
    pub resident_memory: Option<f64>,
    /// Virtual memory, in bytes.
    pub virtual_memory: Option<f64>,
    /// Maximum virtual memory, in bytes; 2^64 if it is unlimited.
    pub virtual_memory_max: Option<f64>,
    /// Resident memory that is not backed by a file, in bytes: the heap and the stacks.
    pub heap: Option<f64>,
    /// Number of threads.
    pub threads: Option<f64>,
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
        let (stat, limits) = (process.stat().ok(), process.limits().ok());
        let ticks = procfs::ticks_per_second() as f64;
        // The metrics of Go programs have the same number for "unlimited".
        let soft = |limit: procfs::process::Limit| match limit.soft_limit {
            procfs::process::LimitValue::Value(limit) => limit as f64,
            procfs::process::LimitValue::Unlimited => u64::MAX as f64,
        };
        Self {
            cpu: stat.as_ref().map(|stat| (stat.utime + stat.stime) as f64 / ticks),
            resident_memory: stat.as_ref().map(|stat| (stat.rss * procfs::page_size()) as f64),
            virtual_memory: stat.as_ref().map(|stat| stat.vsize as f64),
            virtual_memory_max: limits.as_ref().map(|limits| soft(limits.max_address_space)),
            heap: process.status().ok().and_then(|status| Some((status.rssanon? * 1024) as f64)),
            threads: stat.as_ref().map(|stat| stat.num_threads as f64),
            open_fds: process.fd_count().ok().map(|count| count as f64),
            max_fds: limits.as_ref().map(|limits| soft(limits.max_open_files)),
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
