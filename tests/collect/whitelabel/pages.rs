//! The pages of a white label's list of organizations.

use std::collections::BTreeMap;
use std::time::Duration;

use edgeimpulse_exporter::demo::{self, world::World};
use edgeimpulse_exporter::model::Clock;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use super::{LIST, OWNER, query, unusable, whitelabel};
use crate::support::running::NOW;
use crate::support::{Exposition, FakeApi, Running, file};

/// Responds with a page of a list of `all` organizations, at most `most` of them, as if there were `total`.
fn pages(all: u64, most: u64, total: impl Into<Value>) -> impl Fn(&Request) -> ResponseTemplate {
    let total = total.into();
    move |request: &Request| {
        let query = query(request);
        let number = |name: &str| query[name].parse::<u64>().unwrap();
        let (offset, limit) = (number("offset"), number("limit").min(most));
        let organizations: Vec<_> = (offset..all.min(offset + limit))
            .map(|id| json!({ "id": 100 + id, "name": format!("Org {id}"), "whitelabelId": 70 }))
            .collect();
        let response = json!({ "success": true, "organizations": organizations, "total": total });
        ResponseTemplate::new(200).set_body_json(response)
    }
}

/// Without the collector that counts with the same endpoint.
const NO_ACTIVITY: &str = "--no-collector.whitelabel_activity";

async fn scrape(api: &FakeApi) -> Exposition {
    Running::with_key(api, &[OWNER, NO_ACTIVITY]).await.scrape().await
}

async fn with_pages(list: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static) -> FakeApi {
    let api = whitelabel().await;
    api.responds(LIST, list).await;
    api
}

fn ids(metrics: &Exposition) -> Vec<&str> {
    metrics.labels("edgeimpulse_organization_info", "organization_id")
}

#[tokio::test]
async fn the_whole_portfolio_is_read_page_by_page() {
    let world = World::starting(NOW).with_organizations(250);
    let demo = demo::start_in(world, Clock::Fixed(NOW)).await.unwrap();
    let jwt = ["--api.jwt-file", &file("jwt", &world.jwt())];
    // The names of the list, which are shown if nothing can tell whether they are names of people.
    let options = ["--no-collector.whitelabel_organization"];
    let exporter = Running::with_file(&demo.url(), &jwt, Clock::Fixed(NOW), &options).await;
    let lists = "/metrics?collect[]=whitelabel_organizations&collect[]=whitelabel&collect[]=exporter";
    let metrics = Exposition::of_prometheus_text(&exporter.page(lists).await);
    let portfolio: Vec<_> = world.portfolio().map(|id| id.to_string()).collect();
    assert_eq!(ids(&metrics), portfolio);
    assert_eq!(portfolio.len(), 240);
    assert_eq!(metrics.value("edgeimpulse_whitelabel_organizations", &[]), Some(240.0));
    let endpoint = [("endpoint", "/api/organizations/{organizationId}/whitelabel/organizations")];
    let requests = metrics.value("edgeimpulse_exporter_api_requests_total", &endpoint);
    assert_eq!(requests, Some(3.0), "the demo has pages of 100, whatever the limit in the request");
    let of =
        |name: &str| metrics.value(&format!("edgeimpulse_organization_{name}"), &[("organization_id", "2001")]);
    assert!(of("storage_limit_bytes").is_some() && of("created_timestamp_seconds").is_some());
    assert!(of("projects_used").is_some() && of("projects_used") == of("private_projects"));
    let info = metrics.series("edgeimpulse_organization_info", &[("organization_id", "2001")]);
    assert_eq!(info[0].labels["whitelabel_id"], "7");
    assert!(info[0].labels.contains_key("organization_name"));
}

#[tokio::test]
async fn the_next_page_begins_after_what_came_whatever_was_requested() {
    let api = with_pages(pages(450, 70, 450)).await;
    assert_eq!(ids(&scrape(&api).await).len(), 450);
    let requests = api.requests(LIST).await;
    let offsets: Vec<_> = requests.iter().map(|request| query(request)["offset"].clone()).collect();
    assert_eq!(offsets, ["0", "70", "140", "210", "280", "350", "420"]);
    assert!(requests.iter().all(|request| query(request)["limit"] == "200" && query(request)["sort"] == "id"));
}

