//! The pages of a white label's list of organizations.

use std::collections::BTreeMap;
use std::time::Duration;

use edgeimpulse_exporter::demo::{self, world::World};
use edgeimpulse_exporter::model::{Call, Clock, Collector};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use super::{Admin, LIST, LISTED, query};
use crate::support::FakeApi;
use crate::support::running::{JWT, NOW};

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
    let facts = Admin::of(&api.url(), JWT).asks(LISTED).await.unwrap();
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
        let facts = Admin::of(&api.url(), JWT).asks(LISTED).await.unwrap();
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
    let admin = Admin::of(&api.url(), JWT);
    let facts = admin.asks(LISTED).await.unwrap();
    assert_eq!(facts.organizations.keys().collect::<Vec<_>>(), [&1, &2]);
    assert_eq!(api.requests(LIST).await.len(), 2);
    assert_eq!(admin.unusable(), BTreeMap::from([("id".to_owned(), 2), ("organizations".to_owned(), 2)]));
}

#[tokio::test]
async fn a_list_without_end_is_an_error_and_not_a_leak() {
    let api = FakeApi::start().await;
    api.responds(LIST, pages(u64::MAX >> 1, 1, Value::Null)).await;
    let admin = Admin::of(&api.url(), JWT);
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
    let admin = Admin::of(&api.url(), JWT);
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
    let facts = Admin::of(&api.url(), JWT).asks(LISTED).await.unwrap();
    assert_eq!(facts.organizations.len(), 3, "all three pages took longer than one may");
}
