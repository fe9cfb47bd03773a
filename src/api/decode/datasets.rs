//! Datasets of an organization.

use std::sync::Arc;

use super::DecodeOptions;
use crate::api::fields::{Convert, Field, Fold, fields};
use crate::api::limits::MAX_SHORT_TEXT;
use crate::api::values::{Date, DecodeErrors, Number, Text};
use crate::metrics::{catalogue, series};
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

impl Convert for Dataset {
    type Fields<'a> = DatasetFields<'a>;

    /// The name is required, as the dataset's identity. The id of the organization is not known here.
    fn convert(fields: &DatasetFields<'_>, errors: &mut DecodeErrors) -> Option<Self> {
        let name = fields.dataset.require(errors)?.into();
        let dataset_type = fields.dataset_type.read(errors);
        let files = fields.files.read(errors);
        let bucket = fields.bucket.read(errors);
        // Other datasets have item counts too, which mean nothing.
        let is_clinical = dataset_type.as_deref() == Some("clinical");
        let mut item_count = |field: &Field<'_, Number>| if is_clinical { field.read(errors) } else { None };
        let items = item_count(&fields.items);
        let checklist_ok = item_count(&fields.checklist_ok);
        let checklist_failed = item_count(&fields.checklist_failed);
        // The API sends a date also for a dataset without files.
        let has_files = files.is_none_or(|files| files > 0.0);
        Some(Self {
            organization_id: 0,
            name,
            dataset_type: dataset_type.map(Into::into),
            category: fields.category.read(errors).map(Into::into),
            bucket: bucket.and_then(|bucket| bucket.bucket.read(errors)).map(Into::into),
            size: fields.size.read(errors),
            files,
            items,
            checklist_ok,
            checklist_failed,
            last_file_created: if has_files { fields.last_file_created.read(errors) } else { None },
        })
    }
}

/// Size of a dataset with its texts, in bytes.
const SIZE: usize = size_of::<Dataset>() + 4 * MAX_SHORT_TEXT;

/// Datasets with different names.
#[derive(Debug, Default)]
pub(super) struct Datasets(Unique<Dataset>);

impl Fold for Datasets {
    type Element<'a> = DatasetFields<'a>;

    fn add(&mut self, fields: &DatasetFields<'_>, options: &DecodeOptions, errors: &mut DecodeErrors) -> u64 {
        let Some(dataset) = Dataset::convert(fields, errors) else { return 0 };
        self.0.add(dataset, options.most_datasets, name_of, series_of)
    }
}

impl Datasets {
    /// Returns the datasets of the organization `id`, up to the limit.
    pub(super) fn finish(
        self,
        id: u64,
        options: &DecodeOptions,
        errors: &mut DecodeErrors,
    ) -> Arc<Unique<Dataset>> {
        let Self(mut datasets) = self;
        let left_out = datasets.limit(options.most_datasets, name_of, series_of);
        let fitting = errors.fitting(datasets.rows.len(), SIZE);
        errors.left_out("datasets", left_out + datasets.limit(fitting, name_of, series_of));
        let mut previous = None::<&mut Dataset>;
        for dataset in &mut datasets.rows {
            dataset.organization_id = id;
            if let Some(previous) = previous {
                dataset.share_texts(previous);
            }
            previous = Some(dataset);
        }
        Arc::new(datasets)
    }
}

fn name_of(dataset: &Dataset) -> &str {
    &dataset.name
}

fn series_of(dataset: &Dataset) -> u64 {
    series(catalogue::DATASET, dataset)
}
