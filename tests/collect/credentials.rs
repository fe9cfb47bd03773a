//! Each kind of credential, without other options.

use serde_json::json;

use crate::support::running::{EVERYTHING, JWT, KEY};
use crate::support::secure::{Authority, Folder};
use crate::support::{Exposition, FakeApi, Program, Running, data};

fn supported(metrics: &Exposition, collector: &str) -> Vec<f64> {
    metrics.values("edgeimpulse_scrape_collector_supported", &[("collector", collector)])
}

#[tokio::test]
async fn an_api_key_alone_is_enough() {
    let api = FakeApi::with_samples("typical").await;
    api.accepts_only("x-api-key", KEY).await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
    assert_eq!(metrics.series("edgeimpulse_organization_storage_used_bytes", &[]).len(), 2);
    // Discovery, and five calls for each organization: nothing that an API key may not call.
    assert_eq!(api.calls().await, 11);
    assert_eq!(supported(&metrics, "user"), [0.0]);
    assert_eq!(supported(&metrics, "trials"), [0.0]);
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &[("collector", "user")]), Some(0.0));
}

#[tokio::test]
async fn a_jwt_alone_is_enough() {
    let api = FakeApi::with_samples("typical").await;
    api.accepts_only("x-jwt-token", JWT).await;
    let metrics = Running::with_jwt(&api, &[]).await.scrape().await;
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
    assert_eq!(metrics.series("edgeimpulse_organization_gpu_compute_time_used_seconds", &[]).len(), 3);
    // The user, the user's trials and plan, six calls for each organization. For the white label that the user administers:
    // itself, its list, eight counts of its users, nine of its organizations and projects, and its two other organizations.
    assert_eq!(api.calls().await, 36);
    assert_eq!(api.requests("/api/user").await[0].url.query(), Some("excludeProjects=true"));
    let expiration = metrics.value("edgeimpulse_trial_scheduled_expiration_timestamp_seconds", &[]);
    assert!(expiration.is_some(), "a JWT sees when a trial will end");
}

#[tokio::test]
async fn a_credential_that_systemd_passes_is_used_unless_an_option_names_one() {
    let api = FakeApi::with_samples("typical").await;
    let other = Folder::new(&Authority::new());
    other.write("key", KEY);
    let option = ("EDGEIMPULSE_API_KEY_FILE", &*other.path("key"));
    // Only an API key makes this call.
    let discovery = "/api/organizations";
    for (key, jwt, option, calls) in
        [(KEY, "\n", None, 1), ("\n", JWT, None, 0), (KEY, JWT, None, 0), ("\n", JWT, Some(option), 1)]
    {
        let passed = Folder::new(&Authority::new());
        passed.write("api-key", key);
        passed.write("jwt", jwt);
        let (directory, url) = (passed.path(""), api.url());
        let variables = [("CREDENTIALS_DIRECTORY", &*directory), ("EDGEIMPULSE_API_URL", &*url)];
        let variables: Vec<_> = variables.into_iter().chain(option).collect();
        let before = api.requests(discovery).await.len();
        Program::ends(&["scrape"], &variables, 0).await;
        assert_eq!(api.requests(discovery).await.len() - before, calls, "{key} {jwt}");
    }
    let nothing = Folder::new(&Authority::new());
    nothing.write("api-key", "\n");
    let ended = Program::ends(&["scrape"], &[("CREDENTIALS_DIRECTORY", &nothing.path(""))], 2).await;
    assert!(ended.stderr.contains("no credential"), "{}", ended.stderr);
}

#[tokio::test]
async fn requests_have_a_user_agent_and_the_secret_in_one_header_only() {
    let api = FakeApi::with_samples("typical").await;
    Running::with_key(&api, &[]).await.scrape().await;
    let request = &api.requests("/api/organizations/1").await[0];
    assert_eq!(request.headers["user-agent"], concat!("edgeimpulse-exporter/", env!("CARGO_PKG_VERSION")));
    assert_eq!(request.headers.values().filter(|value| value.as_bytes() == KEY.as_bytes()).count(), 1);
    assert!(!request.url.as_str().contains(KEY));
}

#[tokio::test]
async fn configured_organizations_replace_the_discovery_of_an_api_key() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_key(&api, &["--organization-id=2"]).await.scrape().await;
    assert!(api.requests("/api/organizations").await.is_empty());
    assert!(metrics.series("edgeimpulse_organization_info", &[("organization_id", "1")]).is_empty());
    assert_eq!(metrics.series("edgeimpulse_organization_info", &[("organization_id", "2")]).len(), 1);
}

#[tokio::test]
async fn configured_organizations_restrict_what_a_jwt_shows() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_jwt(&api, &["--organization-id=2"]).await.scrape().await;
    assert!(api.requests("/api/organizations/1").await.is_empty());
    assert!(!metrics.text.contains("organization_id=\"1\""), "neither its facts nor its trial");
    assert_eq!(metrics.series("edgeimpulse_organization_info", &[("organization_id", "2")]).len(), 1);
}

