//! Metrics of accounts.

use crate::model::AccountStatus;

const LABELS: &[&str] = &["account"];

catalogue! { pub static ACCOUNT: AccountStatus, |a, s|
    Gauge(LABELS, &[]) edgeimpulse_up
        "1 if at least one API call succeeded in the last collection, else 0." =>
        s.flag([(&*a.name).into()], a.up);
}

catalogue! { pub static ACCOUNT_TELEMETRY: AccountStatus, |a, s|
    Gauge(LABELS, &[]) edgeimpulse_exporter_api_pause_end_timestamp_seconds
        "End of the last pause of API calls because of a rate limit; absent if the API never limited the rate." =>
        s.add([(&*a.name).into()], a.pause_end);
    Gauge(LABELS, &[]) edgeimpulse_exporter_credential_expiry_timestamp_seconds
        "Expiration time of the JWT, from its exp claim; absent for API keys and for tokens without this claim." =>
        s.add([(&*a.name).into()], a.credential_expiry);
    Gauge(LABELS, &[]) edgeimpulse_exporter_credential_last_load_successful
        "1 if the last attempt to load the credential succeeded, else 0." =>
        s.flag([(&*a.name).into()], a.credential_loaded);
    Gauge(LABELS, &[]) edgeimpulse_exporter_credential_last_load_success_timestamp_seconds
        "Time of the last successful load of the credential." =>
        s.add([(&*a.name).into()], a.credential_load);
}
