//! White labels: each call of an administrator, alone and over HTTP.

mod pages;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use edgeimpulse_exporter::api::{Client, DecodeOptions, Error, Settings, Transport};
use edgeimpulse_exporter::collect::credential::CredentialSource;
use edgeimpulse_exporter::config::{ApiOptions, CredentialKind, CredentialOrigin};
use edgeimpulse_exporter::metrics::telemetry::Telemetry;
use edgeimpulse_exporter::metrics::{self, Format};
use edgeimpulse_exporter::model::{Call, Collector, Facts, Snapshot, Whitelabel};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::running::{KEY, NOW};
use crate::support::{Exposition, FakeApi};

const LIST: &str = "/api/organizations/7/whitelabel/organizations";
const INNER: &str = "/api/organizations/7/whitelabel/organizations/31";
const USERS: &str = "/api/organizations/7/whitelabel/users";
const WHITELABEL: &str = "/api/organizations/7/whitelabel";

/// Somebody who asks, and what was counted of it.
struct Admin {
    client: Client,
    credential: CredentialSource,
    own: Arc<Telemetry>,
}

impl Admin {
    fn of(url: &str, jwt: &str) -> Self {
        let own = Arc::new(Telemetry::new(NOW));
        let settings = Settings {
            url: url.parse().unwrap(),
            timeout: Duration::from_secs(5),
            max_response_size: 1 << 20,
            usage_query: Vec::new(),
            decode: DecodeOptions {
                now: NOW,
                compute_time_unit: 60.0,
                memory_unit: 1.0,
                projects: false,
                most_datasets: 1,
                days: false,
            },
            tap: None,
        };
        let api = ApiOptions { url: settings.url.clone(), ..ApiOptions::default() };
        let client = Client::new(Transport::new(&api).unwrap(), settings, Arc::clone(&own));
        let credential = CredentialSource::load(
            CredentialKind::Jwt,
            CredentialOrigin::Environment("of the test".to_owned(), jwt.into()),
            NOW,
        )
        .unwrap();
        Self { client, credential, own }
    }

    async fn asks(&self, call: Call) -> Result<Facts, Error> {
        self.client.get("default", &call, &self.credential.current(), NOW).await
    }

    /// Returns how often each field held what cannot be used.
    fn unusable(&self) -> BTreeMap<String, u64> {
        let mut unusable = BTreeMap::new();
        self.own.decode_errors.each(|[_, field], count| {
            unusable.insert(field.to_string(), count);
        });
        unusable
    }

    /// Returns how many requests were counted.
    fn requests(&self) -> u64 {
        let mut requests = 0;
        self.own.requests.each(|_, count| requests += count);
        requests
    }
}

/// Asks an API that answers `answer` at `path`.
async fn told(path: &str, call: Call, answer: &Value) -> (Result<Facts, Error>, Admin) {
    let api = FakeApi::start().await;
    api.answers(path, answer).await;
    let admin = Admin::of(&api.url(), KEY);
    (admin.asks(call).await, admin)
}

fn shown(facts: Facts) -> Exposition {
    let snapshot = Snapshot { facts, ..Snapshot::default() };
    Exposition::of_open_metrics(&metrics::write(Format::OpenMetrics, Arc::new(snapshot), None).unwrap())
}

const fn of(collector: Collector) -> Call {
    Call::whitelabel(collector, 7)
}

const LISTED: Call = of(Collector::WhitelabelOrganizations);

