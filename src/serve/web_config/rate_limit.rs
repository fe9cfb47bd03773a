//! Rate limit of requests.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Deserialize;

use super::values::{GoDuration, Number};

/// `rate_limit`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateSection {
    interval: Option<GoDuration>,
    burst: Option<Number>,
}

/// A token bucket: each request takes a token, and one token is added per interval, up to `burst`.
#[derive(Debug)]
pub(super) struct RateLimit {
    interval: Duration,
    burst: u32,
    /// The number of tokens at a time.
    tokens: Mutex<(f64, Instant)>,
}

impl RateLimit {
    /// Builds the limit, or returns `None` without an interval. Without a burst, no request is allowed.
    pub(super) fn build(section: &RateSection) -> Option<Self> {
        let GoDuration(interval) = section.interval.filter(|GoDuration(interval)| !interval.is_zero())?;
        let burst = section.burst.map_or(0, |Number(burst)| burst);
        Some(Self::new(interval, burst, Instant::now()))
    }

    /// Returns a full bucket.
    fn new(interval: Duration, burst: u32, now: Instant) -> Self {
        Self { interval, burst, tokens: Mutex::new((f64::from(burst), now)) }
    }

    /// Returns whether interval and burst are equal.
    pub(super) fn has_same_settings(&self, other: &Self) -> bool {
        (self.interval, self.burst) == (other.interval, other.burst)
    }

    /// Takes a token. If the bucket is empty, returns the time until the next token as an error.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.tokens.lock();
        let (before, updated_at) = *state;
        let gained = now.saturating_duration_since(updated_at).div_duration_f64(self.interval);
        let tokens = (before + gained).min(f64::from(self.burst));
        let is_allowed = tokens >= 1.0;
        *state = (if is_allowed { tokens - 1.0 } else { tokens }, updated_at.max(now));
        if is_allowed { Ok(()) } else { Err(self.interval.mul_f64(1.0 - tokens)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_one_request_per_interval() {
        let start = Instant::now();
        let limit = RateLimit::new(Duration::from_secs(2), 3, start);
        let at = |seconds| limit.take(start + Duration::from_secs_f64(seconds)).is_ok();
        assert_eq!([at(0.0), at(0.0), at(0.0), at(0.0)], [true, true, true, false]);
        assert_eq!([at(1.5), at(2.0), at(2.0)], [false, true, false]);
        assert_eq!([at(3600.0), at(3600.0), at(3600.0), at(3600.0)], [true, true, true, false]);
        assert_eq!(limit.take(start + Duration::from_hours(1)), Err(Duration::from_secs(2)));
    }
}
