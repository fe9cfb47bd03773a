//! API keys of organizations: numbers by role and use, and when each expires.

use serde_json::{Value, json};

use crate::support::running::JWT;
use crate::support::{Exposition, FakeApi, Program, Running, file};

const KEYS: &str = "/api/organizations/1/apikeys";

/// Numbers of keys by role, and those of unused ones by window.
type Counted = (Vec<f64>, Vec<f64>);

/// Expiry dates by id.
type Dates = Vec<(String, f64)>;

/// Starts an API whose user 9 sees organization 1, which has these keys.
async fn with_keys(keys: &Value) -> FakeApi {
    let api = FakeApi::start().await;
    let user = json!({ "success": true, "id": 9, "organizations": [{ "id": 1, "name": "One" }] });
    api.answers("/api/user", &user).await;
    api.answers(KEYS, &json!({ "success": true, "apiKeys": keys })).await;
    api
}

async fn scrape(keys: &Value) -> Exposition {
    Running::with_jwt(&with_keys(keys).await, &[]).await.scrape().await
}

/// Returns the numbers of keys by role, and those of unused ones.
fn counts(metrics: &Exposition) -> Counted {
    let of = |name: &str| metrics.values(&format!("edgeimpulse_organization_api_keys{name}"), &[]);
    (of(""), of("_unused"))
}

/// Returns the expiry dates by id.
fn expiries(metrics: &Exposition) -> Dates {
    let series = metrics.series("edgeimpulse_api_key_expiry_timestamp_seconds", &[("organization_id", "1")]);
    series.into_iter().map(|sample| (sample.labels["key_id"].clone(), sample.value)).collect()
}

fn result(metrics: &Exposition, name: &str) -> Option<f64> {
    let labels = [("collector", "api_keys"), ("organization_id", "1")];
    metrics.value(&format!("edgeimpulse_scrape_collector_{name}"), &labels)
}

fn odd_fields(metrics: &Exposition) -> Vec<(String, f64)> {
    let errors = metrics.series("edgeimpulse_exporter_decode_errors_total", &[]);
    errors.into_iter().map(|sample| (sample.labels["field"].clone(), sample.value)).collect()
}

#[tokio::test]
async fn api_keys_are_counted_by_role_and_use_and_those_that_expire_have_a_date() {
    let metrics = scrape(&json!([
        { "id": 5, "role": "admin", "created": "2020-01-01T00:00:00Z", "isTransformationJobKey": false,
          "lastUsed": "2026-10-31T00:00:00Z", "expires": "2026-11-05T00:00:00.5Z" },
        { "id": 3, "role": "member", "created": "2020-01-01T00:00:00Z", "lastUsed": "2026-09-01T00:00:00Z",
          "expires": "2025-01-01T00:00:00Z" },
        { "id": 4, "role": "member", "created": "2020-01-01T00:00:00Z", "lastUsed": "2026-07-01T00:00:00Z",
          "expires": null },
        // Never used, and older than one of the windows.
        { "id": 6, "role": "overseer", "created": "2026-09-20T00:00:00Z", "lastUsed": null },
        // Never used, and young. The date is what other systems write for "never".
        { "id": 7, "role": "member", "created": "2026-10-30T00:00:00Z", "expires": "9999-12-31T23:59:59Z" },
        // Not a key that anybody created.
        { "id": 8, "role": "admin", "created": "2020-01-01T00:00:00Z", "isTransformationJobKey": true,
          "lastUsed": "2020-01-01T00:00:00Z", "expires": "2026-11-01T00:00:00Z" },
    ]))
    .await;
    assert_eq!(counts(&metrics), (vec![1.0, 3.0, 0.0, 1.0], vec![3.0, 1.0]));
    let roles = metrics.labels("edgeimpulse_organization_api_keys", "role");
    assert_eq!(roles, ["admin", "member", "guest", "other"]);
    assert_eq!(metrics.labels("edgeimpulse_organization_api_keys_unused", "window"), ["30d", "90d"]);
    let dates = [("3".to_owned(), 1_735_689_600.0), ("5".to_owned(), 1_793_836_800.5)];
    assert_eq!(expiries(&metrics), dates);
    assert_eq!((result(&metrics, "success"), result(&metrics, "supported")), (Some(1.0), Some(1.0)));
    assert_eq!(odd_fields(&metrics), []);
}

