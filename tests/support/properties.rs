//! Properties of every response and every snapshot, for proptest and for the fuzzers in `fuzz/`.

use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use axum::http;
use bytes::Bytes;
use edgeimpulse_exporter::api::{DecodeOptions, Decoded, Error, Share, body_parts, decode, refusal};
use edgeimpulse_exporter::metrics::{self, Format};
use edgeimpulse_exporter::model::{
    AccountStatus, ApiKey, Bucket, CallResult, DailyRecord, Dataset, EntitlementLimits, Facts, Limit,
    Organization, OrganizationInfo, Pipeline, Project, Snapshot, Trial, Unique, User, Whitelabel,
};
use edgeimpulse_exporter::model::{Call, Collector};
use futures_util::{FutureExt, StreamExt};

use super::exposition::Exposition;

const OPTIONS: DecodeOptions = DecodeOptions {
    now: 1_793_491_200.0,
    compute_time_unit: 1.0,
    compute_time_total_unit: 1.0,
    memory_unit: 1.0,
    projects: true,
    most_datasets: 10,
    days: true,
};

/// Stands for the credential.
const SECRET: &str = "ei_secret";

fn decoded(call: &Call, response: &[u8], size: usize) -> Decoded {
    let parts: Vec<_> = response.chunks(size.max(1)).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let decoding = decode(futures_util::stream::iter(parts), call, &OPTIONS, Share::default(), SECRET);
    decoding.now_or_never().expect("nothing to wait for")
}

/// Returns the facts of a response that a call about organization 1 gets.
pub fn facts(collector: Collector, response: &serde_json::Value) -> Facts {
    let call = Call::of_organization(collector, 1);
    let response = response.to_string();
    decoded(&call, response.as_bytes(), 100).facts.unwrap()
}

/// Decodes any bytes as the response to the call that the first byte selects, in parts of as many bytes as the second.
pub fn every_response_is_decoded_or_an_error(input: &[u8]) {
    let [collector, size, response @ ..] = input else { return };
    let collector = Collector::ALL[usize::from(*collector) % Collector::ALL.len()];
    let call = Call { collector, owner: Some(1), organization_id: Some(1), user_id: Some(2) };
    let whole = decoded(&call, response, response.len());
    let in_parts = decoded(&call, response, usize::from(*size));
    // The text of an error says where it was noticed, which depends on the parts.
    let [one, other] = [&whole, &in_parts].map(|it| it.facts.as_ref().map_err(Error::reason));
    assert_eq!(one, other, "by {size}");
    assert_eq!((whole.errors, whole.page), (in_parts.errors, in_parts.page), "by {size}");
    assert_eq!(whole.truncated, in_parts.truncated, "by {size}");
    match whole.facts {
        Ok(facts) => {
            assert_sizes(&facts);
            every_exposition_is_readable(Snapshot { facts, ..Snapshot::default() });
        }
        Err(error) => {
            let ordinary = matches!(
                error,
                Error::Decode(_)
                    | Error::Api(_)
                    | Error::Unauthorized(_)
                    | Error::Forbidden(_)
                    | Error::NotFound(_)
            );
            assert!(ordinary, "{error:?}");
            assert!(!error.to_string().contains(SECRET) && !error.to_string().contains(char::is_control));
        }
    }
}

/// Decodes a response that is longer than any buffer: a piece of the input, from one place to another, again and again.
pub fn every_long_response_is_decoded_or_an_error(input: &[u8]) {
    let [collector, begin, length, response @ ..] = input else { return };
    let (before, rest) = response.split_at(usize::from(*begin).min(response.len()));
    let (piece, after) = rest.split_at(usize::from(*length).min(rest.len()));
    let times = (80 * 1024) / piece.len().max(1);
    let long = [&[*collector, u8::MAX][..], before, &piece.repeat(times), after].concat();
    every_response_is_decoded_or_an_error(&long);
}

