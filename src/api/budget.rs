//! The limits of what all responses to an account together may leave in memory.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::{MAX_BYTES, MAX_ORGANIZATIONS};

/// What is left of an account's limits.
#[derive(Clone, Debug)]
pub struct Budget {
    organizations: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            organizations: Arc::new(Semaphore::new(MAX_ORGANIZATIONS)),
            bytes: Arc::new(Semaphore::new(MAX_BYTES)),
        }
    }
}

/// The part of the limits that the facts of one call take. It is given back when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Share(Arc<Mutex<Both>>);

#[derive(Debug)]
struct Both {
    organizations: Taken,
    bytes: Taken,
}

impl Share {
    /// Returns a share with nothing in it.
    #[must_use]
    pub fn of(budget: &Budget) -> Self {
        let Budget { organizations, bytes } = budget;
        let both = Both { organizations: Taken::of(organizations), bytes: Taken::of(bytes) };
        Self(Arc::new(Mutex::new(both)))
    }

    /// Takes an organization. Returns false if the limit is reached.
    pub(super) fn take_organization(&self) -> bool {
        self.both().organizations.take(1)
    }

    /// Takes this number of bytes. Returns false if the limit is reached.
    pub(super) fn take_bytes(&self, bytes: usize) -> bool {
        self.both().bytes.take(bytes)
    }

    /// Records the end of the call. Its facts are kept in place of the ones before, or dropped.
    pub fn settle(&self, is_kept: bool) {
        let mut both = self.both();
        both.organizations.settle(is_kept);
        both.bytes.settle(is_kept);
    }

    fn both(&self) -> MutexGuard<'_, Both> {
        self.0.lock()
    }
}

/// A share for a single call, which no other one competes with.
impl Default for Share {
    fn default() -> Self {
        Self::of(&Budget::default())
    }
}

/// What is taken of one limit.
#[derive(Debug)]
struct Taken {
    /// For the facts that are kept, and for what the new ones need beyond that: a call that is repeated competes with
    /// others only for what has been added. The limit is never closed, so that there always is one.
    permit: Option<OwnedSemaphorePermit>,
    kept: usize,
    new: usize,
}

impl Taken {
    fn of(limit: &Arc<Semaphore>) -> Self {
        Self { permit: Arc::clone(limit).try_acquire_many_owned(0).ok(), kept: 0, new: 0 }
    }

    fn take(&mut self, amount: usize) -> bool {
        let Some(permit) = &mut self.permit else { return false };
        let missing = (self.new + amount).saturating_sub(permit.num_permits());
        if missing > 0 {
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            let Ok(more) = Arc::clone(permit.semaphore()).try_acquire_many_owned(missing) else { return false };
            permit.merge(more);
        }
        self.new += amount;
        true
    }

    fn settle(&mut self, is_kept: bool) {
        let new = std::mem::take(&mut self.new);
        self.kept = if is_kept { new } else { self.kept };
        let kept = self.kept;
        let surplus =
            |permit: &mut OwnedSemaphorePermit| permit.split(permit.num_permits().saturating_sub(kept));
        drop(self.permit.as_mut().and_then(surplus));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_share_the_limit_and_a_repeated_one_needs_nothing_new() {
        let budget = Budget::default();
        let (one, other) = (Share::of(&budget), Share::of(&budget));
        let take = |share: &Share, count: usize| (0..count).filter(|_| share.take_organization()).count();
        assert_eq!(take(&one, 6_000), 6_000);
        one.settle(true);
        assert_eq!(take(&other, 6_000), 4_000, "what the other one has left");
        other.settle(false);
        assert_eq!(take(&other, 3_000), 3_000);
        other.settle(true);
        assert_eq!(take(&one, 8_000), 7_000, "what it had, and what is free");
        one.settle(false);
        assert_eq!(take(&one, 5_000), 5_000);
        one.settle(true);
        assert_eq!(take(&other, 6_000), 5_000);
        other.settle(true);
        drop(one);
        assert_eq!(take(&other, 20_000), MAX_ORGANIZATIONS);
    }
}
