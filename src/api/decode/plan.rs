//! Compute time of a user's plan in the current billing period.

use std::collections::BTreeMap;

use super::{DecodeOptions, Response};
use crate::api::fields::{Single, fields, streamed};
use crate::api::values::{Date, DecodeErrors, Number, Value};
use crate::model::{Call, Facts, User};

streamed!(
    /// `UserSubscriptionMetricsResponse`
    PlanResponse { metrics: Value<PlanFields<'static>> = "metrics" }
);

fields!(
    /// `UserSubscriptionMetricsResponse.metrics`, in minutes
    PlanFields {
        used: Number = "computeMinutesTotal",
        limit: Number = "computeMinutesLimit",
        reset: Date = "computeResetDate",
    }
);

impl Response for PlanResponse {
    fn facts(self, call: &Call, _: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        const SECONDS_PER_MINUTE: f64 = 60.0;

        let id = call.user_id?;
        let plan = match self.metrics {
            Value::Valid(plan) => plan,
            // The API's document does not require this member: a user may have no subscription.
            Value::Missing => return Some(Facts::default()),
            Value::Invalid => return None,
        };
        let mut seconds = |field: &Single<Number>| Some(field.read(errors)? * SECONDS_PER_MINUTE);
        let user = User {
            plan_compute_time_used: seconds(&plan.used),
            plan_compute_time_limit: seconds(&plan.limit),
            plan_reset: plan.reset.read(errors),
            ..User::new(id)
        };
        Some(Facts { users: BTreeMap::from([(id, user)]), ..Facts::default() })
    }
}
