//! The limits of an account.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::collect::rate_limit::RateLimiter;

/// The limits of the accounts of one name, and what is used of them. They outlive a reload of the configuration,
/// whatever it changes, because so do running calls and those of the last minute.
#[derive(Debug)]
pub struct Limits {
    /// Maximum concurrent calls.
    concurrency: Mutex<usize>,
    /// Has a permit for each of the concurrent calls.
    pub(super) permits: Arc<Semaphore>,
    /// Maximum calls per minute.
    pub(super) rate: Arc<RateLimiter>,
}

impl Default for Limits {
    /// Returns limits that allow nothing until they are set.
    fn default() -> Self {
        Self { concurrency: Mutex::default(), permits: Arc::new(Semaphore::new(0)), rate: Arc::default() }
    }
}

impl Limits {
    /// Changes the limits. If more calls than allowed are running, those that end make no room until the rest is allowed.
    pub fn set(&self, concurrency: usize, calls_per_minute: usize) {
        self.rate.set_limit(calls_per_minute);
        let before = std::mem::replace(&mut *self.concurrency.lock(), concurrency);
        self.permits.add_permits(concurrency.saturating_sub(before));
        let surplus = u32::try_from(before.saturating_sub(concurrency)).unwrap_or(u32::MAX);
        if surplus > 0 {
            let permits = Arc::clone(&self.permits);
            tokio::spawn(async move { permits.acquire_many(surplus).await.map(SemaphorePermit::forget) });
        }
    }

    /// Returns the maximum number of concurrent calls.
    pub(super) fn concurrency(&self) -> usize {
        *self.concurrency.lock()
    }
}
