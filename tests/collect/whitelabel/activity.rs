//! Active organizations, projects and active projects of a white label.

use std::collections::BTreeMap;

use serde_json::json;
use wiremock::{Request, ResponseTemplate};

use super::{LIST, OWNER, PROJECTS, query, scrape, unusable, whitelabel};
use crate::support::Running;

#[tokio::test]
async fn projects_and_active_organizations_are_counted_in_nine_requests_without_reading_one() {
    let api = whitelabel().await;
    // The total of each value of the filter: all without it.
    let respond = |list: &'static str, all: u64| {
        move |request: &Request| {
            let query = query(request);
            let total = match query.get("active").map(String::as_str) {
                None => all,
                Some("1") => all / 10 + 1,
                Some("7") => all / 10 + 7,
                Some("30") => all / 10 + 30,
                Some("90") => all / 10 + 90,
                _ => return ResponseTemplate::new(400),
            };
            let element = json!([{ "id": 31, "name": "somebody@example.com", "owner": "Somebody" }]);
            let body = json!({ "success": true, list: element, "total": total });
            ResponseTemplate::new(200).set_body_json(body)
        }
    };
    api.responds(LIST, respond("organizations", 1)).await;
    api.responds(PROJECTS, respond("projects", 5000)).await;
    let metrics = scrape(&api).await;
    let of = |name: &str| metrics.values(&format!("edgeimpulse_whitelabel_{name}"), &[("whitelabel_id", "70")]);
    assert_eq!(of("organizations_active"), [1.0, 7.0, 30.0, 90.0]);
    assert_eq!(of("projects"), [5000.0]);
    assert_eq!(of("projects_active"), [501.0, 507.0, 530.0, 590.0]);
    assert_eq!(of("organizations"), [1.0], "the list, without the filter");
    assert!(!metrics.text.contains("Somebody"), "no project is read");
    assert_eq!(unusable(&metrics), BTreeMap::new());
    let lists = api.requests(LIST).await;
    let counts: Vec<_> = lists.iter().filter(|request| query(request).contains_key("active")).collect();
    let projects = api.requests(PROJECTS).await;
    assert_eq!((lists.len() - counts.len(), counts.len(), projects.len()), (1, 4, 5));
    assert!(counts.into_iter().chain(&projects).all(|request| query(request)["limit"] == "1"));
}

#[tokio::test]
async fn the_counts_of_activity_are_complete_or_absent_and_cost_each_other_nothing() {
    for (odd_path, odd_query, expected, errors) in [
        (LIST, Some("7"), (0, 1, 4), 1.0),
        (PROJECTS, Some("90"), (4, 1, 0), 1.0),
        (PROJECTS, None, (4, 0, 4), 1.0),
    ] {
        let api = whitelabel().await;
        for (path, list) in [(LIST, "organizations"), (PROJECTS, "projects")] {
            let respond = move |request: &Request| {
                let is_odd = path == odd_path && query(request).get("active").map(String::as_str) == odd_query;
                let total = if is_odd { json!("odd") } else { json!(3) };
                let body = json!({ "success": true, list: [{ "id": 31 }], "total": total });
                ResponseTemplate::new(200).set_body_json(body)
            };
            api.responds(path, respond).await;
        }
        let metrics = scrape(&api).await;
        let count = |name: &str| metrics.values(&format!("edgeimpulse_whitelabel_{name}"), &[]).len();
        assert_eq!((count("organizations_active"), count("projects"), count("projects_active")), expected);
        assert_eq!(unusable(&metrics), BTreeMap::from([("total", errors)]));
    }
}

#[tokio::test]
async fn a_credential_that_may_not_count_the_projects_of_a_white_label_is_told_so() {
    let api = whitelabel().await;
    api.refuses(PROJECTS, 403, "You do not have permission").await;
    let exporter = Running::with_key(&api, &[OWNER]).await;
    let metrics = exporter.scrape().await;
    let of = |name: &str| {
        let labels = [("collector", "whitelabel_activity"), ("organization_id", "7")];
        metrics.value(&format!("edgeimpulse_scrape_collector_{name}"), &labels)
    };
    assert_eq!((of("success"), of("supported")), (Some(0.0), Some(0.0)));
    assert!(!metrics.text.contains("edgeimpulse_whitelabel_projects"));
    assert_eq!(metrics.values("edgeimpulse_whitelabel_users", &[]), [0.0; 4], "the other calls go on");
    let page = exporter.page("/").await;
    assert!(page.contains("You do not have permission. Requires an admin of the white label"), "{page}");
    let requests = api.requests(PROJECTS).await.len();
    exporter.scrape().await;
    assert_eq!(api.requests(PROJECTS).await.len(), requests, "it has an interval");
}