/// A response with an error status is a refusal only in the API's own words, and nothing else of it is shown.
pub fn every_refusal_is_in_the_words_of_the_api(input: &[u8]) {
    const STATUS: [u16; 8] = [400, 401, 403, 404, 418, 429, 500, 503];
    let [status, body @ ..] = input else { return };
    let status = STATUS[usize::from(*status) % STATUS.len()];
    let parts: Vec<_> = body.chunks(97).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let parts = futures_util::stream::iter(parts);
    let (is_of_api, detail) = runtime.block_on(refusal(parts, status, SECRET, Duration::from_mins(1)));
    let error = Error::of_status(detail, is_of_api, None);
    let json = serde_json::from_slice::<serde_json::Value>(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
    if let Ok(json) = &json {
        assert_eq!(is_of_api, json["success"] == false, "{json}");
    }
    let is_refusal = matches!(error, Error::Forbidden(_) | Error::NotFound(_));
    assert!(!is_refusal || is_of_api && [403, 404].contains(&status), "{error:?}");
    assert!(is_of_api || error.reason() != "unauthorized" || status == 401, "{error:?}");
    let text = error.to_string();
    assert!(text.len() < 300 && !text.contains(SECRET) && !text.contains(char::is_control), "{text}");
}

/// Whatever the response is, its texts and lists have their limits.
fn assert_sizes(facts: &Facts) {
    let organizations = facts.organizations.values();
    let datasets: Vec<_> = organizations.clone().filter_map(|it| it.datasets.as_deref()).collect();
    let names = organizations.filter_map(|it| it.info.name.as_deref());
    let names = names.chain(datasets.iter().flat_map(|it| it.rows.iter().map(|row| &*row.name)));
    assert!(names.map(str::len).all(|length| length <= 1024));
    assert!(datasets.iter().all(|it| it.rows.len() <= OPTIONS.most_datasets));
}

/// Decompresses any bytes, or a long repetition of them: the size stays within the ratio and the limit.
pub fn every_body_is_bounded(input: &[u8]) {
    const LIMIT: u64 = 3 << 20;
    let [times, content @ ..] = input else { return };
    let repeated = usize::from(*times / 2).pow(3).min((4 << 20) / content.len().max(1));
    let body = if times % 2 == 0 { content.to_vec() } else { gzip(&content.repeat(repeated)) };
    let bound = LIMIT.min((1 << 20).max(100 * body.len() as u64 + 100));
    let response = http::Response::builder().header("Content-Encoding", "gzip").body(body).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let size = runtime.block_on(async {
        let mut parts = body_parts(response.into(), LIMIT, "the API");
        let mut size = 0;
        while let Some(Ok(part)) = parts.next().await {
            size += part.len() as u64;
        }
        size
    });
    assert!(size <= bound, "{size} bytes of at most {bound}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

fn text(format: Format, snapshot: &Arc<Snapshot>) -> String {
    metrics::write(format, Arc::clone(snapshot), None)
}

/// The strict parsers of both formats read the same samples.
pub fn every_exposition_is_readable(snapshot: Snapshot) {
    let snapshot = Arc::new(snapshot);
    let first = Exposition::of_open_metrics(&text(Format::OpenMetrics, &snapshot));
    let second = Exposition::of_prometheus_text(&text(Format::PrometheusText, &snapshot));
    assert_eq!(first.samples.len(), second.samples.len());
    for (one, other) in first.samples.iter().zip(&second.samples) {
        assert_eq!((&one.name, &one.labels), (&other.name, &other.labels));
        assert_eq!(one.value.to_bits(), other.value.to_bits());
    }
}

/// Makes any snapshot from the input.
pub fn every_snapshot_is_readable(input: &[u8]) {
    let Ok((snapshot, names)) = snapshot(&mut Unstructured::new(input)) else { return };
    let exposition = Exposition::of_open_metrics(&text(Format::OpenMetrics, &Arc::new(snapshot.clone())));
    for (id, name) in names.iter().filter(|(_, name)| !name.is_empty()) {
        let labels = [("organization_id", &*id.to_string()), ("organization_name", name)];
        assert_eq!(
            exposition.value("edgeimpulse_organization_info", &labels),
            Some(1.0),
            "names come back unchanged"
        );
    }
    every_exposition_is_readable(snapshot);
}

type Names = Vec<(u64, String)>;

fn snapshot(input: &mut Unstructured<'_>) -> Result<(Snapshot, Names)> {
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

fn organization(input: &mut Unstructured<'_>) -> Result<Organization> {
    let id = input.arbitrary()?;
    let info = OrganizationInfo {
        name: input.arbitrary()?,
        whitelabel_id: input.arbitrary()?,
        whitelabel_name: input.arbitrary()?,
        developer_profile: input.arbitrary()?,
    };
    let experiments: std::collections::BTreeMap<String, bool> = input.arbitrary()?;
    let [created, contract_start, storage_used, compute_time_used] = input.arbitrary()?;
    let [users_used, admins, job_cpu_limit, job_time_limit] = input.arbitrary()?;
    Ok(Organization {
        info,
        created,
        contract_start,
        storage_used,
        compute_time_used,
        users_used,
        admins,
        job_cpu_limit,
        job_time_limit,
        limits: input.arbitrary::<bool>()?.then(|| limits(input)).transpose()?.map(Arc::new),
        users_by_role: input.arbitrary()?,
        users_pending: input.arbitrary()?,
        users_by_sign_in: input.arbitrary()?,
        users_active: input.arbitrary()?,
        projects_by_visibility: input.arbitrary()?,
        experiments: Some(Arc::new(experiments)),
        datasets: Some(Arc::new(unique(up_to_three(input, |input| dataset(id, input))?, 2, |row| &row.name))),
        buckets: Some(Arc::new(unique(up_to_three(input, |input| bucket(id, input))?, 2, |row| &row.id))),
        pipelines: Some(Arc::new(unique(up_to_three(input, |input| pipeline(id, input))?, 2, |row| &row.id))),
        api_keys_by_role: input.arbitrary()?,
        api_keys_unused: input.arbitrary()?,
        expiring_api_keys: Some(Arc::new(unique(up_to_three(input, |input| api_key(id, input))?, 2, |row| {
            &row.id
        }))),
        projects: Some(Arc::new(unique(up_to_three(input, |input| project(id, input))?, 2, |row| &row.id))),
        ..Organization::new(id)
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
