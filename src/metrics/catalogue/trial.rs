//! Metrics of trials.

use super::metric::{Metric, gauge};
use crate::metrics::Label;
use crate::model::Trial;

const LABELS: &[&str] = &["organization_id", "trial_id"];
const COLLECTORS: &[&str] = &["user", "trials", "whitelabel_user"];

fn labels(trial: &Trial) -> [Label<'_>; 2] {
    [trial.organization_id.into(), trial.id.into()]
}

/// One row per metric.
pub static TRIAL: &[Metric<Trial>] = &[
    gauge(
        "edgeimpulse_trial_scheduled_expiration_timestamp_seconds",
        "Time at which the trial is scheduled to expire.",
        LABELS,
        COLLECTORS,
        |t, s| s.add(labels(t), t.scheduled_expiration),
    ),
    gauge(
        "edgeimpulse_trial_created_timestamp_seconds",
        "Creation time of the trial, which is also its start.",
        LABELS,
        COLLECTORS,
        |t, s| s.add(labels(t), t.created),
    ),
    gauge(
        "edgeimpulse_trial_expired_timestamp_seconds",
        "Expiration time of the trial; absent if it has not expired.",
        LABELS,
        COLLECTORS,
        |t, s| s.add(labels(t), t.expired),
    ),
    gauge(
        "edgeimpulse_trial_upgraded_timestamp_seconds",
        "Time at which the trial was upgraded to a full enterprise account; absent if it was not upgraded.",
        LABELS,
        COLLECTORS,
        |t, s| s.add(labels(t), t.upgraded),
    ),
    gauge(
        "edgeimpulse_trial_deleted_timestamp_seconds",
        "Deletion time of the trial; absent if it was not deleted.",
        LABELS,
        COLLECTORS,
        |t, s| s.add(labels(t), t.deleted),
    ),
];
