//! Metrics of accounts, of calls, and of the exporter itself.

use crate::metrics::Label;
use crate::metrics::encode::SeriesCounts;
use crate::metrics::process::Process;
use crate::metrics::telemetry::Telemetry;
use crate::model::{AccountStatus, CallResult};

const BY_ACCOUNT: &[&str] = &["account"];
const CALL: &[&str] = &["account", "collector", "organization_id", "user_id"];

fn call(call: &CallResult) -> [Label<'_>; 4] {
    let CallResult { account, collector, organization_id, user_id, .. } = call;
    [(&**account).into(), (*collector).into(), (*organization_id).into(), (*user_id).into()]
}

catalogue! { pub static ACCOUNT: AccountStatus, |a, s|
    Gauge(BY_ACCOUNT, &[]) edgeimpulse_up
        "1 if at least one API call of the account succeeded in this scrape, else 0; absent with collect[] and from probes." =>
        s.flag([(&*a.name).into()], a.up);
}

catalogue! { pub static ACCOUNT_TELEMETRY: AccountStatus, |a, s|
    Gauge(BY_ACCOUNT, &[]) edgeimpulse_exporter_api_pause_end_timestamp_seconds
        "End of the last pause of API calls because of a rate limit; absent if the API never limited the rate." =>
        s.add([(&*a.name).into()], a.pause_end);
    Gauge(BY_ACCOUNT, &[]) edgeimpulse_exporter_credential_expiry_timestamp_seconds
        "Expiration time of the JWT, from its exp claim; absent for API keys and for tokens without this claim." =>
        s.add([(&*a.name).into()], a.credential_expiry);
    Gauge(BY_ACCOUNT, &[]) edgeimpulse_exporter_credential_last_load_successful
        "1 if the last attempt to load the credential succeeded, else 0." =>
        s.flag([(&*a.name).into()], a.credential_loaded);
    Gauge(BY_ACCOUNT, &[]) edgeimpulse_exporter_credential_last_load_success_timestamp_seconds
        "Time of the last successful load of the credential." =>
        s.add([(&*a.name).into()], a.credential_load);
    Gauge(BY_ACCOUNT, &[]) edgeimpulse_exporter_compute_time_unit_mismatch
        "1 if CPU and GPU compute time of an organization contradict their total: a unit is wrong, see --api.compute-time-unit; else 0. Absent if no usage shows it."
        .experimental() => s.flag([(&*a.name).into()], a.compute_time_unit_mismatch);
}

catalogue! { pub static CALL_RESULT: CallResult, |c, s|
    Gauge(CALL, &[]) edgeimpulse_scrape_collector_success
        "1 if the response arrived in time and could be decoded, else 0." => s.flag(call(c), c.success);
    Gauge(CALL, &[]) edgeimpulse_scrape_collector_supported
        "1 if the credential is allowed to make the call, else 0." => s.flag(call(c), c.supported);
    Gauge(CALL, &[]) edgeimpulse_scrape_collector_stale
        "1 if values of an older response are shown because the call failed, is late or was deferred too long, else 0." =>
        s.flag(call(c), c.stale);
    Gauge(CALL, &[]) edgeimpulse_scrape_collector_duration_seconds
        "Duration of the last completed call." => s.add(call(c), c.duration);
    Gauge(CALL, &[]) edgeimpulse_scrape_collector_last_success_timestamp_seconds
        "Start time of the last successful call." => s.add(call(c), c.last_success);
}

catalogue! { pub static TELEMETRY: Telemetry, |t, s|
    Counter(&["account", "endpoint", "code"], &[]) edgeimpulse_exporter_api_requests_total
        "API requests by HTTP status code; the code is none if no response was received, and other if it has no standard meaning." =>
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
    Counter(&["endpoint", "field"], &[]) edgeimpulse_exporter_truncated_total
        "Texts in API responses that were shortened, and elements of lists that were left out, because of a limit." =>
        s.counters(&t.truncated);
    Counter(&[], &[]) edgeimpulse_exporter_panics_total
        "Panics during calls, caused by bugs in the exporter; the response of the call is lost." =>
        s.counters(&t.panics);
    Counter(&["limit"], &[]) edgeimpulse_exporter_web_limit_reached_total
        "Times that a limit of the HTTP server was reached: connections, requests, responses that are not read, or passwords that wait for a check. The connection that waited longest for its client is closed, or the request refused." =>
        s.counters(&t.web_limits);
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

catalogue! { pub static SERIES: SeriesCounts, |c, s|
    Gauge(&[], &[]) edgeimpulse_exporter_series
        "Number of series in this response, without the metrics of the exporter itself." =>
        s.count([], c.series);
    Gauge(&["reason"], &[]) edgeimpulse_exporter_dropped_series
        "Number of series left out of this response: duplicate (same labels as another series), dataset_limit (see --collector.organization.most-datasets) or project_limit (10,000 of an organization)." => {
            s.count(["duplicate".into()], c.duplicate);
            s.count(["dataset_limit".into()], c.dataset_limit);
            s.count(["project_limit".into()], c.project_limit);
        };
}

catalogue! { pub static PROCESS: Process, |p, s|
    Counter(&[], &[]) process_cpu_seconds_total
        "User and system CPU time of the process." => s.add([], p.cpu);
    Gauge(&[], &[]) process_resident_memory_bytes
        "Resident memory of the process." => s.add([], p.resident_memory);
    Gauge(&[], &[]) process_virtual_memory_bytes
        "Virtual memory of the process." => s.add([], p.virtual_memory);
    Gauge(&[], &[]) process_virtual_memory_max_bytes
        "Maximum virtual memory of the process; 2^64 if it is unlimited." => s.add([], p.virtual_memory_max);
    Gauge(&[], &[]) process_heap_bytes
        "Resident memory of the process that is not backed by a file: the heap and the stacks." => s.add([], p.heap);
    Gauge(&[], &[]) process_threads
        "Number of threads of the process." => s.add([], p.threads);
    Gauge(&[], &[]) process_open_fds
        "Number of open file descriptors." => s.add([], p.open_fds);
    Gauge(&[], &[]) process_max_fds
        "Maximum number of open file descriptors." => s.add([], p.max_fds);
    Gauge(&[], &[]) process_start_time_seconds
        "Start time of the process." => s.add([], p.start_time);
}
