//! Metrics of storage buckets.

use crate::model::Bucket;

catalogue! { pub static BUCKET: Bucket, |b, s|
    Gauge(&["organization_id", "bucket_id", "bucket"], &["buckets"]) edgeimpulse_bucket_connected
        "1 if Edge Impulse can reach the storage bucket, else 0."
        .experimental() => s.flag([b.organization_id.into(), b.id.into(), (&b.name).into()], b.connected);
}
