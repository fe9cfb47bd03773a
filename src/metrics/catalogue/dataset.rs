//! Metrics of datasets.

use crate::metrics::Label;
use crate::model::Dataset;

const LABELS: &[&str] = &["organization_id", "dataset"];
const COLLECTORS: &[&str] = &["organization"];

fn labels(dataset: &Dataset) -> [Label<'_>; 2] {
    [dataset.organization_id.into(), (&*dataset.name).into()]
}

catalogue! { pub static DATASET: Dataset, |d, s|
    Gauge(&["organization_id", "dataset", "dataset_type", "category", "bucket"], COLLECTORS) edgeimpulse_dataset_info
        "Always 1; the labels show type, category and storage bucket of the dataset." => {
            let [organization_id, name] = labels(d);
            s.add(
                [organization_id, name, (&d.dataset_type).into(), (&d.category).into(), (&d.bucket).into()],
                1.0,
            );
        };
    Gauge(LABELS, COLLECTORS) edgeimpulse_dataset_size_bytes
        "Total size of the files in the dataset." => s.add(labels(d), d.size);
    Gauge(LABELS, COLLECTORS) edgeimpulse_dataset_files
        "Number of files in the dataset." => s.add(labels(d), d.files);
    Gauge(LABELS, COLLECTORS) edgeimpulse_dataset_items
        "Number of data items in the dataset; clinical datasets only." => s.add(labels(d), d.items);
    Gauge(&["organization_id", "dataset", "result"], COLLECTORS) edgeimpulse_dataset_checklist_items
        "Number of data items in a clinical dataset by checklist result: ok, failed or unchecked." => {
            let rest = |items, ok, failed| Some(items? - ok? - failed?).filter(|rest| *rest >= 0.0);
            let unchecked = rest(d.items, d.checklist_ok, d.checklist_failed);
            let [organization_id, name] = labels(d);
            for (result, count) in
                [("ok", d.checklist_ok), ("failed", d.checklist_failed), ("unchecked", unchecked)]
            {
                s.add([organization_id, name, result.into()], count);
            }
        };
    Gauge(LABELS, COLLECTORS) edgeimpulse_dataset_last_file_created_timestamp_seconds
        "Creation time of the newest file in the dataset; absent if the dataset has no files." =>
        s.add(labels(d), d.last_file_created);
}
