//! Entitlement limits, which several responses have.

use crate::api::fields::{Field, fields};
use crate::api::values::{DecodeErrors, Number, Value};
use crate::model::{EntitlementLimits, Limit};

fields!(
    /// `EntitlementLimits`
    LimitFields {
        storage: Number = "totalStorage",
        compute: Number = "computeTimePerYear",
        gpu_compute: Number = "gpuComputeTimePerYear",
        projects: Number = "numberOfProjects",
        users: Number = "numberOfUsers",
    }
);

impl LimitFields<'_> {
    pub(super) fn convert(&self, errors: &mut DecodeErrors) -> EntitlementLimits {
        let mut limit = |field: &Field<'_, Number>| match field.get(errors) {
            Value::Missing => Limit::None,
            Value::Invalid => Limit::Unknown,
            Value::Valid(value) => Limit::At(value),
        };
        EntitlementLimits {
            storage: limit(&self.storage),
            compute: limit(&self.compute),
            gpu_compute: limit(&self.gpu_compute),
            projects: limit(&self.projects),
            users: limit(&self.users),
        }
    }
}
