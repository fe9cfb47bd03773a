//! Metrics of calls.

use crate::metrics::Label;
use crate::model::CallResult;

const LABELS: &[&str] = &["account", "collector", "organization_id", "user_id"];

fn labels(call: &CallResult) -> [Label<'_>; 4] {
    let CallResult { account, collector, organization_id, user_id, .. } = call;
    [(&**account).into(), (*collector).into(), (*organization_id).into(), (*user_id).into()]
}

catalogue! { pub static CALL_RESULT: CallResult, |c, s|
    Gauge(LABELS, &[]) edgeimpulse_scrape_collector_success
        "1 if the response arrived in time and could be decoded, else 0." => s.flag(labels(c), c.success);
    Gauge(LABELS, &[]) edgeimpulse_scrape_collector_supported
        "1 if the credential is allowed to make the call, else 0." => s.flag(labels(c), c.supported);
    Gauge(LABELS, &[]) edgeimpulse_scrape_collector_stale
        "1 if values of an older response are shown because the call failed or is late, else 0." =>
        s.flag(labels(c), c.stale);
    Gauge(LABELS, &[]) edgeimpulse_scrape_collector_duration_seconds
        "Duration of the last completed call." => s.add(labels(c), c.duration);
    Gauge(LABELS, &[]) edgeimpulse_scrape_collector_last_success_timestamp_seconds
        "Start time of the last successful call." => s.add(labels(c), c.last_success);
}
