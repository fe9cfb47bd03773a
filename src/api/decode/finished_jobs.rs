//! Finished jobs of an organization, one by one because the pages of their list may overlap; then counted.

use std::collections::{BTreeMap, BTreeSet};

use super::{DecodeOptions, PageInfo, Response, is_within};
use crate::api::counts::Counts;
use crate::api::fields::{Convert, Each, Single, fields, streamed};
use crate::api::limits::MAX_FINISHED_JOBS;
use crate::api::values::{Boolean, Date, DecodeErrors, Id, Number, Text, Value};
use crate::model::{Call, DAY, Facts, FinishedJobs, JOB_RESULTS, UnixTime};

streamed!(
    /// `ListJobsResponse` of all jobs
    FinishedJobsResponse {
        jobs: Each<Vec<FinishedJob>> = "jobs",
        total: Single<Id> = "totalJobCount",
    }
);

fields!(
    /// `Job`, of which the rest is about people and what they work on.
    FinishedJobFields {
        id: Id = "id",
        category: Text = "categoryKey",
        finished: Date = "finished",
        successful: Boolean = "finishedSuccessful",
        compute_time: Number = "computeTime",
    }
);

/// A finished job.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::api) struct FinishedJob {
    id: Option<u64>,
    category: Value<String>,
    finished: Value<UnixTime>,
    is_successful: Value<bool>,
    compute_time: Value<f64>,
}

impl Convert for FinishedJob {
    const MAX: usize = MAX_FINISHED_JOBS;

    type Fields<'a> = FinishedJobFields<'a>;

    fn convert(fields: &FinishedJobFields<'_>, errors: &mut DecodeErrors) -> Option<Self> {
        Some(Self {
            id: fields.id.require(errors),
            category: fields.category.get(errors),
            finished: fields.finished.get(errors),
            is_successful: fields.successful.get(errors),
            compute_time: fields.compute_time.get(errors),
        })
    }
}

impl Response for FinishedJobsResponse {
    /// The jobs are part of [`PageInfo`], and become facts with the last page.
    fn facts(self, _: &Call, _: &DecodeOptions, _: &mut DecodeErrors) -> Option<Facts> {
        self.jobs.fold.map(|_| Facts::default())
    }

    fn page(&mut self, errors: &mut DecodeErrors) -> PageInfo {
        PageInfo {
            elements: self.jobs.elements,
            total: self.total.read(errors),
            has_invalid: self.jobs.has_invalid,
            jobs: self.jobs.fold.as_mut().map(std::mem::take).unwrap_or_default(),
        }
    }
}

/// The jobs of all pages.
#[derive(Debug, Default)]
pub(in crate::api) struct AllFinishedJobs {
    ids: BTreeSet<u64>,
    by_category: BTreeMap<String, Category>,
    is_unknown: bool,
}

/// The jobs of a category.
#[derive(Debug, Default)]
struct Category {
    by_result: Counts<{ JOB_RESULTS.len() }>,
    compute_time: Option<f64>,
    is_compute_time_unknown: bool,
}

impl AllFinishedJobs {
    /// Adds the jobs of a page that no page before it had. Returns how many of them were left out because of the limit;
    /// `None` if there are no new ones.
    pub(in crate::api) fn add(&mut self, page: &mut PageInfo, now: UnixTime) -> Option<u64> {
        self.is_unknown |= page.has_invalid;
        let mut left_out = None;
        for job in page.jobs.drain(..) {
            let Some(id) = job.id else {
                // Whether another page has it, too, cannot be told.
                self.add_job(FinishedJob { finished: job.finished.given(false), ..job }, now);
                continue;
            };
            if self.ids.contains(&id) {
                continue;
            }
            let left_out = left_out.get_or_insert(0);
            if self.ids.len() == MAX_FINISHED_JOBS {
                *left_out += 1;
                continue;
            }
            self.ids.insert(id);
            self.add_job(job, now);
        }
        left_out
    }

    fn add_job(&mut self, job: FinishedJob, now: UnixTime) {
        let is_known = match job.finished {
            Value::Valid(finished) if is_within(DAY, finished, now) => true,
            Value::Valid(_) | Value::Missing => return,
            Value::Invalid => false,
        };
        let category = match job.category {
            Value::Valid(category) => self.by_category.entry(category).or_default(),
            Value::Missing => return,
            // The job may be in any category.
            Value::Invalid => {
                self.is_unknown = true;
                return;
            }
        };
        let is_in =
            |result: usize, is_successful: &bool| (JOB_RESULTS[result] == "successful") == *is_successful;
        category.by_result.add(&job.is_successful.given(is_known), is_in);
        match job.compute_time.given(is_known) {
            Value::Missing => {}
            Value::Invalid => category.is_compute_time_unknown = true,
            Value::Valid(time) => *category.compute_time.get_or_insert(0.0) += time,
        }
    }

    /// Returns the counts by category; `None` if they would be wrong.
    pub(in crate::api) fn finish(self) -> Option<BTreeMap<String, FinishedJobs>> {
        let of_category = |category: Category| FinishedJobs {
            by_result: category.by_result.finish(),
            compute_time: category.compute_time.filter(|_| !category.is_compute_time_unknown),
        };
        let by_category = self.by_category.into_iter().map(|(name, category)| (name, of_category(category)));
        (!self.is_unknown).then(|| by_category.collect())
    }
}