#[tokio::test]
async fn a_list_without_a_usable_total_ends_with_a_page_that_brings_nothing_new() {
    for (total, counted) in
        [(Value::Null, None), (json!("many"), None), (json!(5000), Some(5000.0)), (json!(-1), None)]
    {
        let api = with_pages(pages(250, 100, total.clone())).await;
        let metrics = scrape(&api).await;
        assert_eq!(ids(&metrics).len(), 250, "{total}");
        assert_eq!(metrics.value("edgeimpulse_whitelabel_organizations", &[]), counted, "{total}");
        assert_eq!(api.requests(LIST).await.len(), 4, "{total}: three pages, and an empty one");
    }
}

#[tokio::test]
async fn a_list_that_ignores_the_offset_ends() {
    let organizations = json!([{ "id": 1, "whitelabelId": 70 }, { "id": 2, "whitelabelId": 70 }, {}, 5]);
    let api = whitelabel().await;
    api.answers(LIST, &json!({ "success": true, "total": 1000, "organizations": organizations })).await;
    let metrics = scrape(&api).await;
    assert_eq!(ids(&metrics), ["1", "2"]);
    assert_eq!(api.requests(LIST).await.len(), 2);
    assert_eq!(unusable(&metrics), BTreeMap::from([("id", 2.0), ("organizations", 2.0)]));
}

#[tokio::test]
async fn a_list_without_end_is_an_error_and_not_a_leak() {
    let api = with_pages(pages(u64::MAX >> 1, 1, Value::Null)).await;
    let exporter = Running::with_key(&api, &[OWNER, NO_ACTIVITY]).await;
    let list = [("collector", "whitelabel_organizations")];
    let metrics = exporter.scrape_within("30").await;
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &list), Some(0.0));
    assert!(exporter.page("/").await.contains("has more than 1000 pages"));
    assert_eq!(api.requests(LIST).await.len(), 1000);
}

#[tokio::test]
async fn a_list_is_read_up_to_its_limit_and_the_rest_is_counted() {
    let api = with_pages(pages(30_000, 200, 30_000)).await;
    let exporter = Running::with_key(&api, &[OWNER, NO_ACTIVITY]).await;
    let lists = "/metrics?collect[]=whitelabel_organizations&collect[]=whitelabel&collect[]=exporter";
    let metrics = Exposition::of_prometheus_text(&exporter.page(lists).await);
    assert_eq!(metrics.value("edgeimpulse_whitelabel_organizations", &[]), Some(30_000.0));
    let left_out = metrics.value("edgeimpulse_exporter_truncated_total", &[("field", "organizations")]);
    // The key's own list has an organization too.
    let kept = ids(&metrics).len();
    assert!((9_999..=10_000).contains(&kept), "{kept}");
    assert_eq!(left_out, Some(f64::from(30_000 - u32::try_from(kept).unwrap())));
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let good = pages(250, 100, 250);
    let respond = move |request: &Request| match query(request)["offset"].as_str() {
        "200" => ResponseTemplate::new(502),
        _ => good(request),
    };
    let api = with_pages(respond).await;
    let metrics = scrape(&api).await;
    assert_eq!(metrics.failures(), [("server_error", 1.0)]);
    let list = [("collector", "whitelabel_organizations")];
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &list), Some(0.0));
    assert_eq!(api.requests(LIST).await.len(), 3, "each page is a request");
}

#[tokio::test]
async fn each_page_may_take_as_long_as_a_call() {
    let page = pages(3, 1, 3);
    let api = with_pages(move |request: &Request| page(request).set_delay(Duration::from_millis(900))).await;
    let metrics = Running::with_key(&api, &[OWNER, NO_ACTIVITY, "--api.timeout=2s"]).await.scrape().await;
    assert_eq!(ids(&metrics).len(), 3, "all three pages took longer than one may");
}