#[tokio::test]
async fn unused_keys_are_counted_only_where_the_api_tells_when_keys_were_used() {
    let old = |more: Value| {
        let mut key = json!({ "id": 1, "role": "member", "created": "2020-01-01T00:00:00Z" });
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    };
    for (keys, by_role, unused) in [
        (json!([]), vec![0.0; 4], vec![]),
        (json!([old(json!({}))]), vec![0.0, 1.0, 0.0, 0.0], vec![]),
        (json!([old(json!({ "lastUsed": null }))]), vec![0.0, 1.0, 0.0, 0.0], vec![1.0, 1.0]),
        (
            json!([old(json!({})), old(json!({ "id": 2, "lastUsed": "2026-10-31T00:00:00Z" }))]),
            vec![0.0, 2.0, 0.0, 0.0],
            vec![1.0, 1.0],
        ),
        // Keys of transformation jobs tell nothing about the others.
        (json!([old(json!({ "isTransformationJobKey": true, "lastUsed": null }))]), vec![0.0; 4], vec![]),
    ] {
        assert_eq!(counts(&scrape(&keys).await), (by_role, unused), "{keys}");
    }
}

#[tokio::test]
async fn an_invalid_value_of_an_api_key_costs_its_own_samples() {
    let key = |id: u64| {
        json!({ "id": id, "role": "member", "created": "2020-01-01T00:00:00Z", "isTransformationJobKey": false,
            "lastUsed": "2020-01-01T00:00:00Z", "expires": "1970-01-01T00:00:07Z" })
    };
    let (roles, unused, none): (&[f64], &[f64], &[f64]) = (&[0.0, 2.0, 0.0, 0.0], &[2.0, 2.0], &[]);
    for (field, roles, unused, dates) in [
        ("id", roles, unused, 1),
        ("role", none, unused, 2),
        ("created", roles, unused, 2),
        ("lastUsed", roles, none, 2),
        ("expires", roles, unused, 1),
        ("isTransformationJobKey", none, none, 1),
    ] {
        for odd in [json!({}), json!([1]), json!(-1)] {
            let mut odd_key = key(2);
            odd_key[field] = odd;
            let metrics = scrape(&json!([key(1), odd_key])).await;
            assert_eq!(counts(&metrics), (roles.to_vec(), unused.to_vec()), "{odd_key}");
            assert_eq!(expiries(&metrics).len(), dates, "{odd_key}");
            assert_eq!(odd_fields(&metrics), [(field.to_owned(), 1.0)], "{odd_key}");
            assert_eq!(result(&metrics, "success"), Some(1.0));
        }
    }
    // What is no key may be one.
    let metrics = scrape(&json!([key(1), "odd"])).await;
    assert_eq!((counts(&metrics), expiries(&metrics).len()), ((vec![], vec![]), 1));
    for answer in [json!({ "success": true }), json!({ "success": true, "apiKeys": {} })] {
        let api = with_keys(&json!([])).await;
        api.answers(KEYS, &answer).await;
        let metrics = Running::with_jwt(&api, &[]).await.scrape().await;
        assert_eq!((counts(&metrics), result(&metrics, "success")), ((vec![], vec![]), Some(0.0)), "{answer}");
    }
}

#[tokio::test]
async fn api_keys_with_the_same_id_are_shown_once_and_those_beyond_the_limit_are_counted() {
    let key = |id: u64, date: &str| json!({ "id": id, "role": "member", "expires": date });
    let mut keys: Vec<_> = (1..=1003).rev().map(|id| key(id, "2030-01-01T00:00:00Z")).collect();
    keys.push(key(7, "2040-01-01T00:00:00Z"));
    let metrics = scrape(&json!(keys)).await;
    assert_eq!(counts(&metrics).0, [0.0, 1004.0, 0.0, 0.0], "all are counted");
    let dates = expiries(&metrics);
    assert_eq!(
        (dates.len(), dates.first(), dates.last()),
        (1000, Some(&("1".to_owned(), 1_893_456_000.0)), Some(&("1000".to_owned(), 1_893_456_000.0)))
    );
    assert_eq!(dates[6].1, 1_893_456_000.0, "the first of an id");
    let truncated = [("endpoint", "/api/organizations/{organizationId}/apikeys"), ("field", "apiKeys")];
    assert_eq!(metrics.value("edgeimpulse_exporter_truncated_total", &truncated), Some(3.0));
    let dropped = |reason| metrics.value("edgeimpulse_exporter_dropped_series", &[("reason", reason)]);
    assert_eq!((dropped("api_key_limit"), dropped("duplicate")), (Some(3.0), Some(1.0)));
}

