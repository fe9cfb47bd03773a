//! Storage buckets of organizations.

use std::collections::BTreeMap;

use edgeimpulse_exporter::model::Collector;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::properties::facts;
use crate::support::{Exposition, FakeApi, Running};

const BUCKETS: &str = "/api/organizations/1/buckets";
const CONNECTED: &str = "edgeimpulse_bucket_connected";

/// Scrapes an organization with these buckets.
async fn scrape(buckets: &Value) -> Exposition {
    let api = FakeApi::with_samples("typical").await;
    api.answers(BUCKETS, &json!({ "success": true, "buckets": buckets })).await;
    Running::with_key(&api, &["--organization-id=1"]).await.scrape().await
}

fn of_buckets(metrics: &Exposition, name: &str) -> Vec<f64> {
    metrics.values(name, &[("endpoint", "/api/organizations/{organizationId}/buckets")])
}

#[tokio::test]
async fn a_bucket_that_cannot_be_reached_is_not_connected() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    for (id, name, connected) in
        [("11", "acme-data", 1.0), ("12", "acme-archive", 0.0), ("13", "acme-azure", 1.0)]
    {
        let labels = [("organization_id", "1"), ("bucket_id", id), ("bucket", name)];
        assert_eq!(metrics.value(CONNECTED, &labels), Some(connected), "{name}");
    }
    assert_eq!(metrics.series(CONNECTED, &[]).len(), 3);
    assert!(!metrics.text.contains("AKIA"), "the access key is not read");
}

#[tokio::test]
async fn an_invalid_value_of_a_bucket_costs_its_own_sample_only() {
    let metrics = scrape(&json!([
        { "id": 1, "bucket": "a", "connected": true },
        { "id": 2, "bucket": "b", "connected": "yes" },
        { "id": 3, "bucket": 3, "connected": false },
        { "id": "4", "bucket": "d", "connected": true },
        { "bucket": "e", "connected": true },
        { "id": 6, "bucket": null },
        "odd",
    ]))
    .await;
    assert_eq!(metrics.value(CONNECTED, &[("bucket_id", "1"), ("bucket", "a")]), Some(1.0));
    assert_eq!(metrics.value(CONNECTED, &[("bucket_id", "3")]), Some(0.0), "without its name");
    assert_eq!(metrics.series(CONNECTED, &[]).len(), 2);
    let invalid = metrics.series("edgeimpulse_exporter_decode_errors_total", &[]);
    let invalid: BTreeMap<_, _> = invalid.iter().map(|it| (&*it.labels["field"], it.value)).collect();
    assert_eq!(invalid, BTreeMap::from([("bucket", 1.0), ("buckets", 1.0), ("connected", 1.0), ("id", 2.0)]));
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &[("collector", "buckets")]), Some(1.0));
}

#[tokio::test]
async fn buckets_with_the_same_id_are_shown_once_and_those_beyond_the_limit_are_counted() {
    let bucket = |id: u64| json!({ "id": id, "bucket": format!("bucket {id}"), "connected": true });
    let buckets: Vec<_> = [5, 5, 7].into_iter().chain(10..=1011).map(bucket).collect();
    let metrics = scrape(&json!(buckets)).await;
    assert_eq!(metrics.series(CONNECTED, &[]).len(), 1000);
    assert_eq!(metrics.series(CONNECTED, &[("bucket_id", "1007")]).len(), 1);
    assert!(metrics.series(CONNECTED, &[("bucket_id", "1008")]).is_empty(), "the first by id are shown");
    let dropped = |reason| metrics.value("edgeimpulse_exporter_dropped_series", &[("reason", reason)]);
    assert_eq!((dropped("bucket_limit"), dropped("duplicate")), (Some(4.0), Some(1.0)));
    assert_eq!(of_buckets(&metrics, "edgeimpulse_exporter_truncated_total"), [4.0]);
}

#[tokio::test]
async fn buckets_that_may_not_be_read_are_not_supported_and_cost_nothing_else() {
    let api = FakeApi::with_samples("typical").await;
    api.refuses(BUCKETS, 403, "You do not have permission to access this organization").await;
    let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
    let metrics = exporter.scrape().await;
    let buckets = [("collector", "buckets")];
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_supported", &buckets), Some(0.0));
    assert_eq!(metrics.failures(), [("forbidden", 1.0)]);
    assert!(metrics.series(CONNECTED, &[]).is_empty());
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
    assert_eq!(metrics.series("edgeimpulse_organization_storage_used_bytes", &[]).len(), 1);
    let page = exporter.page("/").await;
    assert!(page.contains("You do not have permission to access this organization"), "{page}");
}

#[tokio::test]
async fn buckets_are_read_every_quarter_of_an_hour_and_not_of_developer_profiles() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
    for _ in 0..3 {
        assert_eq!(exporter.scrape().await.series(CONNECTED, &[]).len(), 3);
    }
    assert_eq!(api.requests(BUCKETS).await.len(), 1);
    assert_eq!(Collector::Buckets.default_interval(), Some(std::time::Duration::from_mins(15)));
    let api = FakeApi::start().await;
    let profile = json!({ "id": 1, "isDeveloperProfile": true });
    api.answers("/api/organizations", &json!({ "success": true, "organizations": [profile] })).await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    let buckets = [("collector", "buckets")];
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_supported", &buckets), Some(0.0));
    assert!(api.requests(BUCKETS).await.is_empty(), "the API refuses it");
}

/// Any value that a member may have, valid or not.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_u32..6).prop_map(Value::from),
        Just(json!(-1)),
        Just(json!(2.5)),
        "[a-c]{0,2}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({ "id": 1 })),
    ]
}

/// A bucket, of which each member may be absent, valid or anything.
fn bucket() -> impl Strategy<Value = Value> {
    let id = prop_oneof![4 => (0_u32..6).prop_map(Value::from), 1 => value()];
    let name = prop_oneof![3 => "[a-c]{0,2}".prop_map(Value::from), 1 => value()];
    let connected = prop_oneof![3 => any::<bool>().prop_map(Value::from), 1 => value()];
    let members =
        (prop::option::weighted(0.9, id), prop::option::of(name), prop::option::weighted(0.9, connected));
    let object = members.prop_map(|(id, bucket, connected)| {
        let members = [("id", id), ("bucket", bucket), ("connected", connected)];
        let known = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(known.chain([("accessKey".to_owned(), json!("AKIA"))]).collect())
    });
    prop_oneof![9 => object, 1 => value()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Read once more, from the JSON values.
    #[test]
    fn any_list_of_buckets_becomes_what_it_says(buckets in prop::collection::vec(bucket(), 0..8)) {
        let response = json!({ "success": true, "buckets": buckets });
        let facts = facts(Collector::Buckets, &response);
        let read: Vec<_> = facts.organizations[&1].buckets.as_ref().unwrap().rows.iter()
            .map(|row| (row.organization_id, row.id, row.name.as_deref(), row.connected)).collect();
        let mut expected = BTreeMap::new();
        for bucket in &buckets {
            let Some(id) = bucket["id"].as_u64().filter(|_| bucket.is_object()) else { continue };
            let row = (1, id, bucket["bucket"].as_str(), bucket["connected"].as_bool());
            expected.entry(id).or_insert(row);
        }
        prop_assert_eq!(read, expected.into_values().collect::<Vec<_>>());
    }
}
