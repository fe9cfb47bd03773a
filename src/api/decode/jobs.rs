//! Jobs of an organization that have not finished, counted.

use super::{DecodeOptions, Response, only};
use crate::api::counts::Counts;
use crate::api::fields::{Each, Fold, fields, streamed};
use crate::api::values::{Date, DecodeErrors, Value};
use crate::model::{Call, Facts, JOB_STATES, Organization, UnixTime};

streamed!(
    /// `ListJobsResponse` of active jobs
    JobsResponse { jobs: Each<Jobs> = "jobs" }
);

fields!(
    /// `Job`, of which the rest is about people and what they work on.
    JobFields { created: Date = "created", started: Date = "started", finished: Date = "finished" }
);

/// Counts of jobs, and the oldest ones.
#[derive(Debug, Default)]
struct Jobs {
    by_state: Counts<{ JOB_STATES.len() }>,
    queued: Oldest,
    running: Oldest,
}

/// The earliest of dates. It is unknown if one of them is invalid: that one may be earlier.
#[derive(Debug, Default)]
struct Oldest {
    date: Option<UnixTime>,
    is_unknown: bool,
}

impl Oldest {
    fn add(&mut self, date: Value<UnixTime>) {
        match date {
            Value::Missing => {}
            Value::Invalid => self.is_unknown = true,
            Value::Valid(date) => self.date = Some(self.date.map_or(date, |oldest| oldest.min(date))),
        }
    }

    fn finish(self) -> Option<UnixTime> {
        self.date.filter(|_| !self.is_unknown)
    }
}

impl Fold for Jobs {
    type Element<'a> = JobFields<'a>;

    fn add(&mut self, job: &JobFields<'_>, _: &DecodeOptions, errors: &mut DecodeErrors) -> u64 {
        let (created, started, finished) =
            (job.created.get(errors), job.started.get(errors), job.finished.get(errors));
        let state = match (started, finished) {
            // Finished while the list was made.
            (_, Value::Valid(_)) => return 0,
            (Value::Invalid, _) | (_, Value::Invalid) => Value::Invalid,
            (Value::Missing, Value::Missing) => Value::Valid("queued"),
            (Value::Valid(_), Value::Missing) => Value::Valid("running"),
        };
        self.by_state.add(&state, |class, state| JOB_STATES[class] == *state);
        match state {
            Value::Valid("queued") => self.queued.add(created),
            Value::Valid(_) => self.running.add(started),
            // The job may be in either state.
            Value::Missing | Value::Invalid => {
                self.queued.add(Value::Invalid);
                self.running.add(Value::Invalid);
            }
        }
        0
    }
}

impl Response for JobsResponse {
    fn facts(self, call: &Call, _: &DecodeOptions, _: &mut DecodeErrors) -> Option<Facts> {
        let jobs = self.jobs.fold?;
        let mut organization = Organization::new(call.organization_id?);
        // An element that is not an object may be a job in any state.
        if !self.jobs.has_invalid {
            organization.jobs_by_state = jobs.by_state.finish();
            organization.oldest_queued_job = jobs.queued.finish();
            organization.oldest_running_job = jobs.running.finish();
        }
        Some(only(organization))
    }
}
