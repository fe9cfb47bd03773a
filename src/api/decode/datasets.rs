//! Datasets of an organization.

use std::sync::Arc;

use crate::api::Error;
use crate::api::fields::{Field, fields};
use crate::api::schema::{Key, List};
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Date, DecodeErrors, Number, Text};
use crate::model::{Dataset, Unique};

fields!(
    /// `OrganizationDataset`
    DatasetFields {
        dataset: Text = "dataset",
        dataset_type: Text = "type",
        category: Text = "category",
        bucket: BucketFields<'static> = "bucket",
        size: Number = "totalFileSize",
        files: Number = "totalFileCount",
        items: Number = "totalItemCount",
        checklist_ok: Number = "totalItemCountChecklistOK",
        checklist_failed: Number = "totalItemCountChecklistFailed",
        last_file_created: Date = "lastFileCreated",
    }
);

fields!(
    /// `OrganizationDatasetBucket`
    BucketFields { bucket: Text = "bucket" }
);

/// Reads `datasets`, the value that comes next, and keeps at most `limit` of them.
pub(super) async fn datasets<S: Parts>(
    json: &mut JsonStream<S>,
    key: Key<List<DatasetFields<'static>>>,
    organization_id: u64,
    limit: usize,
) -> Result<Option<Arc<Unique<Dataset>>>, Error> {
    let mut datasets = Vec::new();
    let is_list = json.each(key, |fields, errors| {
        datasets.extend(fields.and_then(|fields| fields.convert(organization_id, errors)));
    });
    Ok(is_list.await?.then(|| Arc::new(Unique::by(datasets, |dataset| &dataset.name).limited(limit))))
}

impl DatasetFields<'_> {
    /// Converts one dataset; the name is required, as its identity.
    fn convert(&self, organization_id: u64, errors: &mut DecodeErrors) -> Option<Dataset> {
        let name = self.dataset.require(errors)?;
        let dataset_type = self.dataset_type.read(errors);
        let files = self.files.read(errors);
        let bucket = self.bucket.read(errors);
        // Other datasets have item counts too, which mean nothing.
        let is_clinical = dataset_type.as_deref() == Some("clinical");
        let mut item_count = |field: &Field<'_, Number>| if is_clinical { field.read(errors) } else { None };
        let items = item_count(&self.items);
        let checklist_ok = item_count(&self.checklist_ok);
        let checklist_failed = item_count(&self.checklist_failed);
        // The API sends a date also for a dataset without files.
        let has_files = files.is_none_or(|files| files > 0.0);
        Some(Dataset {
            organization_id,
            name,
            dataset_type,
            category: self.category.read(errors),
            bucket: bucket.and_then(|bucket| bucket.bucket.read(errors)),
            size: self.size.read(errors),
            files,
            items,
            checklist_ok,
            checklist_failed,
            last_file_created: if has_files { self.last_file_created.read(errors) } else { None },
        })
    }
}