fn query(request: &Request) -> BTreeMap<String, String> {
    request.url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn an_odd_organization_of_the_list_costs_no_more_than_what_is_odd() {
    let (facts, admin) = told(
        LIST,
        LISTED,
        &json!({ "success": true, "total": 4, "organizations": [
            { "id": 1, "name": 5, "created": "yesterday", "privateProjectCount": -1, "entitlementLimits": [] },
            { "id": 2, "name": "Two", "entitlementLimits": { "totalStorage": 10, "numberOfUsers": "five" } },
            { "id": 2, "name": "Two again" },
            { "id": 3, "name": "somebody.s-corner", "isDeveloperProfile": true, "privateProjectCount": 0 },
        ] }),
    )
    .await;
    let metrics = shown(facts.unwrap());
    assert_eq!(metrics.value("edgeimpulse_organization_storage_limit_bytes", &[]), Some(10.0));
    let limited = [("organization_id", "2"), ("entitlement", "users")];
    assert_eq!(metrics.value("edgeimpulse_organization_entitlement_limited", &limited), None);
    assert_eq!(metrics.value("edgeimpulse_organization_projects_used", &[]), Some(0.0));
    assert!(!metrics.text.contains("somebody"), "a user's name stays hidden");
    assert!(!metrics.text.contains("Two again"), "the first of an id counts");
    let odd = ["created", "entitlementLimits", "name", "numberOfUsers", "privateProjectCount"];
    assert_eq!(admin.unusable(), odd.map(|field| (field.to_owned(), 1)).into());
}

#[tokio::test]
async fn users_are_counted_by_tier_and_activity_and_none_is_looked_at() {
    let api = FakeApi::start().await;
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
    let admin = Admin::of(&api.url(), KEY);
    let facts = admin.asks(of(Collector::WhitelabelUsers)).await.unwrap();
    let whitelabel = &facts.whitelabels[&7];
    assert_eq!(whitelabel.users_by_tier, Some([10, 20, 0, 40]));
    assert_eq!(whitelabel.users_active, Some([1, 7, 30, 60]));
    assert!(facts.users.is_empty() && facts.organizations.is_empty());
    assert_eq!((admin.requests(), admin.unusable()), (8, BTreeMap::new()));
    assert!(api.requests(USERS).await.iter().all(|request| query(request)["limit"] == "1"));
}

#[tokio::test]
async fn a_family_of_users_is_whole_or_not_there() {
    let api = FakeApi::start().await;
    let respond = |request: &Request| {
        let total = if query(request).contains_key("tier") { json!(3) } else { json!("three") };
        ResponseTemplate::new(200).set_body_json(json!({ "success": true, "users": [], "total": total }))
    };
    api.responds(USERS, respond).await;
    let admin = Admin::of(&api.url(), KEY);
    let facts = admin.asks(of(Collector::WhitelabelUsers)).await.unwrap();
    assert_eq!(facts.whitelabels[&7].users_by_tier, Some([3; 4]));
    assert_eq!(facts.whitelabels[&7].users_active, None);
    assert_eq!(admin.unusable(), BTreeMap::from([("total".to_owned(), 4)]));

    let (nothing, _) =
        told(USERS, of(Collector::WhitelabelUsers), &json!({ "success": true, "users": [] })).await;
    assert_eq!(nothing.unwrap_err().to_string(), "cannot decode the response: no `total` member");
}

fn record(date: &str, cpu: u64, gpu: u64) -> Value {
    json!({
        "date": date, "totalUsers": 9, "totalStaffUsers": 2, "totalProjects": 4, "computeTimeCalculatedSince": "2026-05-01T00:00:00Z",
        "totalCurrentContractCpuComputeTimeSeconds": cpu, "totalCurrentContractGpuComputeTimeSeconds": gpu,
        "totalCurrentContractComputeTimeSeconds": cpu + 3 * gpu, "totalStorageSizeBytes": 5,
    })
}

/// Returns what is shown of an organization that the white label says this of.
async fn inner(answer: &Value) -> impl Fn(&str) -> Option<f64> + use<> {
    let (facts, admin) = told(INNER, Call::whitelabel_organization(7, 31), answer).await;
    assert_eq!(admin.unusable(), BTreeMap::new());
    let metrics = shown(facts.unwrap());
    move |name| metrics.value(&format!("edgeimpulse_organization_{name}"), &[("organization_id", "31")])
}

#[tokio::test]
async fn an_organization_that_only_its_white_label_sees_has_limits_and_use() {
    let api = FakeApi::with_samples("typical").await;
    let facts = Admin::of(&api.url(), KEY).asks(Call::whitelabel_organization(1, 31)).await.unwrap();
    insta::assert_snapshot!(shown(facts).text);
}

#[tokio::test]
async fn compute_time_counts_for_the_contract_only_where_the_api_says_so() {
    let records = [record("2026-10-30T00:00:00Z", 100, 10), record("2026-10-29T00:00:00Z", 90, 9)];
    let of = inner(&json!({
        "success": true, "cpuComputeTime": 1000.0, "gpuComputeTime": 200, "totalComputeTime": 20,
        "computeTimeCurrentContractSince": "2026-03-01T00:00:00Z", "dailyMetrics": records,
    }))
    .await;
    assert_eq!(of("compute_time_used_seconds"), Some(1200.0), "seconds, whatever the unit of the usage call");
    assert_eq!(of("compute_period_start_timestamp_seconds"), Some(1_772_323_200.0));

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
async fn an_answer_without_any_member_of_an_organization_is_none() {
    let call = Call::whitelabel_organization(7, 31);
    let (facts, _) = told(INNER, call, &json!({ "success": true, "organization": {} })).await;
    assert_eq!(facts.unwrap_err().reason(), "decode");
    let (facts, _) = told(INNER, call, &json!({ "success": true, "dailyMetrics": null })).await;
    assert_eq!(facts.unwrap().organizations.keys().collect::<Vec<_>>(), [&31], "there it is, and empty");
    let (facts, _) =
        told(INNER, call, &json!({ "success": false, "error": "You do not have permission" })).await;
    assert_eq!(facts.unwrap_err().reason(), "forbidden");
}

#[tokio::test]
async fn a_white_label_has_a_name_and_a_quota() {
    let answer = json!({ "success": true, "whitelabel": {
        "id": 70, "name": "Partner \"Cloud\"", "organizationsLimit": 25, "theme": [[{}]], "developmentBoards": 5,
    } });
    let (facts, admin) = told(WHITELABEL, of(Collector::Whitelabel), &answer).await;
    let mut facts = facts.unwrap();
    assert_eq!(admin.unusable(), BTreeMap::new());
    let listed = Whitelabel { organizations: Some(24), ..Whitelabel::new(7) };
    facts.merge(&Facts { whitelabels: BTreeMap::from([(7, listed)]), ..Facts::default() });
    let metrics = shown(facts);
    let id = [("whitelabel_id", "70")];
    assert_eq!(metrics.value("edgeimpulse_whitelabel_organizations_limit", &id), Some(25.0));
    assert_eq!(metrics.value("edgeimpulse_whitelabel_organizations", &id), Some(24.0));
    let info = [("whitelabel_id", "70"), ("whitelabel_name", "Partner \"Cloud\""), ("organization_id", "7")];
    assert_eq!(metrics.value("edgeimpulse_whitelabel_info", &info), Some(1.0));

    let answer = json!({ "success": true, "whitelabel": { "id": 70, "organizationsLimit": "none" } });
    let (facts, admin) = told(WHITELABEL, of(Collector::Whitelabel), &answer).await;
    assert_eq!(facts.unwrap().whitelabels[&7].organizations_limit, None);
    assert_eq!(admin.unusable(), BTreeMap::from([("organizationsLimit".to_owned(), 1)]));

    let (facts, _) = told(WHITELABEL, of(Collector::Whitelabel), &json!({ "success": true })).await;
    assert_eq!(facts.unwrap_err().to_string(), "cannot decode the response: no `whitelabel` member");
}

#[tokio::test]
async fn a_white_label_is_shown_once_and_only_by_its_id() {
    let known = |owner| Whitelabel { id: Some(70), organizations: Some(owner), ..Whitelabel::new(owner) };
    let nameless = Whitelabel { organizations: Some(1), ..Whitelabel::new(8) };
    let whitelabels = [known(7), nameless, known(9)].map(|whitelabel| (whitelabel.owner, whitelabel));
    let metrics = shown(Facts { whitelabels: whitelabels.into(), ..Facts::default() });
    let shown = metrics.series("edgeimpulse_whitelabel_organizations", &[]);
    assert_eq!(shown.iter().map(|sample| sample.value).collect::<Vec<_>>(), [7.0]);
}

#[tokio::test]
async fn the_user_names_the_white_labels_that_it_administers() {
    let user = json!({ "success": true, "id": 1, "organizations": [], "whitelabels": [
        { "id": 70, "name": "Mine", "domain": "", "ownerOrganizationId": 7, "isAdmin": true },
        { "id": 80, "name": "Theirs", "domain": "", "ownerOrganizationId": 8, "isAdmin": false },
        { "id": "odd", "name": null, "ownerOrganizationId": 9, "isAdmin": true },
        { "id": 90, "isAdmin": true },
    ] });
    let (facts, admin) = told("/api/user", Call::user(), &user).await;
    let mine = Whitelabel { id: Some(70), name: Some("Mine".to_owned()), ..Whitelabel::new(7) };
    assert_eq!(facts.unwrap().whitelabels, BTreeMap::from([(7, mine), (9, Whitelabel::new(9))]));
    let odd = ["id", "ownerOrganizationId"];
    assert_eq!(admin.unusable(), odd.map(|field| (field.to_owned(), 1)).into());
}
