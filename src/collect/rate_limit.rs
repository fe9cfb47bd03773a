//! How many calls a minute sees.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time in which calls are counted.
const MINUTE: Duration = Duration::from_mins(1);

/// Lets a number of calls begin in any minute, and no more.
///
/// A call counts while it is under way and for a minute after. Of the calls that began in any one minute the last
/// one found all others counted: there were no more than that number.
#[derive(Debug)]
pub struct RateLimiter {
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    ended: VecDeque<Instant>,
}

/// A call's place in its minute; the call is over when this is dropped.
#[derive(Debug)]
pub struct Permit(Option<Arc<RateLimiter>>);

impl Permit {
    /// Returns the place of a call that does not count.
    #[must_use]
    pub const fn uncounted() -> Self {
        Self(None)
    }
}

impl RateLimiter {
    /// Allows `most` calls per minute.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, state: Mutex::default() }
    }

    /// Returns a place for a call, unless this minute has had its calls.
    #[must_use]
    pub fn take(self: &Arc<Self>) -> Option<Permit> {
        let now = Instant::now();
        let mut state = self.state();
        while state.ended.front().is_some_and(|ended| now.duration_since(*ended) >= MINUTE) {
            state.ended.pop_front();
        }
        if state.under_way + state.ended.len() >= self.most {
            return None;
        }
        state.under_way += 1;
        drop(state);
        Some(Permit(Some(Arc::clone(self))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done here where a panic could strike.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(pace) = &self.0 else { return };
        let mut state = pace.state();
        state.under_way -= 1;
        state.ended.push_back(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn any_minute_has_that_many_calls_and_no_more() {
        let pace = Arc::new(RateLimiter::new(3));
        let mut begun: Vec<Instant> = Vec::new();
        for second in 0..600_u64 {
            tokio::time::advance(Duration::from_secs(1)).await;
            if let Some(place) = pace.take() {
                begun.push(Instant::now());
                // Calls of very different length.
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(second * 7 % 40)).await;
                    drop(place);
                });
            }
            tokio::task::yield_now().await;
        }
        assert!(begun.len() > 15, "{begun:?}");
        assert!(begun.windows(4).all(|four| four[3] - four[0] >= MINUTE), "{begun:?}");
    }
}
