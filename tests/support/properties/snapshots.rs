//! Snapshots of any facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use arbitrary::{Arbitrary, Result, Unstructured};
use edgeimpulse_exporter::model::{
    AccountStatus, ApiKey, Bucket, CallResult, DailyRecord, Dataset, EntitlementLimits, Facts, FinishedJobs,
    Limit, Organization, OrganizationInfo, Pipeline, Project, Snapshot, Trial, Unique, User, Whitelabel,
};

/// Names of organizations, by id.
type Names = Vec<(u64, String)>;

/// Makes a snapshot of any facts, with the names of organizations that it shows.
pub(super) fn snapshot(input: &mut Unstructured<'_>) -> Result<(Snapshot, Names)> {
    let mut facts = Facts::default();
    let mut names = Names::new();
    for _ in 0..input.int_in_range(0..=4)? {
        let organization = organization(input)?;
        names.retain(|(id, _)| *id != organization.id);
        names.extend(organization.info.shown_name().map(|name| (organization.id, name.to_owned())));
        facts.organizations.insert(organization.id, Arc::new(organization));
    }
    for _ in 0..input.int_in_range(0..=3)? {
        let [scheduled_expiration, created, expired, upgraded, deleted] = input.arbitrary()?;
        let (organization_id, id) = input.arbitrary()?;
        let trial = Trial { organization_id, id, scheduled_expiration, created, expired, upgraded, deleted };
        facts.trials.insert((organization_id, id), trial);
    }
    for _ in 0..input.int_in_range(0..=3)? {
        let [private_projects, subscription_downgrade, subscription_termination] = input.arbitrary()?;
        let [plan_compute_time_used, plan_compute_time_limit, plan_reset] = input.arbitrary()?;
        let user = User {
            id: input.arbitrary()?,
            tier: input.arbitrary()?,
            suspended: input.arbitrary()?,
            mfa_configured: input.arbitrary()?,
            pending_payments: input.arbitrary()?,
            organizations: input.arbitrary()?,
            private_projects,
            subscription_downgrade,
            subscription_termination,
            plan_compute_time_used,
            plan_compute_time_limit,
            plan_reset,
            daily: daily_record(input)?,
            days: None,
        };
        facts.users.insert(user.id, user);
    }
    for _ in 0..input.int_in_range(0..=3)? {
        let whitelabel = Whitelabel {
            owner: input.arbitrary()?,
            id: input.arbitrary()?,
            name: input.arbitrary()?,
            organizations: input.arbitrary()?,
            organizations_limit: input.arbitrary()?,
            password_auth: input.arbitrary()?,
            signup: input.arbitrary()?,
            users_by_tier: input.arbitrary()?,
            users_active: input.arbitrary()?,
            organizations_active: input.arbitrary()?,
            projects: input.arbitrary()?,
            projects_active: input.arbitrary()?,
        };
        facts.whitelabels.insert(whitelabel.owner, whitelabel);
    }
    let account: Arc<str> = input.arbitrary::<String>()?.into();
    let collection = CallResult {
        account: Arc::clone(&account),
        collector: "usage",
        organization_id: input.arbitrary()?,
        user_id: input.arbitrary()?,
        success: input.arbitrary()?,
        supported: input.arbitrary()?,
        stale: input.arbitrary()?,
        duration: input.arbitrary()?,
        last_success: input.arbitrary()?,
    };
    let state = AccountStatus { name: account, up: input.arbitrary()?, ..AccountStatus::default() };
    Ok((Snapshot { facts, accounts: vec![state], call_results: vec![collection] }, names))
}

fn daily_record(input: &mut Unstructured<'_>) -> Result<Option<DailyRecord>> {
    let Some(date) = input.arbitrary()? else { return Ok(None) };
    let [cpu_compute_time, gpu_compute_time, storage, projects] = input.arbitrary()?;
    let compute_since = input.arbitrary()?;
    let users = input.arbitrary()?;
    Ok(Some(DailyRecord { date, users, cpu_compute_time, gpu_compute_time, compute_since, storage, projects }))
}

