//! White labels: each call of an administrator.

mod activity;
mod pages;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::{Exposition, FakeApi, Running};

const LIST: &str = "/api/organizations/7/whitelabel/organizations";
const INNER: &str = "/api/organizations/7/whitelabel/organizations/31";
const PROJECTS: &str = "/api/organizations/7/whitelabel/projects";
const USERS: &str = "/api/organizations/7/whitelabel/users";
const WHITELABEL: &str = "/api/organizations/7/whitelabel";

const OWNER: &str = "--whitelabel.organization-id=7";

/// Starts an API with a white label that organization 7 owns. It has the organization 31 and no users.
async fn whitelabel() -> FakeApi {
    let api = FakeApi::start().await;
    api.lists(&[]).await;
    api.answers(WHITELABEL, &json!({ "success": true, "whitelabel": { "id": 70 } })).await;
    api.answers(LIST, &json!({ "success": true, "total": 1, "organizations": [{ "id": 31 }] })).await;
    api.answers(USERS, &json!({ "success": true, "total": 0, "users": [] })).await;
    api.answers(PROJECTS, &json!({ "success": true, "total": 0, "projects": [] })).await;
    api.answers(INNER, &json!({ "success": true, "totalStorage": 5 })).await;
    api
}

/// Scrapes an API, with a unit that does not apply to the calls of white labels.
async fn scrape(api: &FakeApi) -> Exposition {
    Running::with_key(api, &[OWNER, "--api.compute-time-unit=minutes"]).await.scrape().await
}

/// Scrapes the white label with another response at `path`.
async fn scrape_with(path: &str, response: &Value) -> Exposition {
    let api = whitelabel().await;
    api.answers(path, response).await;
    scrape(&api).await
}

/// Returns how often each field had a value that cannot be used.
fn unusable(metrics: &Exposition) -> BTreeMap<&str, f64> {
    let errors = metrics.series("edgeimpulse_exporter_decode_errors_total", &[]).into_iter();
    errors.map(|sample| (sample.labels["field"].as_str(), sample.value)).collect()
}

