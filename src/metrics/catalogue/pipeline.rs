//! Metrics of pipelines.

use crate::metrics::Label;
use crate::model::Pipeline;

const LABELS: &[&str] = &["organization_id", "pipeline_id"];
const COLLECTORS: &[&str] = &["pipelines"];

fn labels(pipeline: &Pipeline) -> [Label<'_>; 2] {
    [pipeline.organization_id.into(), pipeline.id.into()]
}

catalogue! { pub static PIPELINE: Pipeline, |p, s|
    Gauge(&["organization_id", "pipeline_id", "pipeline"], COLLECTORS) edgeimpulse_pipeline_info
        "Always 1; the labels show the name of the pipeline."
        .experimental() =>
        s.add([p.organization_id.into(), p.id.into(), (&p.name).into()], p.name.as_ref().map(|_| 1.0));
    Gauge(LABELS, COLLECTORS) edgeimpulse_pipeline_next_run_timestamp_seconds
        "Time at which the pipeline is scheduled to run next; absent if it has no schedule."
        .experimental() => s.add(labels(p), p.next_run);
    Gauge(LABELS, COLLECTORS) edgeimpulse_pipeline_current_run_created_timestamp_seconds
        "Creation time of the current run of the pipeline; absent if it is not running."
        .experimental() => s.add(labels(p), p.current_run_created);
    Gauge(LABELS, COLLECTORS) edgeimpulse_pipeline_last_run_created_timestamp_seconds
        "Creation time of the last run of the pipeline; absent if it has never run."
        .experimental() => s.add(labels(p), p.last_run_created);
    Gauge(LABELS, COLLECTORS) edgeimpulse_pipeline_last_run_finished_timestamp_seconds
        "Time at which the last run of the pipeline finished."
        .experimental() => s.add(labels(p), p.last_run_finished);
    Gauge(LABELS, COLLECTORS) edgeimpulse_pipeline_last_run_failed
        "1 if a transformation or upload job of the last run failed, else 0; absent if the pipeline has never run."
        .experimental() => s.flag(labels(p), p.last_run_failed);
    Gauge(LABELS, COLLECTORS) edgeimpulse_pipeline_last_run_items_import_failed
        "Number of data items that the last run could not import into a project."
        .experimental() => s.add(labels(p), p.last_run_items_import_failed);
    Gauge(LABELS, COLLECTORS) edgeimpulse_pipeline_start_failed
        "1 if the last run of the pipeline could not be started, else 0."
        .experimental() => s.flag(labels(p), p.start_failed);
}
