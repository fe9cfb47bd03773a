//! The time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::snapshot::UnixTime;

/// Where the time of day comes from.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The system.
    #[default]
    System,
    /// A clock that stands still, for answers and expositions as of a given moment.
    Fixed(UnixTime),
}

impl Clock {
    /// Returns the time of day.
    #[must_use]
    pub fn now(self) -> UnixTime {
        match self {
            // A clock before 1970 is not set yet; no date of the API makes sense then either.
            Self::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            Self::Fixed(now) => now,
        }
    }
}
