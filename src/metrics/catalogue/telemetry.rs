//! Metrics of the exporter itself.

use super::metric::{Metric, counter, gauge, histogram};
use crate::metrics::telemetry::Telemetry;

/// One row per metric.
pub static TELEMETRY: &[Metric<Telemetry>] = &[
    counter(
        "edgeimpulse_exporter_api_requests_total",
        "API requests by HTTP status code; the code is none if no response was received.",
        &["account", "endpoint", "code"],
        |t, s| s.counters(&t.requests),
    ),
    counter(
        "edgeimpulse_exporter_api_errors_total",
        "Failed API requests by reason.",
        &["account", "endpoint", "reason"],
        |t, s| s.counters(&t.api_errors),
    ),
    histogram(
        "edgeimpulse_exporter_api_request_duration_seconds",
        "Duration of API requests, from the start of the request to the last byte of the response.",
        &["endpoint"],
        |t, s| t.durations.each(|endpoint, histogram| s.histogram([endpoint.into()], histogram)),
    ),
    counter(
        "edgeimpulse_exporter_api_response_bytes_total",
        "Size of API responses after decompression.",
        &["endpoint"],
        |t, s| s.counters(&t.response_bytes),
    ),
    counter(
        "edgeimpulse_exporter_reads_total",
        "Reads of collectors by result: fetched (new call), shared (with a concurrent scrape), reused (from the cache), deferred (limit of calls per minute reached), late (deadline exceeded) or stale (older response).",
        &["collector", "result"],
        |t, s| s.counters(&t.reads),
    ),
    counter(
        "edgeimpulse_exporter_deadline_exceeded_total",
        "Calls that did not finish before the deadline of the scrape that started them; each call is counted once.",
        &["collector"],
        |t, s| s.counters(&t.deadlines_exceeded),
    ),
    counter(
        "edgeimpulse_exporter_decode_errors_total",
        "Values in API responses that could not be decoded; the samples that need them are missing.",
        &["endpoint", "field"],
        |t, s| s.counters(&t.decode_errors),
    ),
    counter(
        "edgeimpulse_exporter_panics_total",
        "Panics during calls, caused by bugs in the exporter; the response of the call is lost.",
        &[],
        |t, s| s.counters(&t.panics),
    ),
    gauge(
        "edgeimpulse_exporter_config_last_reload_successful",
        "1 if the last load of the configuration succeeded, else 0; a failed load keeps the previous configuration.",
        &[],
        &[],
        |t, s| s.flag([], t.load().successful),
    ),
    gauge(
        "edgeimpulse_exporter_config_last_reload_success_timestamp_seconds",
        "Time at which the current configuration was loaded.",
        &[],
        &[],
        |t, s| s.add([], t.load().succeeded_at),
    ),
    gauge(
        "edgeimpulse_exporter_build_info",
        "Always 1; the labels show version, Git revision and Rust compiler version of the exporter.",
        &["version", "revision", "rustc_version"],
        &[],
        |_, s| {
            let [version, revision, rustc_version] =
                [env!("CARGO_PKG_VERSION"), env!("BUILD_REVISION"), env!("BUILD_RUSTC_VERSION")];
            s.add([version.into(), revision.into(), rustc_version.into()], 1.0);
        },
    ),
];
