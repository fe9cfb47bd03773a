//! Metrics of trials, datasets, projects and users.

use super::gauge;
use crate::metrics::{Label, Metric, Samples};
use crate::model::{DailyRecord, Dataset, Project, Trial, User};

/// Labels of a trial.
const TRIAL_IDS: &[&str] = &["organization_id", "trial_id"];
/// Collectors that know trials.
const TRIAL_COLLECTORS: &[&str] = &["user", "trials", "whitelabel_user"];
/// Labels of a dataset.
const DATASET_IDS: &[&str] = &["organization_id", "dataset"];
/// The collector that knows datasets and projects.
const OF_ORGANIZATION: &[&str] = &["organization"];
/// Labels of a project.
const PROJECT_IDS: &[&str] = &["organization_id", "project_id"];
/// Collectors that know projects.
const PROJECT_COLLECTORS: &[&str] = &["organization", "user_organizations"];
/// Labels of a user.
const USER_ID: &[&str] = &["user_id"];
/// Collectors that know users.
const USER_COLLECTORS: &[&str] = &["user", "whitelabel_user"];
/// The collector that knows the credential's own user only.
const OWN_USER: &[&str] = &["user"];
/// The collector that knows daily records.
const DAILY: &[&str] = &["whitelabel_user"];

fn trial(trial: &Trial) -> [Label<'_>; 2] {
    [trial.organization_id.into(), trial.id.into()]
}

fn dataset(dataset: &Dataset) -> [Label<'_>; 2] {
    [dataset.organization_id.into(), dataset.name.as_str().into()]
}

fn project(project: &Project) -> [Label<'_>; 2] {
    [project.organization_id.into(), project.id.into()]
}

/// Trials.
pub static TRIAL: &[Metric<Trial>] = &[
    gauge(
        "edgeimpulse_trial_scheduled_expiration_timestamp_seconds",
        "When the trial is to expire.",
        TRIAL_IDS,
        TRIAL_COLLECTORS,
        |t, s| s.add(trial(t), t.scheduled_expiration),
    ),
    gauge(
        "edgeimpulse_trial_created_timestamp_seconds",
        "When the trial was created, which is when it started.",
        TRIAL_IDS,
        TRIAL_COLLECTORS,
        |t, s| s.add(trial(t), t.created),
    ),
    gauge(
        "edgeimpulse_trial_expired_timestamp_seconds",
        "When the trial expired; absent unless it did.",
        TRIAL_IDS,
        TRIAL_COLLECTORS,
        |t, s| s.add(trial(t), t.expired),
    ),
    gauge(
        "edgeimpulse_trial_upgraded_timestamp_seconds",
        "When the trial was upgraded to a full enterprise account; absent unless it was.",
        TRIAL_IDS,
        TRIAL_COLLECTORS,
        |t, s| s.add(trial(t), t.upgraded),
    ),
    gauge(
        "edgeimpulse_trial_deleted_timestamp_seconds",
        "When the trial was deleted; absent unless it was.",
        TRIAL_IDS,
        TRIAL_COLLECTORS,
        |t, s| s.add(trial(t), t.deleted),
    ),
];

/// Datasets.
pub static DATASET: &[Metric<Dataset>] = &[
    gauge(
        "edgeimpulse_dataset_info",
        "Always 1. Kind, category and storage bucket of the dataset.",
        &["organization_id", "dataset", "dataset_type", "category", "bucket"],
        OF_ORGANIZATION,
        |d, s| {
            let labels = [
                d.organization_id.into(),
                d.name.as_str().into(),
                (&d.dataset_type).into(),
                (&d.category).into(),
                (&d.bucket).into(),
            ];
            s.add(labels, 1.0);
        },
    ),
    gauge(
        "edgeimpulse_dataset_size_bytes",
        "Size of the files of the dataset.",
        DATASET_IDS,
        OF_ORGANIZATION,
        |d, s| s.add(dataset(d), d.size),
    ),
    gauge("edgeimpulse_dataset_files", "Files of the dataset.", DATASET_IDS, OF_ORGANIZATION, |d, s| {
        s.add(dataset(d), d.files);
    }),
    gauge(
        "edgeimpulse_dataset_items",
        "Data items of the dataset, which only clinical ones have.",
        DATASET_IDS,
        OF_ORGANIZATION,
        |d, s| s.add(dataset(d), d.items),
    ),
    gauge(
        "edgeimpulse_dataset_checklist_items",
        "Data items of a clinical dataset by the result of their checklist: ok, failed or unchecked.",
        &["organization_id", "dataset", "result"],
        OF_ORGANIZATION,
        |d, s| {
            let rest = |items, ok, failed| Some(items? - ok? - failed?).filter(|rest| *rest >= 0.0);
            let unchecked = rest(d.items, d.checklist_ok, d.checklist_failed);
            for (result, count) in
                [("ok", d.checklist_ok), ("failed", d.checklist_failed), ("unchecked", unchecked)]
            {
                s.add([d.organization_id.into(), d.name.as_str().into(), result.into()], count);
            }
        },
    ),
    gauge(
        "edgeimpulse_dataset_last_file_created_timestamp_seconds",
        "When the newest file of the dataset was created; absent if it has no files.",
        DATASET_IDS,
        OF_ORGANIZATION,
        |d, s| s.add(dataset(d), d.last_file_created),
    ),
];