#[tokio::test]
async fn the_list_of_organizations_has_an_interval_of_its_own() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[]).await;
    exporter.scrape().await;
    exporter.scrape().await;
    assert_eq!(api.requests("/api/organizations").await.len(), 1);
    assert_eq!(api.requests("/api/organizations/1").await.len(), 2);
    assert_eq!(api.requests("/api/organizations/1/metrics").await.len(), 2);
}

#[tokio::test]
async fn the_name_of_a_developer_profile_is_not_shown_and_its_usage_not_requested() {
    // If it is unknown whether an organization is a developer profile, its name may be that of a user.
    for (is_profile, usage_supported) in [(json!(true), 0.0), (json!("true"), 1.0)] {
        let api = FakeApi::start().await;
        let profile = json!({ "id": 5, "name": "Jan Jongboom", "isDeveloperProfile": is_profile });
        api.answers("/api/organizations", &json!({ "success": true, "organizations": [profile] })).await;
        api.answers("/api/organizations/5", &json!({ "success": true, "organization": profile })).await;
        let exporter = Running::with_key(&api, &[]).await;
        let metrics = exporter.scrape().await;
        assert_eq!(api.requests("/api/organizations/5/metrics").await.len() as f64, usage_supported);
        assert_eq!(supported(&metrics, "usage"), [usage_supported]);
        assert_eq!(supported(&metrics, "organization"), [1.0]);
        let shown = metrics.text + &exporter.page("/").await;
        assert!(!shown.contains("Jongboom"), "a developer profile is named for its user");
    }
}

#[tokio::test]
async fn collectors_can_be_switched_off() {
    let api = FakeApi::with_samples("typical").await;
    let metrics =
        Running::with_jwt(&api, &["--no-collector.usage", "--collector.trials=false"]).await.scrape().await;
    assert!(api.requests("/api/organizations/1/metrics").await.is_empty());
    assert!(api.requests("/api/users/1/trials").await.is_empty());
    assert!(supported(&metrics, "usage").is_empty(), "it is not there at all");
    assert_eq!(supported(&metrics, "organization").len(), 2);
}

#[tokio::test]
async fn a_white_label_is_read_with_the_id_of_its_owner() {
    let api = FakeApi::with_samples("typical").await;
    let sample: serde_json::Value = serde_json::from_str(&data("typical/white-label-user.json")).unwrap();
    let storage = sample["user"]["dailyMetrics"][4]["totalStorageSizeBytes"].as_f64().unwrap();
    let jwt = Running::with_jwt(&api, &["--whitelabel.user-id=2"]).await.scrape().await;
    assert_eq!(jwt.value("edgeimpulse_user_storage_used_bytes", &[("user_id", "2")]), Some(storage));
    let key = Running::with_key(&api, &["--whitelabel.user-id=2", "--whitelabel.organization-id=1"]).await;
    let tier =
        key.scrape().await.value("edgeimpulse_user_info", &[("user_id", "2"), ("tier", "community-plus")]);
    assert_eq!(tier, Some(1.0));
}

#[tokio::test]
async fn a_tier_that_the_api_does_not_document_is_other() {
    let api = FakeApi::with_samples("typical").await;
    api.answers("/api/user", &json!({ "success": true, "id": 9, "tier": "gold", "organizations": [] })).await;
    let metrics = Running::with_jwt(&api, &[]).await.scrape().await;
    assert_eq!(metrics.labels("edgeimpulse_user_info", "tier"), ["other"]);
}

#[tokio::test]
async fn nothing_shows_a_secret_an_address_or_a_name() {
    let api = FakeApi::with_samples("typical").await;
    api.refuses("/api/organizations/2", 403, &format!("no permission for {KEY} of user1@example.com")).await;
    let exporter = Running::with_jwt(&api, &EVERYTHING).await;
    let text = exporter.page("/metrics").await + &exporter.page("/").await;
    for secret in [KEY, JWT, "@example.com", "user1", "user100000", "Ünal"] {
        assert!(!text.contains(secret), "{secret} is shown");
    }
}

#[tokio::test]
async fn a_user_without_a_usable_id_costs_the_users_own_facts_only() {
    for id in [json!("501"), json!(null)] {
        let api = FakeApi::with_samples("typical").await;
        let mut user: serde_json::Value = serde_json::from_str(&data("typical/current-user.json")).unwrap();
        user["id"] = id;
        api.answers("/api/user", &user).await;
        let metrics = Running::with_jwt(&api, &[]).await.scrape().await;
        assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
        assert_eq!(metrics.series("edgeimpulse_organization_admins", &[]).len(), 2);
        assert!(metrics.series("edgeimpulse_user_info", &[]).is_empty());
        let errors = metrics.value("edgeimpulse_exporter_decode_errors_total", &[("field", "id")]);
        assert_eq!(errors, Some(1.0), "counted once");
    }
}

#[tokio::test]
async fn a_white_label_that_nobody_administers_is_not_supported() {
    let api = FakeApi::start().await;
    api.answers("/api/user", &json!({ "success": true, "id": 1, "organizations": [] })).await;
    let metrics = Running::with_jwt(&api, &["--whitelabel.user-id=77"]).await.scrape().await;
    let user = [("collector", "whitelabel_user"), ("user_id", "77")];
    assert_eq!(metrics.values("edgeimpulse_scrape_collector_supported", &user), [0.0]);
}
