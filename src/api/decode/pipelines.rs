//! Pipelines of an organization, with their last runs.

use super::rows::{Row, Rows};
use super::{DecodeOptions, Response, only};
use crate::api::fields::{Convert, Each, Fold, Single, fields, streamed};
use crate::api::limits::MAX_PIPELINES;
use crate::api::values::{Date, DecodeErrors, Id, NonEmpty, Number, Text, Value};
use crate::metrics::{Metric, catalogue};
use crate::model::{Call, Facts, Organization, Pipeline};

streamed!(
    /// `ListOrganizationPipelinesResponse`
    PipelinesResponse { pipelines: Each<Rows<Pipeline>> = "pipelines" }
);

streamed!(
    /// `OrganizationPipeline`. Its own steps are not read: they hold keys of projects.
    PipelineObject {
        id: Single<Id> = "id",
        name: Single<Text> = "name",
        next_run: Single<Date> = "nextRun",
        current_run: Option<CurrentRunFields<'static>> = "currentRun",
        last_run: Option<RunObject> = "lastRun",
        start_error: Single<NonEmpty> = "lastRunStartError",
    }
);

fields!(
    /// `OrganizationPipelineRun` while it runs.
    CurrentRunFields { created: Date = "created" }
);

streamed!(
    /// `OrganizationPipelineRun`
    RunObject {
        created: Single<Date> = "created",
        finished: Single<Date> = "finished",
        items_import_failed: Single<Number> = "itemCountImportIntoProjectFailed",
        steps: Each<Steps> = "steps",
    }
);

fields!(
    /// `OrganizationPipelineRunStep`
    StepFields { job: JobFields<'static> = "transformationJob" }
);

fields!(
    /// `OrganizationCreateProject`: the jobs of a step.
    JobFields { status: Text = "status", transform: Text = "transformJobStatus", upload: Text = "uploadJobStatus" }
);

/// Whether a job of the steps failed.
#[derive(Debug, Default)]
struct Steps {
    has_failed: bool,
    /// Whether that cannot be told of a job.
    is_unknown: bool,
}

impl Fold for Steps {
    type Element<'a> = StepFields<'a>;

    fn add(&mut self, step: &StepFields<'_>, _: &DecodeOptions, errors: &mut DecodeErrors) -> u64 {
        let job = step.job.get(errors);
        self.is_unknown |= matches!(job, Value::Invalid);
        if let Value::Valid(job) = job {
            for status in [job.status, job.transform, job.upload] {
                let status = status.get(errors);
                self.is_unknown |= status == Value::Invalid;
                self.has_failed |= status.valid().as_deref() == Some("failed");
            }
        }
        0
    }
}

impl Each<Steps> {
    /// Returns whether a job failed; `None` without steps, and if that cannot be told.
    fn has_failed(&self) -> Option<bool> {
        let Steps { has_failed, is_unknown } = self.fold.as_ref()?;
        (*has_failed || !(*is_unknown || self.has_invalid)).then_some(*has_failed)
    }
}

impl Convert for Pipeline {
    const MAX: usize = MAX_PIPELINES;

    type Fields<'a> = PipelineObject;

    /// The id is required.
    fn convert(object: &PipelineObject, errors: &mut DecodeErrors) -> Option<Self> {
        let (current, last) = (object.current_run.as_ref(), object.last_run.as_ref());
        let start_failed = match object.start_error.get(errors) {
            Value::Missing => Some(false),
            value => value.valid(),
        };
        Some(Self {
            organization_id: 0,
            id: object.id.require(errors)?,
            name: object.name.read(errors).map(Into::into),
            next_run: object.next_run.read(errors),
            current_run_created: current.and_then(|run| run.created.read(errors)),
            last_run_created: last.and_then(|run| run.created.read(errors)),
            last_run_finished: last.and_then(|run| run.finished.read(errors)),
            last_run_failed: last.and_then(|run| run.steps.has_failed()),
            last_run_items_import_failed: last.and_then(|run| run.items_import_failed.read(errors)),
            start_failed,
        })
    }
}

impl Row for Pipeline {
    const METRICS: &'static [Metric<Self>] = catalogue::PIPELINE;

    fn id(&self) -> &u64 {
        &self.id
    }

    fn set_organization(&mut self, id: u64) {
        self.organization_id = id;
    }
}

impl Response for PipelinesResponse {
    fn facts(self, call: &Call, _: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        let id = call.organization_id?;
        let pipelines = Some(self.pipelines.finish("pipelines", id, errors)?);
        Some(only(Organization { pipelines, ..Organization::new(id) }))
    }
}
