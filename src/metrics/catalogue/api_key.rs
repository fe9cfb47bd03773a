//! Metrics of API keys.

use crate::model::ApiKey;

catalogue! { pub static API_KEY: ApiKey, |k, s|
    Gauge(&["organization_id", "key_id"], &["api_keys"]) edgeimpulse_api_key_expiry_timestamp_seconds
        "Time at which the API key of the organization expires; absent for a key that does not."
        .experimental() => s.add([k.organization_id.into(), k.id.into()], k.expiry);
}
