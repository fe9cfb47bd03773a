//! The limit of calls per minute.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

/// The window of the limit.
const WINDOW: Duration = Duration::from_mins(1);

/// Limits the calls that start in any window of 60 s.
///
/// A call counts while it runs and for 60 s after its end. So any 60 s window holds at most `limit` starts: the last call
/// that started in it found all others counted.
#[derive(Debug, Default)]
pub struct RateLimiter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    limit: usize,
    running: usize,
    ended: VecDeque<Instant>,
}

/// Permission to make one call, which ends when this is dropped.
#[derive(Debug)]
pub struct Permit(Option<Arc<RateLimiter>>);

impl Permit {
    /// Returns a permit of a call that is not limited.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self(None)
    }
}

impl RateLimiter {
    /// Changes the limit, which is zero at first. Calls that were permitted before count.
    pub fn set_limit(&self, limit: usize) {
        self.state().limit = limit;
    }

    /// Returns a permit, unless the limit is reached.
    #[must_use]
    pub fn permit(self: &Arc<Self>) -> Option<Permit> {
        let now = Instant::now();
        let mut state = self.state();
        while state.ended.front().is_some_and(|ended| now.duration_since(*ended) >= WINDOW) {
            state.ended.pop_front();
        }
        if state.running + state.ended.len() >= state.limit {
            return None;
        }
        state.running += 1;
        drop(state);
        Some(Permit(Some(Arc::clone(self))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(limiter) = &self.0 else { return };
        let mut state = limiter.state();
        state.running -= 1;
        state.ended.push_back(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn any_minute_has_at_most_as_many_calls_as_the_limit() {
        let limiter = Arc::new(RateLimiter::default());
        limiter.set_limit(3);
        let mut starts: Vec<Instant> = Vec::new();
        for second in 0..600_u64 {
            tokio::time::advance(Duration::from_secs(1)).await;
            if let Some(permit) = limiter.permit() {
                starts.push(Instant::now());
                // Calls of very different duration.
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(second * 7 % 40)).await;
                    drop(permit);
                });
            }
            tokio::task::yield_now().await;
        }
        assert!(starts.len() > 15, "{starts:?}");
        assert!(starts.windows(4).all(|four| four[3] - four[0] >= WINDOW), "{starts:?}");
    }
}
