//! Metrics of trials.

use crate::metrics::Label;
use crate::model::Trial;

const LABELS: &[&str] = &["organization_id", "trial_id"];
const COLLECTORS: &[&str] = &["user", "trials", "whitelabel_user"];

fn labels(trial: &Trial) -> [Label<'_>; 2] {
    [trial.organization_id.into(), trial.id.into()]
}

catalogue! { pub static TRIAL: Trial, |t, s|
    Gauge(LABELS, COLLECTORS) edgeimpulse_trial_scheduled_expiration_timestamp_seconds
        "Time at which the trial is scheduled to expire." => s.add(labels(t), t.scheduled_expiration);
    Gauge(LABELS, COLLECTORS) edgeimpulse_trial_created_timestamp_seconds
        "Creation time of the trial, which is also its start." => s.add(labels(t), t.created);
    Gauge(LABELS, COLLECTORS) edgeimpulse_trial_expired_timestamp_seconds
        "Expiration time of the trial; absent if it has not expired." => s.add(labels(t), t.expired);
    Gauge(LABELS, COLLECTORS) edgeimpulse_trial_upgraded_timestamp_seconds
        "Time at which the trial was upgraded to a full enterprise account; absent if it was not upgraded." =>
        s.add(labels(t), t.upgraded);
    Gauge(LABELS, COLLECTORS) edgeimpulse_trial_deleted_timestamp_seconds
        "Deletion time of the trial; absent if it was not deleted." => s.add(labels(t), t.deleted);
}
