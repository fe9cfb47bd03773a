//! Limits of what is kept of responses.

use std::sync::LazyLock;

use edgeimpulse_exporter::api::limits::{
    MAX_API_KEYS, MAX_BUCKETS, MAX_BYTES, MAX_DAYS, MAX_EXPERIMENTS, MAX_ORGANIZATIONS, MAX_PIPELINES,
    MAX_PROJECTS, MAX_SHORT_TEXT, MAX_TEXT, MAX_TRANSFORMATION_JOBS, MAX_TRIALS, MAX_WHITELABELS,
};
use edgeimpulse_exporter::api::{Budget, Decoded, Share};
use edgeimpulse_exporter::model::{
    ApiKey, Bucket, Call, Collector, Dataset, Facts, Organization, Pipeline, Project, TIERS, Trial, Unique,
};

use super::{OPTIONS, decoded_within};

/// Whatever the response is, its lists and texts have their limits.
pub(super) fn assert_sizes(facts: &Facts) {
    let Facts { organizations, trials, users, whitelabels, own_user: _ } = facts;
    assert!(organizations.len() <= MAX_ORGANIZATIONS);
    // The active one is not in the list.
    assert!(trials.len() <= MAX_TRIALS + 1);
    assert!(whitelabels.len() <= MAX_WHITELABELS);
    assert!(users.len() <= 1);
    for user in users.values() {
        let tier = user.tier.as_deref();
        assert!(tier.is_none_or(|tier| tier == "other" || TIERS.contains(&tier)), "{tier:?}");
        assert!(user.days.as_ref().is_none_or(|days| days.len() <= MAX_DAYS));
    }
    for organization in organizations.values() {
        assert!(rows(organization.datasets.as_deref()).len() <= OPTIONS.most_datasets);
        assert!(rows(organization.projects.as_deref()).len() <= MAX_PROJECTS);
        assert!(rows(organization.buckets.as_deref()).len() <= MAX_BUCKETS);
        assert!(rows(organization.pipelines.as_deref()).len() <= MAX_PIPELINES);
        assert!(rows(organization.expiring_api_keys.as_deref()).len() <= MAX_API_KEYS);
        assert!(organization.experiments.as_ref().is_none_or(|it| it.len() <= MAX_EXPERIMENTS));
        assert!(organization.days.as_ref().is_none_or(|days| days.len() <= MAX_DAYS));
        let jobs = organization.transformation_jobs.unwrap_or_default();
        assert!(jobs.iter().sum::<u32>() as usize <= MAX_TRANSFORMATION_JOBS);
        // They are counted when the last page has arrived.
        assert_eq!(organization.finished_jobs, None);
    }
    let whitelabels = whitelabels.values().filter_map(|whitelabel| whitelabel.name.as_deref());
    let mut texts = organizations.values().flat_map(|it| texts(it)).chain(whitelabels);
    assert!(texts.all(|text| text.len() <= MAX_TEXT));
}

/// Size of a project with its name, in bytes.
const PROJECT: usize = size_of::<Project>() + MAX_SHORT_TEXT;

/// The limits of an account that has as many organizations and rows as it may have, and what holds them.
pub(super) static FULL: LazyLock<(Budget, Vec<Share>)> = LazyLock::new(|| {
    let ids: Vec<_> = (0..=MAX_PROJECTS.max(MAX_ORGANIZATIONS)).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    let ids = ids.join(",");
    let list = format!(r#"{{"success":true,"organizations":[{ids}]}}"#);
    let projects = format!(r#"{{"success":true,"organization":{{"projects":[{ids}]}}}}"#);
    let (budget, mut bytes, mut shares) = (Budget::default(), 0, Vec::new());
    let mut add = |call, response: &str| {
        let share = Share::of(&budget);
        let decoded = decoded_within(&call, response.as_bytes(), response.len(), share.clone());
        let facts = decoded.facts.unwrap();
        share.settle(true);
        shares.push(share);
        bytes += size(&facts);
        facts.organizations.len()
    };
    assert_eq!(add(Call::organizations(), &list), MAX_ORGANIZATIONS);
    for id in 0..=MAX_BYTES / (MAX_PROJECTS * PROJECT) {
        add(Call::of_organization(Collector::Organization, id as u64), &projects);
    }
    assert!((MAX_BYTES - PROJECT..=MAX_BYTES).contains(&bytes), "{bytes} bytes");
    (budget, shares)
});

/// The response to a call of an account that is full leaves nothing in memory beyond its own organization.
pub(super) fn assert_nothing_is_added(call: &Call, decoded: &Decoded) {
    let Ok(facts) = &decoded.facts else { return };
    let is_list = matches!(
        call.collector,
        Collector::Organizations
            | Collector::UserOrganizations
            | Collector::User
            | Collector::WhitelabelUser
            | Collector::WhitelabelOrganizations
    );
    assert!(!is_list || facts.organizations.is_empty());
    assert!(size(facts) < PROJECT, "{} bytes", size(facts));
}

/// Returns what rows and long texts take of the limit of an account, in bytes.
fn size(facts: &Facts) -> usize {
    let of_organization = |it: &Organization| {
        let of_texts = texts(it).into_iter().map(|text| text.len().saturating_sub(MAX_SHORT_TEXT));
        of_texts.sum::<usize>()
            + rows(it.datasets.as_deref()).len() * (size_of::<Dataset>() + 4 * MAX_SHORT_TEXT)
            + rows(it.projects.as_deref()).len() * PROJECT
            + rows(it.buckets.as_deref()).len() * (size_of::<Bucket>() + MAX_SHORT_TEXT)
            + rows(it.pipelines.as_deref()).len() * (size_of::<Pipeline>() + MAX_SHORT_TEXT)
            + rows(it.expiring_api_keys.as_deref()).len() * (size_of::<ApiKey>() + MAX_SHORT_TEXT)
            + it.experiments.as_ref().map_or(0, |it| it.len()) * (size_of::<(String, bool)>() + MAX_SHORT_TEXT)
    };
    let of_organizations = facts.organizations.values().map(|it| of_organization(it)).sum::<usize>();
    of_organizations + facts.trials.len() * size_of::<Trial>()
}

fn rows<T>(unique: Option<&Unique<T>>) -> &[T] {
    unique.map_or(&[], |unique| &unique.rows)
}

/// Returns all texts of an organization.
fn texts(organization: &Organization) -> Vec<&str> {
    let info = &organization.info;
    let names = [info.name.as_deref(), info.whitelabel_name.as_deref()];
    let experiments = organization.experiments.iter().flat_map(|it| it.keys().map(|name| Some(&**name)));
    let datasets = rows(organization.datasets.as_deref()).iter().flat_map(|it| {
        [Some(&*it.name), it.dataset_type.as_deref(), it.category.as_deref(), it.bucket.as_deref()]
    });
    let projects = rows(organization.projects.as_deref()).iter().map(|it| it.name.as_deref());
    let buckets = rows(organization.buckets.as_deref()).iter().map(|it| it.name.as_deref());
    let pipelines = rows(organization.pipelines.as_deref()).iter().map(|it| it.name.as_deref());
    let all = names.into_iter().chain(experiments).chain(datasets).chain(projects).chain(buckets);
    all.chain(pipelines).flatten().collect()
}
