//! Metrics of accounts, of collectors, and of the exporter's own work.

use super::{counter, gauge, metric};
use crate::metrics::process::Process;
use crate::metrics::telemetry::Telemetry;
use crate::metrics::{Exposed, Kind, Label, Metric};
use crate::model::{AccountStatus, CallResult};

/// Labels of a call.
const CALL: &[&str] = &["account", "collector", "organization_id", "user_id"];
/// Labels of an account.
const BY_ACCOUNT: &[&str] = &["account"];
/// No collector: the exporter knows it from itself.
const NONE: &[&str] = &[];

fn call(collection: &CallResult) -> [Label<'_>; 4] {
    let CallResult { account, collector, organization_id, user_id, .. } = collection;
    [(&**account).into(), (*collector).into(), (*organization_id).into(), (*user_id).into()]
}

/// Whether accounts work.
pub static ACCOUNT: &[Metric<AccountStatus>] = &[gauge(
    "edgeimpulse_up",
    "Whether at least one call of the account's last collection gave a readable success, 1 or 0.",
    BY_ACCOUNT,
    NONE,
    |a, s| s.flag([(&*a.name).into()], a.up),
)];

/// How calls went.
pub static COLLECTION: &[Metric<CallResult>] = &[
    gauge(
        "edgeimpulse_scrape_collector_success",
        "Whether the collector's answer arrived in time and could be read, 1 or 0.",
        CALL,
        NONE,
        |c, s| s.flag(call(c), c.success),
    ),
    gauge(
        "edgeimpulse_scrape_collector_supported",
        "Whether the credential may make the collector's call, 1 or 0.",
        CALL,
        NONE,
        |c, s| s.flag(call(c), c.supported),
    ),
    gauge(
        "edgeimpulse_scrape_collector_stale",
        "Whether an older answer stands in for the one that failed or is late, 1 or 0.",
        CALL,
        NONE,
        |c, s| s.flag(call(c), c.stale),
    ),
    gauge(
        "edgeimpulse_scrape_collector_duration_seconds",
        "How long the collector's last completed call took.",
        CALL,
        NONE,
        |c, s| s.add(call(c), c.duration),
    ),
    gauge(
        "edgeimpulse_scrape_collector_last_success_timestamp_seconds",
        "When the call began that gave the collector's last good answer.",
        CALL,
        NONE,
        |c, s| s.add(call(c), c.last_success),
    ),
];

/// Credentials and pauses.
pub static OWN_ACCOUNT: &[Metric<AccountStatus>] = &[
    gauge(
        "edgeimpulse_exporter_api_pause_end_timestamp_seconds",
        "Until when no calls are made, because the API asked for it; absent if it never did.",
        BY_ACCOUNT,
        NONE,
        |a, s| s.add([(&*a.name).into()], a.pause_end),
    ),
    gauge(
        "edgeimpulse_exporter_credential_expiry_timestamp_seconds",
        "When the JWT expires, as it says itself; absent for API keys and for tokens that do not say.",
        BY_ACCOUNT,
        NONE,
        |a, s| s.add([(&*a.name).into()], a.credential_expiry),
    ),
    gauge(
        "edgeimpulse_exporter_credential_last_load_successful",
        "Whether the credential could be loaded when it was last tried, 1 or 0.",
        BY_ACCOUNT,
        NONE,
        |a, s| s.flag([(&*a.name).into()], a.credential_loaded),
    ),
    gauge(
        "edgeimpulse_exporter_credential_last_load_success_timestamp_seconds",
        "When the credential was last loaded with success.",
        BY_ACCOUNT,
        NONE,
        |a, s| s.add([(&*a.name).into()], a.credential_load),
    ),
];