fn query(request: &Request) -> BTreeMap<String, String> {
    request.url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn an_odd_organization_of_the_list_costs_no_more_than_what_is_odd() {
    let metrics = scrape_with(
        LIST,
        &json!({ "success": true, "total": 4, "organizations": [
            { "id": 1, "name": 5, "created": "yesterday", "privateProjectCount": -1, "entitlementLimits": [] },
            { "id": 2, "name": "Two", "entitlementLimits": { "totalStorage": 10, "numberOfUsers": "five" } },
            { "id": 2, "name": "Two again" },
            { "id": 3, "name": "somebody.s-corner", "isDeveloperProfile": true, "privateProjectCount": 0 },
        ] }),
    )
    .await;
    assert_eq!(metrics.value("edgeimpulse_organization_storage_limit_bytes", &[]), Some(10.0));
    let limited = [("organization_id", "2"), ("entitlement", "users")];
    assert_eq!(metrics.value("edgeimpulse_organization_entitlement_limited", &limited), None);
    assert_eq!(metrics.value("edgeimpulse_organization_projects_used", &[]), Some(0.0));
    assert!(!metrics.text.contains("somebody"), "a user's name stays hidden");
    assert!(!metrics.text.contains("Two again"), "the first of an id counts");
    let odd = ["created", "entitlementLimits", "name", "numberOfUsers", "privateProjectCount"];
    assert_eq!(unusable(&metrics), odd.map(|field| (field, 1.0)).into());
}

#[tokio::test]
async fn users_are_counted_by_tier_and_activity_without_reading_a_user() {
    let api = whitelabel().await;
    let respond = |request: &Request| {
        let query = query(request);
        let total = match (query.get("tier").map(String::as_str), query.get("active").map(String::as_str)) {
            (Some("free"), None) => 10,
            (Some("community-plus"), None) => 20,
            (Some("professional"), None) => 0,
            (Some("enterprise"), None) => 40,
            (None, Some("1")) => 1,
            (None, Some("7")) => 7,
            (None, Some("30")) => 30,
            (None, Some("90")) => 60,
            _ => return ResponseTemplate::new(400),
        };
        let users = json!([{ "id": "odd", "email": "somebody@example.com", "name": 7 }]);
        ResponseTemplate::new(200).set_body_json(json!({ "success": true, "users": users, "total": total }))
    };
    api.responds(USERS, respond).await;
    let metrics = scrape(&api).await;
    assert_eq!(metrics.values("edgeimpulse_whitelabel_users", &[]), [10.0, 20.0, 0.0, 40.0]);
    assert_eq!(metrics.values("edgeimpulse_whitelabel_users_active", &[]), [1.0, 7.0, 30.0, 60.0]);
    assert!(!metrics.text.contains("edgeimpulse_user_"), "{}", metrics.text);
    assert_eq!(unusable(&metrics), BTreeMap::new());
    let requests = api.requests(USERS).await;
    assert_eq!(requests.len(), 8);
    assert!(requests.iter().all(|request| query(request)["limit"] == "1"));
}

#[tokio::test]
async fn the_counts_of_users_are_complete_or_absent() {
    let api = whitelabel().await;
    let respond = |request: &Request| {
        let total = if query(request).contains_key("tier") { json!(3) } else { json!("three") };
        ResponseTemplate::new(200).set_body_json(json!({ "success": true, "users": [], "total": total }))
    };
    api.responds(USERS, respond).await;
    let metrics = scrape(&api).await;
    assert_eq!(metrics.values("edgeimpulse_whitelabel_users", &[]), [3.0; 4]);
    assert!(metrics.values("edgeimpulse_whitelabel_users_active", &[]).is_empty());
    assert_eq!(unusable(&metrics), BTreeMap::from([("total", 4.0)]));
}

#[tokio::test]
async fn a_response_without_the_requested_object_is_a_failure() {
    let no_permission = json!({ "success": false, "error": "You do not have permission" });
    for (path, collector, response, error) in [
        (USERS, "whitelabel_users", json!({ "success": true, "users": [] }), "no `total` member"),
        (
            PROJECTS,
            "whitelabel_activity",
            json!({ "success": false, "error": "Oops" }),
            "the API reports an error",
        ),
        (PROJECTS, "whitelabel_activity", no_permission.clone(), "not permitted for this credential"),
        (WHITELABEL, "whitelabel", json!({ "success": true }), "not found (HTTP 200): no `whitelabel` member"),
        (WHITELABEL, "whitelabel", json!({ "success": true, "whitelabel": null }), "not found (HTTP 200)"),
        (WHITELABEL, "whitelabel", json!({ "success": true, "whitelabel": 7 }), "cannot decode"),
        (INNER, "whitelabel_organization", json!({ "success": true, "organization": {} }), "cannot decode"),
        (INNER, "whitelabel_organization", no_permission, "not permitted for this credential"),
    ] {
        let api = whitelabel().await;
        api.answers(path, &response).await;
        let exporter = Running::with_key(&api, &[OWNER]).await;
        let collector = [("collector", collector)];
        let metrics = exporter.scrape().await;
        assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &collector), Some(0.0), "{error}");
        let page = exporter.page("/").await;
        assert!(page.contains(error), "{error}: {page}");
    }
}

fn record(date: &str, cpu: u64, gpu: u64) -> Value {
    json!({
        "date": date, "totalUsers": 9, "totalStaffUsers": 2, "totalProjects": 4, "computeTimeCalculatedSince": "2026-05-01T00:00:00Z",
        "totalCurrentContractCpuComputeTimeSeconds": cpu, "totalCurrentContractGpuComputeTimeSeconds": gpu,
        "totalCurrentContractComputeTimeSeconds": cpu + 3 * gpu, "totalStorageSizeBytes": 5,
    })
}

/// Returns the values of organization 31 if the white label has this response for it.
async fn inner(response: &Value) -> impl Fn(&str) -> Option<f64> + use<> {
    let metrics = scrape_with(INNER, response).await;
    assert_eq!(unusable(&metrics), BTreeMap::new());
    move |name| metrics.value(&format!("edgeimpulse_organization_{name}"), &[("organization_id", "31")])
}