/// Projects.
pub static PROJECT: &[Metric<Project>] = &[
    gauge(
        "edgeimpulse_project_info",
        "Always 1. Name of the project.",
        &["organization_id", "project_id", "project_name"],
        PROJECT_COLLECTORS,
        |p, s| s.add([p.organization_id.into(), p.id.into(), (&p.name).into()], 1.0),
    ),
    gauge(
        "edgeimpulse_project_created_timestamp_seconds",
        "When the project was created.",
        PROJECT_IDS,
        PROJECT_COLLECTORS,
        |p, s| s.add(project(p), p.created),
    ),
    gauge(
        "edgeimpulse_project_last_modified_timestamp_seconds",
        "When the project was last modified.",
        PROJECT_IDS,
        PROJECT_COLLECTORS,
        |p, s| s.add(project(p), p.last_modified),
    ),
    gauge(
        "edgeimpulse_project_last_accessed_timestamp_seconds",
        "When the project was last accessed.",
        PROJECT_IDS,
        PROJECT_COLLECTORS,
        |p, s| s.add(project(p), p.last_accessed),
    ),
    gauge(
        "edgeimpulse_project_scheduled_deletion_timestamp_seconds",
        "When the project is to be fully deleted; absent unless it is.",
        PROJECT_IDS,
        PROJECT_COLLECTORS,
        |p, s| s.add(project(p), p.scheduled_deletion),
    ),
    gauge(
        "edgeimpulse_project_collaborators",
        "Users who work on the project.",
        PROJECT_IDS,
        PROJECT_COLLECTORS,
        |p, s| s.count(project(p), p.collaborators),
    ),
];

/// Writes a total of the newest daily record.
macro_rules! daily {
    ($total:expr) => {
        |u: &User, s: &mut Samples<'_>| s.add([u.id.into()], u.daily.as_ref().and_then($total))
    };
}

/// Users.
pub static USER: &[Metric<User>] = &[
    gauge(
        "edgeimpulse_user_info",
        "Always 1. Tier of the user's account.",
        &["user_id", "tier"],
        USER_COLLECTORS,
        |u, s| s.add([u.id.into(), (&u.tier).into()], 1.0),
    ),
    gauge(
        "edgeimpulse_user_suspended",
        "Whether the user is suspended, 1 or 0.",
        USER_ID,
        USER_COLLECTORS,
        |u, s| s.flag([u.id.into()], u.suspended),
    ),
    gauge(
        "edgeimpulse_user_mfa_configured",
        "Whether the user has configured multi-factor authentication, 1 or 0.",
        USER_ID,
        USER_COLLECTORS,
        |u, s| s.flag([u.id.into()], u.mfa_configured),
    ),
    gauge(
        "edgeimpulse_user_private_projects",
        "Private projects that the user created outside organizations.",
        USER_ID,
        OWN_USER,
        |u, s| s.add([u.id.into()], u.private_projects),
    ),
    gauge(
        "edgeimpulse_user_organizations",
        "Organizations that the user belongs to.",
        USER_ID,
        &["user", "user_organizations", "whitelabel_user"],
        |u, s| s.count([u.id.into()], u.organizations),
    ),
    gauge(
        "edgeimpulse_user_subscription_downgrade_timestamp_seconds",
        "When the user's subscription will be downgraded because it was cancelled.",
        USER_ID,
        OWN_USER,
        |u, s| s.add([u.id.into()], u.subscription_downgrade),
    ),
    gauge(
        "edgeimpulse_user_subscription_termination_timestamp_seconds",
        "When the user's subscription will be terminated because payments failed.",
        USER_ID,
        OWN_USER,
        |u, s| s.add([u.id.into()], u.subscription_termination),
    ),
    gauge(
        "edgeimpulse_user_compute_time_used_seconds",
        "Compute time since the contract started, CPU and GPU added, at the end of the newest daily record.",
        USER_ID,
        DAILY,
        daily!(DailyRecord::compute_time),
    )
    .experimental()
    .with_past(),
    gauge(
        "edgeimpulse_user_cpu_compute_time_used_seconds",
        "CPU compute time since the contract started, at the end of the newest daily record.",
        USER_ID,
        DAILY,
        daily!(|record| record.cpu_compute_time),
    )
    .experimental()
    .with_past(),
    gauge(
        "edgeimpulse_user_gpu_compute_time_used_seconds",
        "GPU compute time since the contract started, at the end of the newest daily record.",
        USER_ID,
        DAILY,
        daily!(|record| record.gpu_compute_time),
    )
    .experimental()
    .with_past(),
    gauge(
        "edgeimpulse_user_storage_used_bytes",
        "Storage in use at the end of the newest daily record.",
        USER_ID,
        DAILY,
        daily!(|record| record.storage),
    )
    .experimental()
    .with_past(),
    gauge(
        "edgeimpulse_user_projects",
        "Projects at the end of the newest daily record.",
        USER_ID,
        DAILY,
        daily!(|record| record.projects),
    )
    .experimental()
    .with_past(),
    gauge(
        "edgeimpulse_user_daily_record_timestamp_seconds",
        "The day that the newest daily record is about, as its beginning.",
        USER_ID,
        DAILY,
        daily!(|record| Some(record.date)),
    )
    .experimental(),
];