#[tokio::test]
async fn an_api_key_is_not_asked_for_keys_because_it_would_be_told_that_there_are_none() {
    let api = FakeApi::with_samples("typical").await;
    api.answers(KEYS, &json!({ "success": true, "apiKeys": [] })).await;
    let exporter = Running::with_key(&api, &[]).await;
    let metrics = exporter.scrape().await;
    assert!(api.requests(KEYS).await.is_empty());
    let of = |name: &str| {
        let labels = [("collector", "api_keys")];
        metrics.values(&format!("edgeimpulse_scrape_collector_{name}"), &labels)
    };
    assert_eq!((of("success"), of("supported")), (vec![0.0], vec![0.0]));
    assert!(!metrics.text.contains("edgeimpulse_organization_api_keys"), "no number, rather than 0");
    let ended = Program::ends(&["check", "--api.url", &api.url()], &[("EDGEIMPULSE_API_KEY", "x")], 0).await;
    let row = ended.stdout.lines().find(|line| line.contains(" api_keys ")).unwrap();
    assert!(row.contains("skipped") && row.ends_with("needs a JWT"), "{row}");
}

#[tokio::test]
async fn a_refusal_of_api_keys_is_in_the_words_of_the_api_and_is_not_repeated_at_once() {
    let api = with_keys(&json!([])).await;
    api.refuses(KEYS, 403, "You do not have permission: admin required").await;
    let exporter = Running::with_jwt(&api, &[]).await;
    let metrics = exporter.scrape().await;
    assert_eq!((result(&metrics, "success"), result(&metrics, "supported")), (Some(0.0), Some(0.0)));
    assert_eq!(counts(&metrics), (vec![], vec![]));
    let page = exporter.page("/").await;
    assert!(page.contains("You do not have permission: admin required"), "{page}");
    assert!(page.contains("Requires a JWT of an admin or member of the organization"), "{page}");
    exporter.scrape().await;
    assert_eq!(api.requests(KEYS).await.len(), 1);
}

#[tokio::test]
async fn api_keys_are_read_once_in_an_interval() {
    let api = with_keys(&json!([{ "id": 1, "role": "member" }])).await;
    let exporter = Running::with_jwt(&api, &[]).await;
    for _ in 0..3 {
        assert_eq!(counts(&exporter.scrape().await).0, [0.0, 1.0, 0.0, 0.0]);
    }
    assert_eq!((api.requests(KEYS).await.len(), api.requests("/api/user").await.len()), (1, 3));
    let exporter = Running::with_jwt(&api, &["--no-collector.api_keys"]).await;
    assert_eq!(result(&exporter.scrape().await, "success"), None);
}

#[tokio::test]
async fn no_name_and_no_part_of_an_api_key_is_in_a_log_a_page_a_metric_or_a_recording() {
    let canary = json!([{ "id": 1, "role": "admin", "created": "2020-01-01T00:00:00Z", "name": "canary.name",
        "apiKey": "ei_canary***", "expires": "2030-01-01T00:00:00Z", "lastUsed": "2026-10-31T00:00:00Z",
        "createdByUser": { "name": "canary.user" } }]);
    let api = with_keys(&canary).await;
    let directory = file("recording", "") + ".d";
    let url = api.url();
    let arguments = ["scrape", "--record", &directory, "--api.url", &url, "--log.level=trace"];
    let ended = Program::start(&arguments, &[("EDGEIMPULSE_JWT", JWT)]).end().await;
    let recorded = crate::support::repository::files_below(&directory);
    let recorded: Vec<_> = recorded.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let recorded = recorded.iter().find(|text| text.contains("apikeys")).unwrap();
    assert!(recorded.contains("2030-01-01T00:00:00Z") && !recorded.contains("canary"));
    let page = Running::with_jwt(&api, &[]).await;
    page.scrape().await;
    assert!(ended.stdout.contains("edgeimpulse_api_key_expiry_timestamp_seconds{"), "{}", ended.stderr);
    for text in [&ended.stdout, &ended.stderr, recorded, &page.page("/").await] {
        for word in ["canary.", "ei_canary*"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}