#[tokio::test]
async fn compute_time_counts_for_the_contract_only_where_the_api_says_so() {
    let records = [record("2026-10-30T00:00:00Z", 100, 10), record("2026-10-29T00:00:00Z", 90, 9)];
    let of = inner(&json!({
        "success": true, "cpuComputeTime": 1000.0, "gpuComputeTime": 200, "totalComputeTime": 20,
        "computeTimeCurrentContractSince": "2026-03-01T00:00:00Z", "dailyMetrics": records,
        "entitlementLimits": { "totalStorage": 10 },
    }))
    .await;
    assert_eq!(of("compute_time_used_seconds"), Some(1200.0), "seconds, whatever the unit of the usage call");
    assert_eq!(of("compute_period_start_timestamp_seconds"), Some(1_772_323_200.0));
    assert_eq!(of("storage_limit_bytes"), Some(10.0));

    let of = inner(&json!({
        "success": true, "cpuComputeTime": 1000.0, "gpuComputeTime": 200, "dailyMetrics": records,
    }))
    .await;
    assert_eq!(of("compute_time_used_seconds"), Some(110.0), "those of the newest record, CPU and GPU added");
    assert_eq!(of("cpu_compute_time_used_seconds"), Some(100.0));
    assert_eq!(of("gpu_compute_time_used_seconds"), Some(10.0));
    assert_eq!(of("compute_period_start_timestamp_seconds"), Some(1_777_593_600.0));
    assert_eq!(of("daily_record_timestamp_seconds"), Some(1_793_318_400.0));
    assert_eq!(of("users_used"), Some(7.0), "staff does not count");

    let of = inner(&json!({ "success": true, "cpuComputeTime": 1000, "dailyMetrics": null })).await;
    assert_eq!(of("compute_time_used_seconds"), None);
    assert_eq!(of("cpu_compute_time_used_seconds"), None, "it may be that of all years");
    assert_eq!(of("users_used"), None);
}

#[tokio::test]
async fn no_user_in_a_record_is_no_count_of_users() {
    let mut developer_profile = record("2026-10-30T00:00:00Z", 1, 1);
    developer_profile["totalUsers"] = json!(0);
    developer_profile["totalStaffUsers"] = json!(0);
    let of = inner(&json!({ "success": true, "totalStorage": 0, "dailyMetrics": [developer_profile] })).await;
    assert_eq!((of("users_used"), of("storage_used_bytes")), (None, Some(0.0)));
}

#[tokio::test]
async fn storage_is_that_of_the_newest_record_where_there_is_no_total() {
    let records = [record("2026-10-30T00:00:00Z", 1, 1)];
    for (total, used) in [(Value::Null, Some(5.0)), (json!(7), Some(7.0)), (json!(0), Some(0.0))] {
        let of = inner(&json!({ "success": true, "totalStorage": total, "dailyMetrics": records })).await;
        assert_eq!(of("storage_used_bytes"), used, "{total}");
    }
    let odd = json!({ "success": true, "totalStorage": "odd", "dailyMetrics": records });
    let metrics = scrape_with(INNER, &odd).await;
    assert!(metrics.values("edgeimpulse_organization_storage_used_bytes", &[]).is_empty());
}