/// The exporter's counters.
pub static OWN: &[Metric<Telemetry>] = &[
    counter(
        "edgeimpulse_exporter_api_requests_total",
        "Requests to the API by status code; none means that no answer came.",
        &["account", "endpoint", "code"],
        |own, s| s.counters(&own.requests),
    ),
    counter(
        "edgeimpulse_exporter_api_errors_total",
        "Requests to the API that gave no facts, by reason.",
        &["account", "endpoint", "reason"],
        |own, s| s.counters(&own.api_errors),
    ),
    metric(
        Kind::Histogram,
        "edgeimpulse_exporter_api_request_duration_seconds",
        "Duration of requests to the API, up to the last byte of the answer.",
        &["endpoint"],
        NONE,
        |own, s| own.durations.each(|endpoint, histogram| s.histogram([endpoint.into()], histogram)),
    ),
    counter(
        "edgeimpulse_exporter_api_response_bytes_total",
        "Bytes of the API's answers, after decompression.",
        &["endpoint"],
        |own, s| s.counters(&own.response_bytes),
    ),
    counter(
        "edgeimpulse_exporter_reads_total",
        "Reads of collectors by how they were served: fetched, shared with another scrape, reused, deferred because a minute has only so many calls, late or stale.",
        &["collector", "result"],
        |own, s| s.counters(&own.reads),
    ),
    counter(
        "edgeimpulse_exporter_deadline_exceeded_total",
        "Calls that were too slow for the scrape that asked for them; each is counted once.",
        &["collector"],
        |own, s| s.counters(&own.deadlines_exceeded),
    ),
    counter(
        "edgeimpulse_exporter_decode_errors_total",
        "Values in the API's answers that cannot be used; each costs the samples that need it.",
        &["endpoint", "field"],
        |own, s| s.counters(&own.decode_errors),
    ),
    counter(
        "edgeimpulse_exporter_panics_total",
        "Defects of the exporter that cost a collector its answer.",
        &[],
        |own, s| s.counters(&own.panics),
    ),
    gauge(
        "edgeimpulse_exporter_config_last_reload_successful",
        "Whether the configuration could be used when it was last read, 1 or 0; the last good one is in use.",
        &[],
        NONE,
        |own, s| s.flag([], own.load().successful),
    ),
    gauge(
        "edgeimpulse_exporter_config_last_reload_success_timestamp_seconds",
        "When the configuration in use was read.",
        &[],
        NONE,
        |own, s| s.add([], own.load().succeeded_at),
    ),
    gauge(
        "edgeimpulse_exporter_build_info",
        "Always 1. What the exporter was built from.",
        &["version", "revision", "rustc_version"],
        NONE,
        |_, s| {
            let [version, revision, rustc_version] =
                [env!("CARGO_PKG_VERSION"), env!("BUILD_REVISION"), env!("BUILD_RUSTC_VERSION")];
            s.add([version.into(), revision.into(), rustc_version.into()], 1.0);
        },
    ),
];

/// The exposition itself.
pub static EXPOSED: &[Metric<Exposed>] = &[
    gauge(
        "edgeimpulse_exporter_series",
        "Series of this answer, those of the exporter itself not counted.",
        &[],
        NONE,
        |e, s| s.count([], e.series),
    ),
    gauge(
        "edgeimpulse_exporter_dropped_series",
        "Series left out of this answer: duplicate, which have the labels of one that is in it, and dataset_limit, see --collector.organization.most-datasets.",
        &["reason"],
        NONE,
        |e, s| {
            s.count(["duplicate".into()], e.duplicate);
            s.count(["dataset_limit".into()], e.dataset_limit);
        },
    ),
];

/// The process.
pub static PROCESS: &[Metric<Process>] = &[
    counter("process_cpu_seconds_total", "User and system CPU time of the process.", &[], |p, s| {
        s.add([], p.cpu);
    }),
    gauge("process_resident_memory_bytes", "Memory of the process that is in use.", &[], NONE, |p, s| {
        s.add([], p.resident_memory);
    }),
    gauge("process_open_fds", "Open file descriptors.", &[], NONE, |p, s| s.add([], p.open_fds)),
    gauge("process_max_fds", "Most file descriptors that may be open.", &[], NONE, |p, s| s.add([], p.max_fds)),
    gauge("process_start_time_seconds", "When the process started.", &[], NONE, |p, s| s.add([], p.start_time)),
];
