//! Daily records of an organization or a user.

use crate::api::Error;
use crate::api::fields::fields;
use crate::api::schema::{Key, List};
use crate::api::stream::{JsonStream, Parts};
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

impl RecordFields<'_> {
    fn convert(&self, errors: &mut DecodeErrors) -> Option<DailyRecord> {
        let staff = self.staff.read(errors);
        // 0 counts nobody: developer profiles and users have it.
        let users = self.users.read(errors).filter(|users| *users > 0.0);
        Some(DailyRecord {
            users: users.zip(staff).map(|(users, staff)| users - staff).filter(|users| *users >= 0.0),
            cpu_compute_time: self.cpu.read(errors),
            gpu_compute_time: self.gpu.read(errors),
            compute_since: self.since.read(errors),
            storage: self.storage.read(errors),
            projects: self.projects.read(errors),
            date: self.date.require(errors)?,
        })
    }
}

/// What is kept of a list of daily records.
#[derive(Default)]
pub(super) struct DailyRecords {
    /// The record with the latest date; the last of several.
    pub(super) newest: Option<DailyRecord>,
    /// All records in the order of the response, if they are kept one by one.
    pub(super) all: Option<Vec<DailyRecord>>,
}

impl DailyRecords {
    /// Makes an empty list; `all` tells whether records are kept one by one.
    pub(super) fn new(all: bool) -> Self {
        Self { newest: None, all: all.then(Vec::new) }
    }

    /// Reads `dailyMetrics`, the value that comes next.
    pub(super) async fn read<S: Parts>(
        &mut self,
        json: &mut JsonStream<S>,
        key: Key<List<RecordFields<'static>>>,
    ) -> Result<(), Error> {
        json.each(key, |fields, errors| {
            let Some(record) = fields.and_then(|fields| fields.convert(errors)) else { return };
            if self.newest.is_none_or(|newest| newest.date <= record.date) {
                self.newest = Some(record);
            }
            self.all.iter_mut().for_each(|all| all.push(record));
        })
        .await?;
        Ok(())
    }
}