#[tokio::test]
async fn the_name_of_a_developer_profile_of_a_white_label_is_not_shown() {
    let api = whitelabel().await;
    let named = json!({ "success": true, "total": 2, "organizations": [
        { "id": 31, "name": "somebody.s-corner", "billable": false },
        { "id": 32, "name": "A company", "billable": true },
    ] });
    api.answers(LIST, &named).await;
    let mut newest = record("2026-10-30T00:00:00Z", 1, 1);
    let company = json!({ "success": true, "dailyMetrics": [newest] });
    api.answers("/api/organizations/7/whitelabel/organizations/32", &company).await;
    newest["totalUsers"] = json!(0);
    let profile = json!({ "success": true, "dailyMetrics": [newest, record("2026-10-29T00:00:00Z", 1, 1)] });
    api.answers(INNER, &profile).await;
    let exporter = Running::with_key(&api, &[OWNER]).await;
    let metrics = exporter.scrape().await;
    let profile = [("organization_id", "31"), ("developer_profile", "true")];
    assert_eq!(metrics.value("edgeimpulse_organization_info", &profile), Some(1.0));
    let company = [("organization_id", "32"), ("organization_name", "A company")];
    assert_eq!(metrics.value("edgeimpulse_organization_info", &company), Some(1.0));
    assert_eq!(metrics.values("edgeimpulse_organization_billable", &[]), [0.0, 1.0]);

    // Neither where the records are not shown.
    for path in ["/metrics", "/metrics?collect[]=whitelabel_organizations", "/", "/sd"] {
        let text = exporter.page(path).await;
        assert!(!text.contains("somebody"), "{path}: {text}");
        assert!(text.contains("A company"), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_white_labels_organization_has_no_name_until_its_records_are_read() {
    let api = whitelabel().await;
    let list =
        json!({ "success": true, "total": 1, "organizations": [{ "id": 31, "name": "somebody.s-corner" }] });
    api.answers(LIST, &list).await;
    api.refuses(INNER, 500, "try again").await;
    let exporter = Running::with_key(&api, &[OWNER]).await;
    exporter.scrape().await;
    for path in ["/metrics", "/metrics?collect[]=whitelabel_organizations", "/", "/sd"] {
        let text = exporter.page(path).await;
        assert!(!text.contains("somebody"), "{path}: {text}");
    }

    let exporter = Running::with_key(&api, &[OWNER, "--no-collector.whitelabel_organization"]).await;
    let named = [("organization_id", "31"), ("organization_name", "somebody.s-corner")];
    assert_eq!(exporter.scrape().await.value("edgeimpulse_organization_info", &named), Some(1.0));
}

#[tokio::test]
async fn an_organization_without_values_is_a_success() {
    let metrics = scrape_with(INNER, &json!({ "success": true, "dailyMetrics": null })).await;
    let inner = [("collector", "whitelabel_organization"), ("organization_id", "31")];
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &inner), Some(1.0));
}

#[tokio::test]
async fn a_white_label_has_a_name_and_a_quota() {
    let api = whitelabel().await;
    let response = json!({ "success": true, "whitelabel": {
        "id": 70, "name": "Partner \"Cloud\"", "organizationsLimit": 25, "theme": [[{}]], "developmentBoards": 5,
        "allowPasswordAuth": true, "allowSignup": false,
    } });
    api.answers(WHITELABEL, &response).await;
    api.answers(LIST, &json!({ "success": true, "total": 24, "organizations": [{ "id": 31 }] })).await;
    let metrics = scrape(&api).await;
    assert_eq!(unusable(&metrics), BTreeMap::new());
    let id = [("whitelabel_id", "70")];
    assert_eq!(metrics.value("edgeimpulse_whitelabel_organizations_limit", &id), Some(25.0));
    assert_eq!(metrics.value("edgeimpulse_whitelabel_organizations", &id), Some(24.0));
    let policy = |policy| {
        let labels = [("whitelabel_id", "70"), ("policy", policy)];
        metrics.value("edgeimpulse_whitelabel_policy_enabled", &labels)
    };
    assert_eq!((policy("password_auth"), policy("signup")), (Some(1.0), Some(0.0)));
    let info = [("whitelabel_id", "70"), ("whitelabel_name", "Partner \"Cloud\""), ("organization_id", "7")];
    assert_eq!(metrics.value("edgeimpulse_whitelabel_info", &info), Some(1.0));

    let response = json!({ "success": true, "whitelabel": { "id": 70, "organizationsLimit": "none" } });
    let metrics = scrape_with(WHITELABEL, &response).await;
    assert_eq!(metrics.value("edgeimpulse_whitelabel_organizations_limit", &id), None);
    assert_eq!(unusable(&metrics), BTreeMap::from([("organizationsLimit", 1.0)]));
}

#[tokio::test]
async fn a_white_label_is_shown_once_and_only_by_its_id() {
    let api = whitelabel().await;
    // The white label of organization 8 has no id, that of organization 9 has the same id as that of organization 7.
    for owner in [8, 9] {
        let empty = json!({ "success": true, "total": owner, "organizations": [] });
        api.answers(&format!("/api/organizations/{owner}/whitelabel/organizations"), &empty).await;
    }
    api.answers("/api/organizations/9/whitelabel", &json!({ "success": true, "whitelabel": { "id": 70 } }))
        .await;
    let metrics = Running::with_key(&api, &["--whitelabel.organization-id=7,8,9"]).await.scrape().await;
    assert_eq!(metrics.values("edgeimpulse_whitelabel_organizations", &[]), [1.0]);
}

#[tokio::test]
async fn the_white_labels_that_a_user_administers_are_read() {
    let api = whitelabel().await;
    let user = json!({ "success": true, "id": 1, "organizations": [], "whitelabels": [
        { "id": 70, "name": "Mine", "domain": "", "ownerOrganizationId": 7, "isAdmin": true },
        { "id": 80, "name": "Theirs", "domain": "", "ownerOrganizationId": 8, "isAdmin": false },
        { "id": "odd", "name": null, "ownerOrganizationId": 9, "isAdmin": true },
        { "id": 90, "isAdmin": true },
    ] });
    api.answers("/api/user", &user).await;
    let metrics = Running::with_jwt(&api, &[]).await.scrape().await;
    let mine = [("whitelabel_id", "70"), ("whitelabel_name", "Mine"), ("organization_id", "7")];
    assert_eq!(metrics.value("edgeimpulse_whitelabel_info", &mine), Some(1.0));
    let calls = metrics.series("edgeimpulse_scrape_collector_success", &[("collector", "whitelabel")]);
    let owners: BTreeSet<_> = calls.iter().map(|sample| sample.labels["organization_id"].as_str()).collect();
    assert_eq!(owners, BTreeSet::from(["7", "9"]));
    let odd = ["id", "ownerOrganizationId"];
    assert_eq!(unusable(&metrics), odd.map(|field| (field, 1.0)).into());
}
