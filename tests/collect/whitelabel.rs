//! White labels: each call of an administrator, alone and over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use edgeimpulse_exporter::api::{Client, DecodeOptions, Error, Settings};
use edgeimpulse_exporter::collect::credential::CredentialSource;
use edgeimpulse_exporter::config::{CredentialKind, CredentialOrigin};
use edgeimpulse_exporter::demo::{self, world::World};
use edgeimpulse_exporter::metrics::telemetry::Telemetry;
use edgeimpulse_exporter::metrics::{self, Format};
use edgeimpulse_exporter::model::Clock;
use edgeimpulse_exporter::model::{Call, Collector};
use edgeimpulse_exporter::model::{Facts, Snapshot, Whitelabel};
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
            tls_server_name: None,
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
        let client = Client::new(crate::support::client(), settings, Arc::clone(&own));
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

/// Answers with a page of a list of `all` organizations, at most `most` of them, as if there were `total`.
fn pages(all: u64, most: u64, total: impl Into<Value>) -> impl Fn(&Request) -> ResponseTemplate {
    let total = total.into();
    move |request: &Request| {
        let query = query(request);
        let number = |name: &str| query[name].parse::<u64>().unwrap();
        let (offset, limit) = (number("offset"), number("limit").min(most));
        let organizations: Vec<_> = (offset..all.min(offset + limit))
            .map(|id| json!({ "id": 100 + id, "name": format!("Org {id}") }))
            .collect();
        let answer = json!({ "success": true, "organizations": organizations, "total": total });
        ResponseTemplate::new(200).set_body_json(answer)
    }
}

#[tokio::test]
async fn the_whole_portfolio_is_read_page_by_page() {
    let world = World::starting(NOW).with_organizations(250);
    let demo = demo::start_in(world, Clock::Fixed(NOW)).await.unwrap();
    let admin = Admin::of(&demo.url(), &world.jwt());
    let facts = admin.asks(Call::whitelabel(Collector::WhitelabelOrganizations, 1007)).await.unwrap();
    assert_eq!(facts.organizations.keys().copied().collect::<Vec<_>>(), world.portfolio().collect::<Vec<_>>());
    assert_eq!(facts.organizations.len(), 240);
    assert_eq!(facts.whitelabels[&1007].organizations, Some(240));
    assert_eq!(admin.requests(), 3, "the demo has pages of 100, whatever is asked for");
    let organization = &facts.organizations[&2001];
    assert!(
        organization.info.name.is_some() && organization.limits.is_some() && organization.created.is_some()
    );
    assert_eq!(organization.info.whitelabel_id, Some(7));
    assert_eq!(organization.projects_used, organization.private_projects);
}

#[tokio::test]
async fn the_next_page_begins_after_what_came_whatever_was_asked_for() {
    let api = FakeApi::start().await;
    api.responds(LIST, pages(450, 70, 450)).await;
    let facts = Admin::of(&api.url(), KEY).asks(LISTED).await.unwrap();
    assert_eq!(facts.organizations.len(), 450);
    let requests = api.requests(LIST).await;
    let offsets: Vec<_> = requests.iter().map(|request| query(request)["offset"].clone()).collect();
    assert_eq!(offsets, ["0", "70", "140", "210", "280", "350", "420"]);
    assert!(requests.iter().all(|request| query(request)["limit"] == "200" && query(request)["sort"] == "id"));
}

#[tokio::test]
async fn a_list_without_a_usable_total_ends_with_a_page_that_brings_nothing_new() {
    for (total, counted) in
        [(Value::Null, None), (json!("many"), None), (json!(5000), Some(5000)), (json!(-1), None)]
    {
        let api = FakeApi::start().await;
        api.responds(LIST, pages(250, 100, total.clone())).await;
        let facts = Admin::of(&api.url(), KEY).asks(LISTED).await.unwrap();
        assert_eq!(facts.organizations.len(), 250, "{total}");
        assert_eq!(facts.whitelabels[&7].organizations, counted, "{total}");
        assert_eq!(api.requests(LIST).await.len(), 4, "{total}: three pages, and an empty one");
    }
}

#[tokio::test]
async fn an_api_that_ignores_the_offset_is_not_asked_forever() {
    let api = FakeApi::start().await;
    let page = json!({ "success": true, "total": 1000, "organizations": [{ "id": 1 }, { "id": 2 }, {}, 5] });
    api.answers(LIST, &page).await;
    let admin = Admin::of(&api.url(), KEY);
    let facts = admin.asks(LISTED).await.unwrap();
    assert_eq!(facts.organizations.keys().collect::<Vec<_>>(), [&1, &2]);
    assert_eq!(api.requests(LIST).await.len(), 2);
    assert_eq!(admin.unusable(), BTreeMap::from([("id".to_owned(), 2), ("organizations".to_owned(), 2)]));
}

#[tokio::test]
async fn a_list_without_end_is_an_error_and_not_a_leak() {
    let api = FakeApi::start().await;
    api.responds(LIST, pages(u64::MAX >> 1, 1, Value::Null)).await;
    let admin = Admin::of(&api.url(), KEY);
    let error = admin.asks(LISTED).await.unwrap_err();
    assert_eq!(error.reason(), "decode");
    assert_eq!(admin.requests(), 1000);
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let api = FakeApi::start().await;
    let good = pages(250, 100, 250);
    let respond = move |request: &Request| match query(request)["offset"].as_str() {
        "200" => ResponseTemplate::new(502),
        _ => good(request),
    };
    api.responds(LIST, respond).await;
    let admin = Admin::of(&api.url(), KEY);
    assert_eq!(admin.asks(LISTED).await.unwrap_err().reason(), "server_error");
    assert_eq!(admin.requests(), 3, "each page is a request");
    let mut errors = BTreeMap::new();
    admin.own.api_errors.each(|[_, endpoint, reason], count| {
        errors.insert((endpoint.to_string(), reason.to_string()), count);
    });
    let endpoint = Collector::WhitelabelOrganizations.endpoint().to_owned();
    assert_eq!(errors, BTreeMap::from([((endpoint, "server_error".to_owned()), 1)]));
}

#[tokio::test]
async fn each_page_may_take_as_long_as_a_call() {
    let api = FakeApi::start().await;
    let page = pages(3, 1, 3);
    let slow = move |request: &Request| page(request).set_delay(Duration::from_millis(2200));
    api.responds(LIST, slow).await;
    let facts = Admin::of(&api.url(), KEY).asks(LISTED).await.unwrap();
    assert_eq!(facts.organizations.len(), 3, "all three pages took longer than one may");
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
