//! Metrics of accounts.

use super::metric::{Metric, gauge};
use crate::model::AccountStatus;

const LABELS: &[&str] = &["account"];

/// The result of the last collection.
pub static ACCOUNT: &[Metric<AccountStatus>] = &[gauge(
    "edgeimpulse_up",
    "1 if at least one API call succeeded in the last collection, else 0.",
    LABELS,
    &[],
    |a, s| s.flag([(&*a.name).into()], a.up),
)];

/// Credentials and pauses: part of the telemetry.
pub static ACCOUNT_TELEMETRY: &[Metric<AccountStatus>] = &[
    gauge(
        "edgeimpulse_exporter_api_pause_end_timestamp_seconds",
        "End of the last pause of API calls because of a rate limit; absent if the API never limited the rate.",
        LABELS,
        &[],
        |a, s| s.add([(&*a.name).into()], a.pause_end),
    ),
    gauge(
        "edgeimpulse_exporter_credential_expiry_timestamp_seconds",
        "Expiration time of the JWT, from its exp claim; absent for API keys and for tokens without this claim.",
        LABELS,
        &[],
        |a, s| s.add([(&*a.name).into()], a.credential_expiry),
    ),
    gauge(
        "edgeimpulse_exporter_credential_last_load_successful",
        "1 if the last attempt to load the credential succeeded, else 0.",
        LABELS,
        &[],
        |a, s| s.flag([(&*a.name).into()], a.credential_loaded),
    ),
    gauge(
        "edgeimpulse_exporter_credential_last_load_success_timestamp_seconds",
        "Time of the last successful load of the credential.",
        LABELS,
        &[],
        |a, s| s.add([(&*a.name).into()], a.credential_load),
    ),
];
