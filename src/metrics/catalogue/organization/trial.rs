//! The trial that an organization belongs to, and its daily record.

use super::LABELS;
use crate::metrics::catalogue::metric::{Metric, gauge};
use crate::model::Organization;

const COLLECTORS: &[&str] = &["organization", "user", "user_organizations", "whitelabel_user"];

pub(super) static TRIAL: &[Metric<Organization>] = &[
    gauge(
        "edgeimpulse_organization_trial_expired_timestamp_seconds",
        "Expiration time of the trial that the organization belongs to. The organization is deleted after a grace period of 30 days.",
        LABELS,
        COLLECTORS,
        |o, s| s.add([o.id.into()], o.trial_expired),
    ),
    gauge(
        "edgeimpulse_organization_trial_upgraded_timestamp_seconds",
        "Time at which the trial that the organization belongs to was upgraded to a full enterprise account.",
        LABELS,
        COLLECTORS,
        |o, s| s.add([o.id.into()], o.trial_upgraded),
    ),
    gauge(
        "edgeimpulse_organization_daily_record_timestamp_seconds",
        "Start of the day covered by the newest daily record; white-label organizations only.",
        LABELS,
        &["whitelabel_organization"],
        |o: &Organization, s| s.add([o.id.into()], o.daily_record),
    )
    .experimental(),
];
