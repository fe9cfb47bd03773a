//! Transformation jobs of an organization, counted.

use super::{DecodeOptions, Response, only};
use crate::api::counts::Counts;
use crate::api::fields::{Each, Fold, fields, streamed};
use crate::api::limits::MAX_TRANSFORMATION_JOBS;
use crate::api::values::{DecodeErrors, text, value};
use crate::model::{Call, Facts, Organization, TRANSFORMATION_JOB_STATUSES};

streamed!(
    /// `OrganizationGetCreateProjectsResponse`
    TransformationJobsResponse { jobs: Each<TransformationJobs> = "jobs" }
);

fields!(
    /// `OrganizationGetCreateProjectsResponse.jobs[]`
    TransformationJobFields { status: Status = "transformJobStatus" }
);

value!(
    /// A status, as an index into [`TRANSFORMATION_JOB_STATUSES`].
    Status: Text, |json| -> usize {
        const OTHER: usize = TRANSFORMATION_JOB_STATUSES.len() - 1;
        let status = text(json)?;
        let known = TRANSFORMATION_JOB_STATUSES[..OTHER].iter().position(|known| *known == status);
        Some(known.unwrap_or(OTHER))
    }
);

/// Counts of jobs.
#[derive(Debug, Default)]
struct TransformationJobs {
    by_status: Counts<{ TRANSFORMATION_JOB_STATUSES.len() }>,
    jobs: usize,
}

impl Fold for TransformationJobs {
    type Element<'a> = TransformationJobFields<'a>;

    fn add(&mut self, job: &TransformationJobFields<'_>, _: &DecodeOptions, errors: &mut DecodeErrors) -> u64 {
        if self.jobs == MAX_TRANSFORMATION_JOBS {
            return 1;
        }
        self.jobs += 1;
        self.by_status.add(&job.status.get(errors), |class, status| class == *status);
        0
    }
}

impl Response for TransformationJobsResponse {
    fn facts(self, call: &Call, _: &DecodeOptions, _: &mut DecodeErrors) -> Option<Facts> {
        let jobs = self.jobs.fold?;
        let transformation_jobs = jobs.by_status.finish().filter(|_| !self.jobs.has_invalid);
        Some(only(Organization { transformation_jobs, ..Organization::new(call.organization_id?) }))
    }
}
