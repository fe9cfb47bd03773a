//! Metrics of the exporter itself.

use crate::metrics::telemetry::Telemetry;

catalogue! { pub static TELEMETRY: Telemetry, |t, s|
    Counter(&["account", "endpoint", "code"], &[]) edgeimpulse_exporter_api_requests_total
        "API requests by HTTP status code; the code is none if no response was received." =>
        s.counters(&t.requests);
    Counter(&["account", "endpoint", "reason"], &[]) edgeimpulse_exporter_api_errors_total
        "Failed API requests by reason." => s.counters(&t.api_errors);
    Histogram(&["endpoint"], &[]) edgeimpulse_exporter_api_request_duration_seconds
        "Duration of API requests, from the start of the request to the last byte of the response." =>
        t.durations.each(|endpoint, histogram| s.histogram([endpoint.into()], histogram));
    Counter(&["endpoint"], &[]) edgeimpulse_exporter_api_response_bytes_total
        "Size of API responses after decompression." => s.counters(&t.response_bytes);
    Counter(&["collector", "result"], &[]) edgeimpulse_exporter_reads_total
        "Reads of collectors by result: fetched (new call), shared (with a concurrent scrape), reused (from the cache), deferred (limit of calls per minute reached), late (deadline exceeded) or stale (older response)." =>
        s.counters(&t.reads);
    Counter(&["collector"], &[]) edgeimpulse_exporter_deadline_exceeded_total
        "Calls that did not finish before the deadline of the scrape that started them; each call is counted once." =>
        s.counters(&t.deadlines_exceeded);
    Counter(&["endpoint", "field"], &[]) edgeimpulse_exporter_decode_errors_total
        "Values in API responses that could not be decoded; the samples that need them are missing." =>
        s.counters(&t.decode_errors);
    Counter(&[], &[]) edgeimpulse_exporter_panics_total
        "Panics during calls, caused by bugs in the exporter; the response of the call is lost." =>
        s.counters(&t.panics);
    Gauge(&[], &[]) edgeimpulse_exporter_config_last_reload_successful
        "1 if the last load of the configuration succeeded, else 0; a failed load keeps the previous configuration." =>
        s.flag([], t.load().successful);
    Gauge(&[], &[]) edgeimpulse_exporter_config_last_reload_success_timestamp_seconds
        "Time at which the current configuration was loaded." => s.add([], t.load().succeeded_at);
    Gauge(&["version", "revision", "rustc_version"], &[]) edgeimpulse_exporter_build_info
        "Always 1; the labels show version, Git revision and Rust compiler version of the exporter." => {
            let [version, revision, rustc_version] =
                [env!("CARGO_PKG_VERSION"), env!("BUILD_REVISION"), env!("BUILD_RUSTC_VERSION")];
            s.add([version.into(), revision.into(), rustc_version.into()], 1.0);
        };
}
