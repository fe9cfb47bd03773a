//! Metrics of users.

use super::metric::{Metric, gauge};
use crate::metrics::Samples;
use crate::model::{DailyRecord, User};

const LABELS: &[&str] = &["user_id"];
const COLLECTORS: &[&str] = &["user", "whitelabel_user"];
/// The collector that reads the user of the credential.
const USER_COLLECTOR: &[&str] = &["user"];
/// The collector that reads daily records.
const DAILY: &[&str] = &["whitelabel_user"];

/// Writes a total of the newest daily record.
macro_rules! daily {
    ($total:expr) => {
        |u: &User, s: &mut Samples<'_>| s.add([u.id.into()], u.daily.as_ref().and_then($total))
    };
}

/// One row per metric.
pub static USER: &[Metric<User>] = &[
    gauge(
        "edgeimpulse_user_info",
        "Always 1; the labels show the tier of the user account.",
        &["user_id", "tier"],
        COLLECTORS,
        |u, s| s.add([u.id.into(), (&u.tier).into()], 1.0),
    ),
    gauge("edgeimpulse_user_suspended", "1 if the user is suspended, else 0.", LABELS, COLLECTORS, |u, s| {
        s.flag([u.id.into()], u.suspended)
    }),
    gauge(
        "edgeimpulse_user_mfa_configured",
        "1 if the user has configured multi-factor authentication, else 0.",
        LABELS,
        COLLECTORS,
        |u, s| s.flag([u.id.into()], u.mfa_configured),
    ),
    gauge(
        "edgeimpulse_user_private_projects",
        "Number of private projects that the user created outside organizations.",
        LABELS,
        USER_COLLECTOR,
        |u, s| s.add([u.id.into()], u.private_projects),
    ),
    gauge(
        "edgeimpulse_user_organizations",
        "Number of organizations that the user is a member of.",
        LABELS,
        &["user", "user_organizations", "whitelabel_user"],
        |u, s| s.count([u.id.into()], u.organizations),
    ),
    gauge(
        "edgeimpulse_user_subscription_downgrade_timestamp_seconds",
        "Time at which the cancelled subscription of the user will be downgraded.",
        LABELS,
        USER_COLLECTOR,
        |u, s| s.add([u.id.into()], u.subscription_downgrade),
    ),
    gauge(
        "edgeimpulse_user_subscription_termination_timestamp_seconds",
        "Time at which the subscription of the user will be terminated because of failed payments.",
        LABELS,
        USER_COLLECTOR,
        |u, s| s.add([u.id.into()], u.subscription_termination),
    ),
    gauge(
        "edgeimpulse_user_compute_time_used_seconds",
        "Compute time used since the contract started, CPU and GPU combined, from the newest daily record.",
        LABELS,
        DAILY,
        daily!(DailyRecord::compute_time),
    )
    .experimental()
    .with_past(),
    gauge(
        "edgeimpulse_user_cpu_compute_time_used_seconds",
        "CPU compute time used since the contract started, from the newest daily record.",
        LABELS,
        DAILY,
        daily!(|record| record.cpu_compute_time),
    )
    .experimental()
    .with_past(),
    gauge(
        "edgeimpulse_user_gpu_compute_time_used_seconds",
        "GPU compute time used since the contract started, from the newest daily record.",
        LABELS,
        DAILY,
        daily!(|record| record.gpu_compute_time),
    )
    .experimental()
    .with_past(),
    gauge(
        "edgeimpulse_user_storage_used_bytes",
        "Storage used at the end of the day covered by the newest daily record.",
        LABELS,
        DAILY,
        daily!(|record| record.storage),
    )
    .experimental()
    .with_past(),
    gauge(
        "edgeimpulse_user_projects",
        "Number of projects at the end of the day covered by the newest daily record.",
        LABELS,
        DAILY,
        daily!(|record| record.projects),
    )
    .experimental()
    .with_past(),
    gauge(
        "edgeimpulse_user_daily_record_timestamp_seconds",
        "Start of the day covered by the newest daily record of the user.",
        LABELS,
        DAILY,
        daily!(|record| Some(record.date)),
    )
    .experimental(),
];
