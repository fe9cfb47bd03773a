//! Calls of somebody who can wait, whatever a scrape would do.

use std::time::Duration;

use super::Account;
use crate::api::Error;
use crate::collect::rate_limit::Permit;
use crate::model::Call;
use crate::model::Facts;

/// How often a call is made again that the API answered with a wish to be left alone for a while.
const REPEATS: u32 = 3;

/// How long to wait before looking for a place in the minute again.
const SOON: Duration = Duration::from_secs(1);

impl Account {
    /// Makes `call` when its turn comes, by the rules of scrapes: so many at one time, so many in a minute, none while
    /// the API asks to be left alone. Nothing is kept of the answer.
    ///
    /// # Errors
    /// See [`Error`]; never that of a pause, which is waited for.
    pub async fn ask(&self, call: Call) -> Result<Facts, Error> {
        let mut repeats = 0;
        loop {
            let place = self.turn(call).await;
            let result = self.get(call).await.result;
            drop(place);
            match result {
                Err(Error::Paused { remaining }) => tokio::time::sleep(remaining).await,
                // The pause that it asked for is waited for before the next attempt.
                Err(error) if error.retry_after().is_some() && repeats < REPEATS => repeats += 1,
                result => return result,
            }
        }
    }

    /// Waits for a place in the minute.
    async fn turn(&self, call: Call) -> Permit {
        loop {
            match self.place(call) {
                Some(place) => return place,
                None => tokio::time::sleep(SOON).await,
            }
        }
    }
}
