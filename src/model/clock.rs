//! The time of day.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::UnixTime;

/// Where the time of day comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system.
    #[default]
    System,
    /// A clock that stands still, for answers and expositions as of a given moment.
    Fixed(UnixTime),
    /// A clock that stands still until it is set.
    Hand(Hand),
}

/// The hand of a clock that is set by its owner.
#[derive(Clone, Debug, Default)]
pub struct Hand(Arc<AtomicU64>);

impl Hand {
    /// Sets the time of day of all clocks that have this hand.
    pub fn set(&self, now: UnixTime) {
        self.0.store(now.to_bits(), Ordering::Relaxed);
    }
}

impl Clock {
    /// Returns the time of day.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        match self {
            // A clock before 1970 is not set yet; no date of the API makes sense then either.
            Self::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            Self::Fixed(now) => *now,
            Self::Hand(Hand(now)) => UnixTime::from_bits(now.load(Ordering::Relaxed)),
        }
    }
}
