//! One call: limits, pauses, rotated credentials, panics and the log.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::Account;
use crate::api::{Error, Share};
use crate::collect::rate_limit::Permit;
use crate::collect::store::Outcome;
use crate::model::{Call, Facts, UnixTime};

/// Longest pause that a `Retry-After` can cause, so that a faulty response does not stop an account for long.
const MAX_PAUSE: Duration = Duration::from_mins(15);

/// How often a call is made, if its credential changes while it runs.
const MAX_CREDENTIALS: u32 = 3;

/// How often a rate-limited call is repeated.
const MAX_REPEATS: u32 = 3;

/// Time between two attempts to get a permit of the rate limit.
const PERMIT_INTERVAL: Duration = Duration::from_secs(1);

/// A pause that the API requested.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    /// Its end. The system clock may be corrected during the pause.
    until: Instant,
    /// Its end by the system clock when it began.
    end: UnixTime,
}

/// A correction of the system clock by more than this is seen in the end of a pause, in seconds.
const CORRECTION: f64 = 60.0;

impl Account {
    /// Makes `call` unless the account is paused. Logs and counts a failure.
    pub(super) async fn call(&self, call: Call, share: &Share) -> Outcome {
        // The semaphore is never closed.
        let _permit = self.limits.permits.acquire().await;
        if let Some(remaining) = self.remaining_pause() {
            let (_, generation) = self.state.credential.current_generation();
            return Outcome { requested_at: None, generation, result: Err(Error::Paused { remaining }) };
        }
        let requested_at = Instant::now();
        let (result, generation) = self.catch_panic(call, self.request(call, share)).await;
        if let Err(error) = &result {
            self.add_failure(call, error, requested_at.elapsed());
            self.pause(error.retry_after());
        }
        Outcome { requested_at: Some(requested_at), generation, result }
    }

    /// Turns a panic into a failure of the call.
    pub(super) async fn catch_panic(
        &self,
        call: Call,
        request: impl Future<Output = (Result<Facts, Error>, u64)>,
    ) -> (Result<Facts, Error>, u64) {
        AssertUnwindSafe(request).catch_unwind().await.unwrap_or_else(|_| {
            let error = Error::Panic(format!("panic in the {} collector", call.collector.name()));
            self.shared.telemetry.panic();
            self.shared.telemetry.api_error(&self.name, call.collector.endpoint(), error.reason());
            (Err(error), self.state.credential.current_generation().1)
        })
    }

    /// Makes the requests of `call` with the current credential, and again if that is replaced in the meantime. Returns
    /// the result with the generation of the credential.
    async fn request(&self, call: Call, share: &Share) -> (Result<Facts, Error>, u64) {
        let now = self.shared.clock.now();
        let mut credentials = 1;
        loop {
            let (credential, generation) = self.state.credential.current_generation();
            let result = self.client.get(&self.name, &call, &credential, share, now).await;
            if matches!(result, Err(Error::Unauthorized(_))) {
                // The credential may have been rotated a moment ago: then its file holds the new one.
                self.refresh_credential().await;
            }
            if generation == self.state.credential.current_generation().1 || credentials == MAX_CREDENTIALS {
                return (result, generation);
            }
            credentials += 1;
            share.settle(false);
        }
    }

    fn pause(&self, retry_after: Option<Duration>) {
        let Some(pause) = retry_after.map(|asked| asked.min(MAX_PAUSE)) else { return };
        let (until, end) = (Instant::now() + pause, self.shared.clock.now() + pause.as_secs_f64());
        let mut known = self.state.pause.lock();
        let is_pausing = known.is_some_and(|known| known.until > Instant::now());
        if known.is_none_or(|known| known.until < until) {
            *known = Some(Pause { until, end });
        }
        drop(known);
        // Calls that were running when the pause began get the same response.
        if is_pausing {
            return;
        }
        let pause = humantime::format_duration(Duration::from_secs(pause.as_secs()));
        tracing::warn!(account = &*self.name, "rate limited: pausing calls for {pause}");
    }

    pub(super) fn pause_end(&self) -> Option<UnixTime> {
        let pause = (*self.state.pause.lock())?;
        let end = self.shared.clock.now() + self.remaining_pause().unwrap_or_default().as_secs_f64();
        let is_corrected = self.remaining_pause().is_some() && (end - pause.end).abs() > CORRECTION;
        Some(if is_corrected { end } else { pause.end })
    }

    pub(super) fn remaining_pause(&self) -> Option<Duration> {
        let pause = (*self.state.pause.lock())?;
        Some(pause.until.saturating_duration_since(Instant::now())).filter(|remaining| !remaining.is_zero())
    }

    /// Makes `call` without a deadline, for commands that are not scrapes, within the limits of scrapes: waits for the
    /// concurrency limit, the rate limit and pauses. The store is not used.
    ///
    /// # Errors
    /// See [`Error`]; never [`Error::Paused`].
    pub async fn fetch(&self, call: Call) -> Result<Facts, Error> {
        let mut repeats = 0;
        loop {
            let _reporting = self.report_at_end();
            let permit = self.wait_for_permit(call).await;
            let result = self.call(call, &Share::default()).await.result;
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
