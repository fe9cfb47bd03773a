//! Facts about the same organization from several collectors.

use serde_json::json;

use crate::support::{Exposition, FakeApi, Running};

/// A user who sees organization 1, with a limit and counts that other collectors know differently.
fn user() -> serde_json::Value {
    json!({
        "success": true,
        "id": 9,
        "organizations": [{
            "id": 1, "name": "As the user sees it", "whitelabelId": 7, "created": "2020-01-01T00:00:00Z",
            "entitlementLimits": { "totalStorage": 100, "numberOfUsers": 3 },
            "userCount": 30, "adminCount": 4, "privateProjectCount": 5,
        }],
    })
}

#[tokio::test]
async fn the_first_collector_with_a_value_determines_it() {
    let api = FakeApi::start().await;
    api.answers("/api/user", &user()).await;
    let information = json!({
        "success": true,
        "organization": { "id": 1, "name": "As it is", "created": "2021-01-01T00:00:00Z" },
        "entitlementLimits": { "totalStorage": 200 },
    });
    api.answers("/api/organizations/1", &information).await;
    api.answers("/api/organizations/1/metrics", &json!({ "success": true, "metrics": { "userCount": 20 } }))
        .await;
    let exporter = Running::with_jwt(&api, &["--no-collector.trials"]).await;
    let metrics = exporter.scrape().await;
    let of = |name: &str| metrics.value(&format!("edgeimpulse_organization_{name}"), &[]);
    assert_eq!(of("users_used"), Some(20.0), "usage before user");
    assert_eq!(of("admins"), Some(4.0), "only in the response for the user");
    assert_eq!(of("created_timestamp_seconds"), Some(1_609_459_200.0), "organization before user");
    assert_eq!(of("storage_limit_bytes"), Some(200.0));
    assert_eq!(of("users_limit"), Some(3.0), "a number of any collector before none of another one");
    assert_eq!(of("projects_limit"), None, "no collector has a number");
    let limited =
        |name| metrics.value("edgeimpulse_organization_entitlement_limited", &[("entitlement", name)]);
    assert_eq!((limited("users"), limited("projects")), (Some(1.0), Some(0.0)));
    let info = metrics.series("edgeimpulse_organization_info", &[]);
    assert_eq!(info.len(), 1);
    assert_eq!(info[0].labels["organization_name"], "As it is");
    assert_eq!(info[0].labels["whitelabel_id"], "7", "only in the response for the user");

    // When the better source fails, the next one serves.
    api.refuses("/api/organizations/1/metrics", 500, "down").await;
    api.refuses("/api/organizations/1", 500, "down").await;
    let metrics = exporter.scrape().await;
    let of = |name: &str| metrics.value(&format!("edgeimpulse_organization_{name}"), &[]);
    assert_eq!(of("users_used"), Some(30.0));
    assert_eq!((of("storage_limit_bytes"), of("users_limit")), (Some(100.0), Some(3.0)));
}

#[tokio::test]
async fn an_info_series_keeps_its_labels_or_ends_when_a_call_fails() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &["--user-id=1"]).await;
    let infos = |metrics: &Exposition, name: &str| -> Vec<_> {
        let series = metrics.series(&format!("edgeimpulse_{name}_info"), &[]);
        series.into_iter().map(|sample| sample.labels.clone()).collect()
    };
    let before = exporter.scrape().await;
    assert!(infos(&before, "user")[0].contains_key("tier"));
    assert!(infos(&before, "organization").iter().any(|labels| labels.contains_key("whitelabel_name")));
    for path in ["/api/user", "/api/organizations/1", "/api/organizations/2"] {
        api.refuses(path, 500, "Out of order").await;
        let metrics = exporter.scrape().await;
        assert_eq!(
            metrics.value("edgeimpulse_user_organizations", &[]),
            Some(2.0),
            "another call knows the user"
        );
        assert!(infos(&metrics, "user").is_empty(), "{path}");
        for labels in infos(&metrics, "organization") {
            assert!(infos(&before, "organization").contains(&labels), "{path}: {labels:?}");
        }
        let cold = Running::with_jwt(&api, &["--user-id=1"]).await.scrape().await;
        assert_eq!(cold.value("edgeimpulse_user_organizations", &[]), Some(2.0), "{path}");
        assert!(infos(&cold, "user").is_empty(), "{path}: nothing was known before");
        for labels in infos(&cold, "organization") {
            assert!(infos(&before, "organization").contains(&labels), "{path}, cold: {labels:?}");
        }
    }
}

#[tokio::test]
async fn the_infos_of_a_white_labels_organizations_need_one_call_that_knows_its_name() {
    let api = FakeApi::with_samples("typical").await;
    let name = async || {
        let metrics = Running::with_jwt(&api, &["--whitelabel.organization-id=1"]).await.scrape().await;
        let infos = metrics.series("edgeimpulse_organization_info", &[("organization_id", "31")]);
        infos.first().map(|info| info.labels.get("whitelabel_name").cloned())
    };
    api.refuses("/api/user", 500, "Out of order").await;
    assert_eq!(name().await, Some(Some("WL".to_owned())), "the white label's own call knows it");
    api.refuses("/api/organizations/1/whitelabel", 500, "Out of order").await;
    assert_eq!(name().await, None, "the series would get another label later");
    for path in ["/api/user", "/api/organizations/1/whitelabel"] {
        api.refuses(path, 403, "Not permitted").await;
    }
    assert_eq!(name().await, Some(None), "nothing will ever know it");
}

#[tokio::test]
async fn a_trial_in_the_responses_of_three_calls_is_one_series() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_jwt(&api, &["--whitelabel.user-id=2"]).await.scrape().await;
    let series = metrics.series("edgeimpulse_trial_scheduled_expiration_timestamp_seconds", &[]);
    assert_eq!(series.len(), 1);
    // 2026-11-07, as the user's active trial has it.
    assert_eq!((series[0].labels["trial_id"].as_str(), series[0].value), ("1", 1_794_009_600.0));
}

#[tokio::test]
async fn rows_that_share_their_labels_are_shown_once_and_counted() {
    let api = FakeApi::with_organization(&json!({
        "success": true,
        "organization": { "id": 1, "projects": [{ "id": 3, "name": "first" }, { "id": 3, "name": "second" }] },
        "datasets": [
            { "dataset": "same", "totalFileSize": 1 },
            { "dataset": "other", "totalFileSize": 2 },
            { "dataset": "same", "totalFileSize": 3, "totalFileCount": 4 },
        ],
    }))
    .await;
    let metrics = Running::with_key(&api, &["--collector.projects"]).await.scrape().await;
    assert_eq!(metrics.value("edgeimpulse_dataset_size_bytes", &[("dataset", "same")]), Some(1.0));
    assert_eq!(metrics.series("edgeimpulse_project_info", &[])[0].labels["project_name"], "first");
    // Of the dataset: info, size and files; of the project: info.
    let dropped = metrics.value("edgeimpulse_exporter_dropped_series", &[("reason", "duplicate")]);
    assert_eq!(dropped, Some(4.0));
}

#[tokio::test]
async fn an_organization_listed_twice_is_one() {
    let api = FakeApi::start().await;
    api.lists(&[1, 1]).await;
    api.answers("/api/organizations/1", &json!({ "success": true, "organization": { "id": 1 } })).await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    assert_eq!(metrics.series("edgeimpulse_organization_info", &[]).len(), 1);
    assert_eq!(api.requests("/api/organizations/1").await.len(), 1);
}
