//! Calls without a deadline, for commands that are not scrapes.

use std::time::Duration;

use super::Account;
use crate::api::Error;
use crate::collect::rate_limit::Permit;
use crate::model::{Call, Facts};

/// How often a rate-limited call is repeated.
const MAX_REPEATS: u32 = 3;

/// Time between two attempts to get a permit of the rate limit.
const PERMIT_INTERVAL: Duration = Duration::from_secs(1);

impl Account {
    /// Makes `call` within the limits of scrapes: waits for the concurrency limit, the rate limit and pauses. The store is
    /// not used.
    ///
    /// # Errors
    /// See [`Error`]; never [`Error::Paused`].
    pub async fn fetch(&self, call: Call) -> Result<Facts, Error> {
        let mut repeats = 0;
        loop {
            let permit = self.wait_for_permit(call).await;
            let result = self.call(call).await.result;
            drop(permit);
            match result {
                Err(Error::Paused { remaining }) => tokio::time::sleep(remaining).await,
                // The next attempt waits for the pause that this response has started.
                Err(error) if error.retry_after().is_some() && repeats < MAX_REPEATS => repeats += 1,
                result => return result,
            }
        }
    }

    async fn wait_for_permit(&self, call: Call) -> Permit {
        loop {
            match self.permit(call) {
                Some(permit) => return permit,
                None => tokio::time::sleep(PERMIT_INTERVAL).await,
            }
        }
    }
}
