//! The source of the current time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::UnixTime;

/// Returns for how long the machine was suspended since it started, which the monotonic clock of [`Instant`] leaves out.
///
/// [`Instant`]: std::time::Instant
#[must_use]
pub fn time_suspended() -> Duration {
    #[cfg(target_os = "linux")]
    {
        use rustix::time::{ClockId, clock_gettime};
        let time = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        time(ClockId::Boottime).saturating_sub(time(ClockId::Monotonic))
    }
    #[cfg(not(target_os = "linux"))]
    Duration::ZERO
}

/// The source of the current time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system clock.
    #[default]
    System,
    /// Always the same time, for a recording that is replayed.
    Fixed(UnixTime),
    /// The time that was set last, for the demo's history.
    Manual(ManualClock),
}

/// A time that all copies of the clock share; 1970 until it is set.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Sets the current time of all copies.
    pub fn set(&self, now: UnixTime) {
        self.0.store(now.to_bits(), Ordering::Relaxed);
    }
}

impl Clock {
    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        match self {
            // A system clock before 1970 is not set yet.
            Self::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            Self::Fixed(now) => *now,
            Self::Manual(ManualClock(now)) => UnixTime::from_bits(now.load(Ordering::Relaxed)),
        }
    }
}
