//! Storage buckets of an organization.

use super::rows::{Row, Rows};
use super::{DecodeOptions, Response, only};
use crate::api::fields::{Convert, Each, fields, streamed};
use crate::api::limits::MAX_BUCKETS;
use crate::api::values::{Boolean, DecodeErrors, Id, Text};
use crate::metrics::{Metric, catalogue};
use crate::model::{Bucket, Call, Facts, Organization};

streamed!(
    /// `ListOrganizationBucketsResponse`
    BucketsResponse { buckets: Each<Rows<Bucket>> = "buckets" }
);

fields!(
    /// `OrganizationBucket`. Its access key is not read.
    BucketFields { id: Id = "id", name: Text = "bucket", connected: Boolean = "connected" }
);

impl Convert for Bucket {
    const MAX: usize = MAX_BUCKETS;

    type Fields<'a> = BucketFields<'a>;

    /// The id is required.
    fn convert(fields: &BucketFields<'_>, errors: &mut DecodeErrors) -> Option<Self> {
        Some(Self {
            organization_id: 0,
            id: fields.id.require(errors)?,
            name: fields.name.read(errors).map(Into::into),
            connected: fields.connected.read(errors),
        })
    }
}

impl Row for Bucket {
    const METRICS: &'static [Metric<Self>] = catalogue::BUCKET;

    fn id(&self) -> &u64 {
        &self.id
    }

    fn set_organization(&mut self, id: u64) {
        self.organization_id = id;
    }
}

impl Response for BucketsResponse {
    fn facts(self, call: &Call, _: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        let id = call.organization_id?;
        let buckets = Some(self.buckets.finish("buckets", id, errors)?);
        Some(only(Organization { buckets, ..Organization::new(id) }))
    }
}
