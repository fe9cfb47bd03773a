//! Daily records of an organization or a user.

use super::DecodeOptions;
use crate::api::fields::{Fold, fields};
use crate::api::limits::MAX_DAYS;
use crate::api::values::{Date, DecodeErrors, Number};
use crate::model::DailyRecord;

fields!(
    /// `DailyMetricsRecord`
    RecordFields {
        date: Date = "date",
        users: Number = "totalUsers",
        staff: Number = "totalStaffUsers",
        cpu: Number = "totalCurrentContractCpuComputeTimeSeconds",
        gpu: Number = "totalCurrentContractGpuComputeTimeSeconds",
        since: Date = "computeTimeCalculatedSince",
        storage: Number = "totalStorageSizeBytes",
        projects: Number = "totalProjects",
    }
);

/// What is kept of a list of daily records.
#[derive(Debug, Default)]
pub(super) struct DailyRecords {
    /// The record with the latest date; the last of several.
    pub(super) newest: Option<DailyRecord>,
    /// Whether that record counts 0 users.
    pub(super) is_without_users: bool,
    /// All records in the order of the response, if they are kept one by one.
    pub(super) all: Vec<DailyRecord>,
}

impl Fold for DailyRecords {
    type Element<'a> = RecordFields<'a>;

    fn add(&mut self, fields: &RecordFields<'_>, options: &DecodeOptions, errors: &mut DecodeErrors) -> u64 {
        let staff = fields.staff.read(errors);
        let all_users = fields.users.read(errors);
        // 0 counts nobody: developer profiles and users have it.
        let users = all_users.filter(|users| *users > 0.0);
        let cpu_compute_time = fields.cpu.read(errors);
        let gpu_compute_time = fields.gpu.read(errors);
        let compute_since = fields.since.read(errors);
        let storage = fields.storage.read(errors);
        let projects = fields.projects.read(errors);
        let Some(date) = fields.date.require(errors) else { return 0 };
        let users = users.zip(staff).map(|(users, staff)| users - staff).filter(|users| *users >= 0.0);
        let record =
            DailyRecord { date, users, cpu_compute_time, gpu_compute_time, compute_since, storage, projects };
        if self.newest.is_none_or(|newest| newest.date <= date) {
            self.newest = Some(record);
            self.is_without_users = all_users == Some(0.0);
        }
        let is_beyond = options.days && self.all.len() == MAX_DAYS;
        if options.days && !is_beyond {
            self.all.push(record);
        }
        u64::from(is_beyond)
    }
}
