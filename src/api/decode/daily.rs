//! Daily records, of organizations and of users.

use super::{date, unix};
use crate::api::Error;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Unusable, fields};
use crate::model::DailyRecord;

fields!(
    /// `DailyMetricsRecord`
    RecordFields {
        date: "date",
        users: "totalUsers",
        staff: "totalStaffUsers",
        cpu: "totalCurrentContractCpuComputeTimeSeconds",
        gpu: "totalCurrentContractGpuComputeTimeSeconds",
        since: "computeTimeCalculatedSince",
        storage: "totalStorageSizeBytes",
        projects: "totalProjects",
    }
);

impl RecordFields<'_> {
    fn convert(&self, unusable: &mut Unusable) -> Option<DailyRecord> {
        let staff = self.staff.read::<f64>(unusable);
        // 0 does not count anyone: it stands for developer profiles, and for users.
        let users = self.users.read::<f64>(unusable).filter(|users| *users > 0.0);
        Some(DailyRecord {
            users: users.zip(staff).map(|(users, staff)| users - staff).filter(|users| *users >= 0.0),
            cpu_compute_time: self.cpu.read(unusable),
            gpu_compute_time: self.gpu.read(unusable),
            compute_since: date(self.since, unusable),
            storage: self.storage.read(unusable),
            projects: self.projects.read(unusable),
            date: self.date.require(unusable).map(unix)?,
        })
    }
}

/// What is kept of a list of daily records.
#[derive(Default)]
pub(super) struct Days {
    /// The record with the greatest date; of several the last one.
    pub(super) newest: Option<DailyRecord>,
    /// All records in the order in which they came, if they are asked for.
    pub(super) all: Option<Vec<DailyRecord>>,
}

impl Days {
    /// Makes an empty list, which keeps records one by one only if `all` are asked for.
    pub(super) fn new(all: bool) -> Self {
        Self { newest: None, all: all.then(Vec::new) }
    }

    /// Reads `dailyMetrics`, which `json` stands at.
    pub(super) async fn read<S: Parts>(&mut self, json: &mut JsonStream<S>) -> Result<(), Error> {
        json.each::<RecordFields<'_>>("dailyMetrics", |fields, unusable| {
            let Some(record) = fields.and_then(|fields| fields.convert(unusable)) else { return };
            if self.newest.is_none_or(|newest| newest.date <= record.date) {
                self.newest = Some(record);
            }
            self.all.iter_mut().for_each(|all| all.push(record));
        })
        .await?;
        Ok(())
    }
}
