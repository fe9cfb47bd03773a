//! Rate limit of requests.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A token bucket: each request takes a token, and one token is added per interval, up to `burst`.
#[derive(Debug)]
pub(super) struct RateLimit {
    interval: Duration,
    burst: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    updated_at: Instant,
}

impl RateLimit {
    /// Returns a full bucket.
    pub(super) fn new(interval: Duration, burst: u32, now: Instant) -> Self {
        Self { interval, burst, state: Mutex::new(State { tokens: f64::from(burst), updated_at: now }) }
    }

    /// Returns whether interval and burst are equal.
    pub(super) fn has_same_settings(&self, other: &Self) -> bool {
        (self.interval, self.burst) == (other.interval, other.burst)
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time until the next token, if the bucket is empty.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        // Critical sections cannot leave partial state, so poisoning is ignored.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_duration_since(state.updated_at).div_duration_f64(self.interval);
        state.tokens = (state.tokens + gained).min(f64::from(self.burst));
        state.updated_at = state.updated_at.max(now);
        if state.tokens < 1.0 {
            return Err(self.interval.mul_f64(1.0 - state.tokens));
        }
        state.tokens -= 1.0;
        Ok(())
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
