//! Telemetry: counters and histograms of the exporter itself.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use parking_lot::Mutex;
use prometheus_client::metrics::histogram::Histogram;

use crate::model::UnixTime;

/// Upper bounds of the buckets of request durations, in seconds. The last one is the default of `--api.timeout`.
const DURATION_BOUNDS: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0];

/// Series of one histogram: a bucket per bound, the bucket `+Inf`, the sum and the count.
pub const SERIES_PER_HISTOGRAM: u64 = DURATION_BOUNDS.len() as u64 + 3;

/// The values of `N` labels.
pub type Labels<const N: usize> = [Cow<'static, str>; N];

/// Counters by the values of `N` labels, in the order of the values.
///
/// `prometheus_client::metrics::family::Family` has no order and cannot list its labels, which
/// [`Telemetry::forget_accounts`] needs.
#[derive(Debug)]
pub struct Counters<const N: usize>(Mutex<BTreeMap<Labels<N>, u64>>);

impl<const N: usize> Default for Counters<N> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<const N: usize> Counters<N> {
    /// Adds `amount`; 0 creates the series. Returns the count before.
    fn add(&self, labels: Labels<N>, amount: u64) -> u64 {
        let mut counters = self.0.lock();
        let count = counters.entry(labels).or_default();
        let before = *count;
        *count = before.saturating_add(amount);
        before
    }

    /// Calls `visit` with each series.
    pub fn each(&self, mut visit: impl FnMut(&Labels<N>, u64)) {
        for (labels, count) in &*self.0.lock() {
            visit(labels, *count);
        }
    }
}

/// The counters and histograms of the exporter. The catalogue has their names and help texts.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Requests by account, endpoint and status code.
    pub requests: Counters<3>,
    /// Failed requests by account, endpoint and reason.
    pub api_errors: Counters<3>,
    /// Durations of requests by endpoint.
    pub durations: Durations,
    /// Bytes of responses by endpoint, after decompression.
    pub response_bytes: Counters<1>,
    /// Reads of collectors by collector and result.
    pub reads: Counters<2>,
    /// Calls that exceeded the deadline of a scrape, by collector.
    pub deadlines_exceeded: Counters<1>,
    /// Values that could not be decoded, by endpoint and field.
    pub decode_errors: Counters<2>,
    /// Texts that were shortened and elements of lists that were left out, by endpoint and field.
    pub truncated: Counters<2>,
    /// Panics during calls.
    pub panics: Counters<0>,
    /// Times that a limit of the HTTP server was reached, by limit.
    pub web_limits: Counters<1>,
    load: Mutex<ConfigLoad>,
}

/// The last load of the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConfigLoad {
    /// Whether it succeeded.
    pub successful: bool,
    /// Time of the last load that succeeded.
    pub succeeded_at: UnixTime,
}

/// Histograms of durations by endpoint.
#[derive(Debug, Default)]
pub struct Durations(Mutex<BTreeMap<&'static str, Histogram>>);

impl Durations {
    /// Calls `visit` with each series.
    pub fn each(&self, mut visit: impl FnMut(&'static str, &Histogram)) {
        for (endpoint, histogram) in &*self.0.lock() {
            visit(endpoint, histogram);
        }
    }
}

impl Telemetry {
    /// Returns telemetry without counts, for a configuration loaded at `now`.
    #[must_use]
    pub fn new(now: UnixTime) -> Self {
        let telemetry = Self::default();
        telemetry.panics.add([], 0);
        for limit in ["connections", "passwords", "requests", "responses"] {
            telemetry.web_limits.add([limit.into()], 0);
        }
        telemetry.reloaded(Some(now));
        telemetry
    }

    /// Records a load of the configuration, and its time if it succeeded.
    pub fn reloaded(&self, succeeded_at: Option<UnixTime>) {
        let mut load = self.load.lock();
        load.successful = succeeded_at.is_some();
        load.succeeded_at = succeeded_at.unwrap_or(load.succeeded_at);
    }

    /// Returns the last load of the configuration.
    pub fn load(&self) -> ConfigLoad {
        *self.load.lock()
    }

    /// Removes the counters of accounts that are no longer configured.
    pub fn forget_accounts(&self, is_configured: impl Fn(&str) -> bool) {
        for counters in [&self.requests, &self.api_errors] {
            counters.0.lock().retain(|[account, ..], _| is_configured(account));
        }
    }

    /// Creates the series of a collector of an account at 0, because `increase()` does not see the first value of a
    /// series. `reasons` are those of [`Self::api_error`], `results` those of [`Self::read`].
    pub fn init_series(
        &self,
        account: &str,
        collector: &'static str,
        endpoint: &'static str,
        reasons: &[&'static str],
        results: &[&'static str],
    ) {
        for &reason in reasons {
            self.api_errors.add([account.to_owned().into(), endpoint.into(), reason.into()], 0);
        }
        for &result in results {
            self.reads.add([collector.into(), result.into()], 0);
        }
        self.deadlines_exceeded.add([collector.into()], 0);
        self.response_bytes.add([endpoint.into()], 0);
    }

    /// Counts a request; `status` is `None` if no response was received.
    pub fn request(&self, account: &str, endpoint: &'static str, status: Option<u16>, duration: Duration) {
        // A server may send any number.
        let code = match status.map(StatusCode::from_u16) {
            None => Cow::Borrowed("none"),
            Some(Ok(code)) if code.canonical_reason().is_some() => code.as_str().to_owned().into(),
            Some(_) => "other".into(),
        };
        self.requests.add([account.to_owned().into(), endpoint.into(), code], 1);
        let mut durations = self.durations.0.lock();
        let histogram = durations.entry(endpoint).or_insert_with(|| Histogram::new(DURATION_BOUNDS));
        histogram.observe(duration.as_secs_f64());
    }

    /// Counts a failed request.
    pub fn api_error(&self, account: &str, endpoint: &'static str, reason: &'static str) {
        self.api_errors.add([account.to_owned().into(), endpoint.into(), reason.into()], 1);
    }

    /// Counts bytes of a response.
    pub fn received(&self, endpoint: &'static str, bytes: u64) {
        self.response_bytes.add([endpoint.into()], bytes);
    }

    /// Counts a read of a collector.
    pub fn read(&self, collector: &'static str, result: &'static str) {
        self.reads.add([collector.into(), result.into()], 1);
    }

    /// Counts a call that exceeded the deadline of a scrape.
    pub fn deadline_exceeded(&self, collector: &'static str) {
        self.deadlines_exceeded.add([collector.into()], 1);
    }

    /// Counts values that could not be decoded.
    pub fn decode_errors(&self, endpoint: &'static str, field: &'static str, times: u64) {
        self.decode_errors.add([endpoint.into(), field.into()], times);
    }

    /// Counts texts that were shortened and elements that were left out. Returns true for the first ones of a field.
    pub fn truncated(&self, endpoint: &'static str, field: &'static str, times: u64) -> bool {
        self.truncated.add([endpoint.into(), field.into()], times) == 0
    }

    /// Counts that a limit of the HTTP server was reached.
    pub fn web_limit(&self, limit: &'static str) {
        self.web_limits.add([limit.into()], 1);
    }

    /// Counts a panic.
    pub fn panic(&self) {
        self.panics.add([], 1);
    }
}
