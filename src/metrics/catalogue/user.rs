//! Metrics of users.

use crate::metrics::Samples;
use crate::model::{DailyRecord, User};

const LABELS: &[&str] = &["user_id"];
const COLLECTORS: &[&str] = &["user", "whitelabel_user"];
/// The collector that reads the user of the credential.
const USER_COLLECTOR: &[&str] = &["user"];
/// The collector that reads the plan of that user.
const PLAN: &[&str] = &["plan"];
/// The collector that reads daily records.
const DAILY: &[&str] = &["whitelabel_user"];

/// Adds a total of the newest daily record.
fn daily(user: &User, samples: &mut Samples<'_>, total: fn(&DailyRecord) -> Option<f64>) {
    samples.add([user.id.into()], user.daily.as_ref().and_then(total));
}

catalogue! { pub static USER: User, |u, s|
    Gauge(&["user_id", "tier"], COLLECTORS) edgeimpulse_user_info
        "Always 1; the labels show the tier of the user account." =>
        // Other collectors know the id alone.
        s.add([u.id.into(), (&u.tier).into()], u.tier.as_ref().map(|_| 1.0));
    Gauge(LABELS, COLLECTORS) edgeimpulse_user_suspended
        "1 if the user is suspended, else 0." => s.flag([u.id.into()], u.suspended);
    Gauge(LABELS, COLLECTORS) edgeimpulse_user_mfa_configured
        "1 if the user has configured multi-factor authentication, else 0." =>
        s.flag([u.id.into()], u.mfa_configured);
    Gauge(LABELS, COLLECTORS) edgeimpulse_user_pending_payments
        "1 if the user has pending payments, else 0."
        .experimental() => s.flag([u.id.into()], u.pending_payments);
    Gauge(LABELS, USER_COLLECTOR) edgeimpulse_user_private_projects
        "Number of private projects that the user created outside organizations." =>
        s.add([u.id.into()], u.private_projects);
    Gauge(LABELS, &["user", "user_organizations", "whitelabel_user"]) edgeimpulse_user_organizations
        "Number of organizations that the user is a member of." => s.count([u.id.into()], u.organizations);
    Gauge(LABELS, USER_COLLECTOR) edgeimpulse_user_subscription_downgrade_timestamp_seconds
        "Time at which the cancelled subscription of the user will be downgraded." =>
        s.add([u.id.into()], u.subscription_downgrade);
    Gauge(LABELS, USER_COLLECTOR) edgeimpulse_user_subscription_termination_timestamp_seconds
        "Time at which the subscription of the user will be terminated because of failed payments." =>
        s.add([u.id.into()], u.subscription_termination);
    Gauge(LABELS, PLAN) edgeimpulse_user_plan_compute_time_used_seconds
        "Compute time of the plan used in the billing period: CPU plus 3 times GPU, unlike all other compute times. Absent without a subscription."
        .experimental() => s.add([u.id.into()], u.plan_compute_time_used);
    Gauge(LABELS, PLAN) edgeimpulse_user_plan_compute_time_limit_seconds
        "Compute time that the plan allows in the billing period: CPU plus 3 times GPU."
        .experimental() => s.add([u.id.into()], u.plan_compute_time_limit);
    Gauge(LABELS, PLAN) edgeimpulse_user_plan_reset_timestamp_seconds
        "Time at which the next billing period of the plan begins."
        .experimental() => s.add([u.id.into()], u.plan_reset);
    Gauge(LABELS, DAILY) edgeimpulse_user_compute_time_used_seconds
        "Compute time used since the contract started, CPU and GPU combined, from the newest daily record."
        .experimental().with_past() => daily(u, s, DailyRecord::compute_time);
    Gauge(LABELS, DAILY) edgeimpulse_user_cpu_compute_time_used_seconds
        "CPU compute time used since the contract started, from the newest daily record."
        .experimental().with_past() => daily(u, s, |record| record.cpu_compute_time);
    Gauge(LABELS, DAILY) edgeimpulse_user_gpu_compute_time_used_seconds
        "GPU compute time used since the contract started, from the newest daily record."
        .experimental().with_past() => daily(u, s, |record| record.gpu_compute_time);
    Gauge(LABELS, DAILY) edgeimpulse_user_storage_used_bytes
        "Storage used at the end of the day covered by the newest daily record."
        .experimental().with_past() => daily(u, s, |record| record.storage);
    Gauge(LABELS, DAILY) edgeimpulse_user_projects
        "Number of projects at the end of the day covered by the newest daily record."
        .experimental().with_past() => daily(u, s, |record| record.projects);
    Gauge(LABELS, DAILY) edgeimpulse_user_daily_record_timestamp_seconds
        "Start of the day covered by the newest daily record of the user."
        .experimental() => daily(u, s, |record| Some(record.date));
}
