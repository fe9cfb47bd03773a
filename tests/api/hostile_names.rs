//! Names with characters that break careless exporters.

use serde_json::json;

use crate::support::{FakeApi, Running};

const HOSTILE: [&str; 8] = [
    "with \"quotes\"",
    "with a \\ backslash \\n that is no line break",
    "with a\nline break and a\r\ncarriage return",
    "with 🛰 an emoji and 株式会社",
    "with \u{0}\u{1}\u{1b}[31m\u{7f} control characters",
    "} 1\n# EOF\nforged_metric{a=\"b\"} 1",
    "<script>alert('name')</script>",
    "\u{2028}\u{feff}\u{202e}",
];

#[tokio::test]
async fn a_hostile_name_keeps_the_scrape_parseable_and_comes_back_unchanged() {
    for name in HOSTILE {
        let api = FakeApi::with_organization(&json!({
            "success": true,
            "organization": { "id": 1, "name": name, "projects": [{ "id": 2, "name": name }] },
            "datasets": [{ "dataset": name, "category": name, "totalFileSize": 1 }],
            "experiments": [{ "type": name, "enabled": true }],
        }))
        .await;
        let exporter = Running::with_key(&api, &["--collector.projects"]).await;
        for metrics in [exporter.scrape().await, exporter.scrape_open_metrics().await] {
            let label = |metric: &str, label: &str| metrics.series(metric, &[])[0].labels[label].clone();
            assert_eq!(label("edgeimpulse_organization_info", "organization_name"), name);
            assert_eq!(label("edgeimpulse_project_info", "project_name"), name);
            assert_eq!(label("edgeimpulse_dataset_info", "category"), name);
            assert_eq!(label("edgeimpulse_dataset_size_bytes", "dataset"), name);
            assert_eq!(label("edgeimpulse_organization_experiment_enabled", "experiment"), name);
            assert!(metrics.series("forged_metric", &[]).is_empty());
        }
        let page = exporter.page("/").await;
        assert!(!page.contains("<script>"), "the page shows names as text");
    }
}

#[tokio::test]
async fn an_empty_name_is_no_label() {
    let organization = json!({ "success": true, "organization": { "id": 1, "name": "" } });
    let api = FakeApi::with_organization(&organization).await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    assert!(!metrics.series("edgeimpulse_organization_info", &[])[0].labels.contains_key("organization_name"));
}