/// Every field is set here, so that none is forgotten.
fn organization(input: &mut Unstructured<'_>) -> Result<Organization> {
    let id = input.arbitrary()?;
    let info = OrganizationInfo {
        name: input.arbitrary()?,
        whitelabel_id: input.arbitrary()?,
        whitelabel_name: input.arbitrary()?,
        developer_profile: input.arbitrary()?,
    };
    let [created, contract_start, deleted, trial_expired, trial_upgraded, last_access] = input.arbitrary()?;
    let [storage_used, compute_time_used, cpu_compute_time_used, gpu_compute_time_used] = input.arbitrary()?;
    let [compute_time_lifetime, compute_period_start, daily_record] = input.arbitrary()?;
    let [users_used, admins, projects_used, private_projects] = input.arbitrary()?;
    let [job_cpu_request, job_cpu_limit, job_memory_request, job_memory_limit, job_time_limit] =
        input.arbitrary()?;
    let [oldest_queued_job, oldest_running_job] = input.arbitrary()?;
    let [users_pending, users_not_activated, users_staff] = input.arbitrary()?;
    let [projects_published, projects_pending_deletion] = input.arbitrary()?;
    let finished_jobs: BTreeMap<String, _> = input.arbitrary()?;
    let finished_jobs = finished_jobs
        .into_iter()
        .map(|(category, (by_result, compute_time))| (category, FinishedJobs { by_result, compute_time }));
    Ok(Organization {
        id,
        info,
        created,
        contract_start,
        deleted,
        trial_expired,
        trial_upgraded,
        trial: input.arbitrary()?,
        billable: input.arbitrary()?,
        limits: input.arbitrary::<bool>()?.then(|| limits(input)).transpose()?.map(Arc::new),
        storage_used,
        compute_time_used,
        compute_time_unit_mismatch: input.arbitrary()?,
        cpu_compute_time_used,
        gpu_compute_time_used,
        compute_time_lifetime,
        compute_period_start,
        projects_used,
        users_used,
        private_projects,
        admins,
        users_by_role: input.arbitrary()?,
        users_pending,
        users_not_activated,
        users_staff,
        users_by_sign_in: input.arbitrary()?,
        users_active: input.arbitrary()?,
        last_access,
        projects_by_visibility: input.arbitrary()?,
        projects_published,
        projects_pending_deletion,
        projects_modified: input.arbitrary()?,
        job_cpu_request,
        job_cpu_limit,
        job_memory_request,
        job_memory_limit,
        job_time_limit,
        experiments: input.arbitrary::<Option<BTreeMap<_, _>>>()?.map(Arc::new),
        datasets: Some(Arc::new(unique(up_to_three(input, |input| dataset(id, input))?, 2, |row| &row.name))),
        daily_record,
        days: None,
        jobs_by_state: input.arbitrary()?,
        oldest_queued_job,
        oldest_running_job,
        finished_jobs: Some(Arc::new(finished_jobs.collect())),
        transformation_jobs: input.arbitrary()?,
        projects: Some(Arc::new(unique(up_to_three(input, |input| project(id, input))?, 2, |row| &row.id))),
        buckets: Some(Arc::new(unique(up_to_three(input, |input| bucket(id, input))?, 2, |row| &row.id))),
        pipelines: Some(Arc::new(unique(up_to_three(input, |input| pipeline(id, input))?, 2, |row| &row.id))),
        api_keys_by_role: input.arbitrary()?,
        api_keys_unused: input.arbitrary()?,
        expiring_api_keys: Some(Arc::new(unique(up_to_three(input, |input| api_key(id, input))?, 2, |row| {
            &row.id
        }))),
    })
}

fn unique<T, K: Ord>(rows: Vec<T>, most: usize, key: impl Fn(&T) -> &K) -> Unique<T> {
    let mut unique = Unique { rows, ..Unique::default() };
    unique.limit(most, key, |_| 1);
    unique
}

fn up_to_three<T>(
    input: &mut Unstructured<'_>,
    mut one: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..input.int_in_range(0..=3)?).map(|_| one(input)).collect()
}

fn limits(input: &mut Unstructured<'_>) -> Result<EntitlementLimits> {
    let mut limit = || {
        Ok(match Option::<Option<f64>>::arbitrary(input)? {
            None => Limit::Unknown,
            Some(None) => Limit::None,
            Some(Some(value)) => Limit::At(value),
        })
    };
    Ok(EntitlementLimits {
        storage: limit()?,
        compute: limit()?,
        gpu_compute: limit()?,
        projects: limit()?,
        users: limit()?,
    })
}

fn dataset(organization_id: u64, input: &mut Unstructured<'_>) -> Result<Dataset> {
    let [size, files, items, checklist_ok, checklist_failed, last_file_created] = input.arbitrary()?;
    Ok(Dataset {
        organization_id,
        name: input.arbitrary()?,
        dataset_type: input.arbitrary()?,
        category: input.arbitrary()?,
        bucket: input.arbitrary()?,
        size,
        files,
        items,
        checklist_ok,
        checklist_failed,
        last_file_created,
    })
}

fn bucket(organization_id: u64, input: &mut Unstructured<'_>) -> Result<Bucket> {
    let (id, name, connected) = input.arbitrary()?;
    Ok(Bucket { organization_id, id, name, connected })
}

fn pipeline(organization_id: u64, input: &mut Unstructured<'_>) -> Result<Pipeline> {
    let [next_run, current_run_created, last_run_created, last_run_finished, last_run_items_import_failed] =
        input.arbitrary()?;
    let (id, name, last_run_failed, start_failed) = input.arbitrary()?;
    Ok(Pipeline {
        organization_id,
        id,
        name,
        next_run,
        current_run_created,
        last_run_created,
        last_run_finished,
        last_run_failed,
        last_run_items_import_failed,
        start_failed,
    })
}

fn api_key(organization_id: u64, input: &mut Unstructured<'_>) -> Result<ApiKey> {
    let (id, expiry) = input.arbitrary()?;
    Ok(ApiKey { organization_id, id, expiry })
}

fn project(organization_id: u64, input: &mut Unstructured<'_>) -> Result<Project> {
    let [created, last_modified, last_accessed, scheduled_deletion] = input.arbitrary()?;
    Ok(Project {
        organization_id,
        id: input.arbitrary()?,
        name: input.arbitrary()?,
        created,
        last_modified,
        last_accessed,
        scheduled_deletion,
        collaborators: input.arbitrary()?,
    })
}
