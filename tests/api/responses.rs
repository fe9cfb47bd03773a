//! Samples have the values of the API's responses.

use serde_json::{Value, json};

use crate::support::running::EVERYTHING;
use crate::support::{FakeApi, Running, data};

#[tokio::test]
async fn typical_answers_become_these_metrics_with_a_jwt() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &EVERYTHING).await;
    let metrics = exporter.scrape().await.stable_text();
    insta::assert_snapshot!(metrics);
    assert_eq!(exporter.scrape().await.stable_text(), metrics, "the order stays the same");
}

#[tokio::test]
async fn typical_answers_become_these_metrics_with_an_api_key() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await.stable_text();
    assert!(!metrics.contains("edgeimpulse_project_"), "single projects are off by default");
    insta::assert_snapshot!(metrics);
}

#[tokio::test]
async fn answers_with_nothing_but_required_fields_become_these_metrics() {
    let api = FakeApi::with_samples("bare").await;
    let exporter = Running::with_jwt(&api, &["--whitelabel.user-id=2", "--whitelabel.organization-id=1"]).await;
    insta::assert_snapshot!(exporter.scrape().await.stable_text());
}

#[tokio::test]
async fn numbers_and_dates_are_those_of_the_files() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_jwt(&api, &["--whitelabel.user-id=2"]).await.scrape().await;
    let json = |file| serde_json::from_str::<Value>(&data(&format!("typical/{file}.json"))).unwrap();
    let (information, usage) = (json("organization-2"), json("organization-2-metrics"));
    let limits = &information["entitlementLimits"];
    let usage = &usage["metrics"];
    for (name, value) in [
        ("storage_used_bytes", &usage["totalStorage"]),
        ("cpu_compute_time_used_seconds", &usage["cpuComputeTimeCurrentContract"]),
        ("gpu_compute_time_used_seconds", &usage["gpuComputeTimeCurrentContract"]),
        ("compute_time_lifetime_seconds", &usage["totalJobsComputeTime"]),
        ("projects_used", &usage["projectCount"]),
        ("users_used", &usage["userCount"]),
        ("storage_limit_bytes", &limits["totalStorage"]),
        ("compute_time_limit_seconds", &limits["computeTimePerYear"]),
        ("gpu_compute_time_limit_seconds", &limits["gpuComputeTimePerYear"]),
        ("projects_limit", &limits["numberOfProjects"]),
        ("users_limit", &limits["numberOfUsers"]),
        ("default_job_cpu_limit_cores", &information["defaultComputeLimits"]["limitsCpu"]),
        ("default_job_memory_request_bytes", &information["defaultComputeLimits"]["requestsMemory"]),
    ] {
        let name = format!("edgeimpulse_organization_{name}");
        assert_eq!(metrics.value(&name, &[("organization_id", "2")]), value.as_f64(), "{name}");
        assert!(value.is_number(), "{name} is in the file");
    }
    for dataset in information["datasets"].as_array().unwrap() {
        let labels = [("organization_id", "2"), ("dataset", dataset["dataset"].as_str().unwrap())];
        assert_eq!(metrics.value("edgeimpulse_dataset_size_bytes", &labels), dataset["totalFileSize"].as_f64());
        let newest = dataset["lastFileCreated"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let shown = metrics.value("edgeimpulse_dataset_last_file_created_timestamp_seconds", &labels);
        assert_eq!(shown, Some(newest.as_second() as f64));
    }
    let daily = json("white-label-user");
    let newest = daily["user"]["dailyMetrics"].as_array().unwrap().last().unwrap();
    let total = |field: &str| newest[field].as_f64().unwrap();
    let cpu_and_gpu =
        total("totalCurrentContractCpuComputeTimeSeconds") + total("totalCurrentContractGpuComputeTimeSeconds");
    let shown = metrics.value("edgeimpulse_user_compute_time_used_seconds", &[("user_id", "2")]);
    assert_eq!(shown, Some(cpu_and_gpu));
    assert_ne!(shown, Some(total("totalCurrentContractComputeTimeSeconds")), "not the weighted total");
}

/// A response with this organization.
fn information(organization: &Value) -> Value {
    json!({ "success": true, "organization": organization })
}

async fn scrape(answer: &Value) -> crate::support::Exposition {
    let api = FakeApi::with_organization(answer).await;
    Running::with_key(&api, &["--collector.projects"]).await.scrape().await
}

#[tokio::test]
async fn absent_and_null_give_no_sample_and_zero_gives_zero() {
    let metrics = scrape(&json!({
        "success": true,
        "organization": { "id": 1, "name": "Zero", "created": null, "users": [], "projects": [] },
        "datasets": [{ "dataset": "empty", "totalFileSize": 0, "totalFileCount": 0, "type": "files",
            "totalItemCount": 7, "lastFileCreated": "1970-01-01T00:00:00Z" }],
        "entitlementLimits": { "totalStorage": 0, "numberOfUsers": null },
        "performance": { "jobLimitM": 0 },
        "defaultComputeLimits": { "requestsCpu": 0 },
    }))
    .await;
    let of = |name: &str| metrics.value(&format!("edgeimpulse_organization_{name}"), &[]);
    assert_eq!(of("created_timestamp_seconds"), None);
    assert_eq!(of("storage_limit_bytes"), Some(0.0));
    assert_eq!(of("users_limit"), None);
    assert_eq!(of("job_time_limit_seconds"), Some(0.0));
    assert_eq!(of("default_job_cpu_request_cores"), Some(0.0));
    assert_eq!(of("default_job_cpu_limit_cores"), None);
    assert_eq!(of("users_pending"), Some(0.0), "nobody is a number too");
    assert_eq!(metrics.values("edgeimpulse_organization_users", &[]), [0.0; 4]);
    let limited =
        |name| metrics.value("edgeimpulse_organization_entitlement_limited", &[("entitlement", name)]);
    assert_eq!((limited("storage"), limited("users"), limited("compute")), (Some(1.0), Some(0.0), Some(0.0)));
    let of = |name: &str| metrics.value(&format!("edgeimpulse_dataset_{name}"), &[("dataset", "empty")]);
    assert_eq!((of("size_bytes"), of("files")), (Some(0.0), Some(0.0)));
    assert_eq!(of("items"), None, "only clinical datasets have items");
    assert_eq!(of("last_file_created_timestamp_seconds"), None, "there is no file");
}

#[tokio::test]
async fn limits_that_were_not_read_differ_from_limits_that_do_not_exist() {
    let metrics = scrape(&information(&json!({ "id": 1, "name": "Unknown" }))).await;
    assert!(metrics.series("edgeimpulse_organization_entitlement_limited", &[]).is_empty());
}

#[tokio::test]
async fn members_are_counted_by_role_sign_in_and_activity() {
    let metrics = scrape(&information(&json!({
        "id": 1,
        "users": [
            { "role": "admin", "pending": false, "activated": true, "mfaConfigured": true, "idps": ["Google"],
              "lastAccessToOrganization": "2026-10-31T23:00:00Z", "staffInfo": { "isStaff": false } },
            { "role": "member", "pending": false, "activated": true, "mfaConfigured": false, "idps": ["Google"],
              "lastAccessToOrganization": "2026-10-20T00:00:00+02:00" },
            { "role": "overseer", "pending": true, "activated": false, "mfaConfigured": false, "idps": [] },
            // Nobody of these is a person of the organization who can sign in.
            { "role": "guest", "pending": true, "activated": true, "mfaConfigured": true,
              "lastAccessToOrganization": "2026-10-31T23:30:00Z" },
            { "role": "member", "pending": false, "activated": false, "mfaConfigured": false },
            { "role": "admin", "pending": false, "activated": true, "mfaConfigured": false,
              "lastAccessToOrganization": "2026-10-31T23:40:00Z", "staffInfo": { "isStaff": true } },
            { "role": null, "mfaConfigured": false, "lastAccessToOrganization": "2026-06-01T00:00:00.5Z" },
        ],
    })))
    .await;
    let family = |name: &str, label: &str| {
        let series = metrics.series(&format!("edgeimpulse_organization_{name}"), &[]);
        series.iter().map(|sample| (sample.labels[label].clone(), sample.value)).collect::<Vec<_>>()
    };
    let pairs = |pairs: &[(&str, f64)]| {
        pairs.iter().map(|(label, value)| ((*label).to_owned(), *value)).collect::<Vec<_>>()
    };
    let roles = [("admin", 2.0), ("member", 2.0), ("guest", 1.0), ("other", 1.0)];
    assert_eq!(family("users", "role"), pairs(&roles));
    assert_eq!(metrics.value("edgeimpulse_organization_users_staff", &[]), Some(1.0));
    assert_eq!(family("users_sign_in", "method"), pairs(&[("mfa", 1.0), ("sso", 1.0), ("password", 1.0)]));
    let windows = [("1d", 1.0), ("7d", 1.0), ("30d", 2.0), ("90d", 2.0)];
    assert_eq!(family("users_active", "window"), pairs(&windows));
    assert_eq!(metrics.value("edgeimpulse_organization_users_pending", &[]), Some(2.0));
    assert_eq!(metrics.value("edgeimpulse_organization_users_not_activated", &[]), Some(2.0));
    let last = metrics.value("edgeimpulse_organization_last_access_timestamp_seconds", &[]);
    assert_eq!(last, Some(1_793_487_600.0));
}

#[tokio::test]
async fn whoever_cannot_sign_in_has_no_sign_in_method_and_a_member_who_never_came_is_not_active() {
    // Users, expected counts by sign-in method, and expected numbers of active users.
    let password = json!({ "role": "member", "mfaConfigured": false });
    for (users, by_method, active) in [
        (json!([{ "pending": true, "mfaConfigured": false }]), vec![0.0; 3], vec![0.0; 4]),
        (json!([password]), vec![0.0, 0.0, 1.0], vec![0.0; 4]),
        (json!([password, { "staffInfo": { "isStaff": "odd" }, "mfaConfigured": false }]), vec![], vec![]),
        (json!([password, { "staffInfo": "odd", "mfaConfigured": false }]), vec![], vec![]),
        (json!([password, { "pending": "odd", "mfaConfigured": false }]), vec![], vec![]),
        (json!([password, { "lastAccessToOrganization": "odd" }]), vec![0.0, 0.0, 1.0], vec![]),
    ] {
        let metrics = scrape(&information(&json!({ "id": 1, "users": users }))).await;
        assert_eq!(metrics.values("edgeimpulse_organization_users_sign_in", &[]), by_method, "{users}");
        assert_eq!(metrics.values("edgeimpulse_organization_users_active", &[]), active, "{users}");
    }
}

#[tokio::test]
async fn projects_are_public_if_they_or_their_live_version_are() {
    let metrics = scrape(&information(&json!({
        "id": 1,
        "projects": [
            { "id": 1, "name": "a", "isPublic": false, "allowsLivePublicAccess": false, "lastModified": "2026-10-30T00:00:00Z",
              "collaborators": [{}, {}] },
            { "id": 2, "name": "b", "isPublic": true, "allowsLivePublicAccess": false },
            { "id": 3, "name": "c", "allowsLivePublicAccess": true },
            { "id": 4, "name": "d", "hasPublicVersion": true },
            { "id": 5, "name": "e", "isPublic": false, "hasPublicVersion": true },
        ],
    })))
    .await;
    let by = |visibility| metrics.value("edgeimpulse_organization_projects", &[("visibility", visibility)]);
    assert_eq!((by("private"), by("public")), (Some(2.0), Some(2.0)));
    assert_eq!(metrics.value("edgeimpulse_organization_projects_published", &[]), Some(2.0));
    assert_eq!(metrics.value("edgeimpulse_organization_projects_pending_deletion", &[]), None);
    let modified = metrics.value("edgeimpulse_organization_projects_modified", &[("window", "7d")]);
    assert_eq!(modified, Some(1.0));
    assert_eq!(metrics.series("edgeimpulse_project_info", &[]).len(), 5);
    assert_eq!(metrics.value("edgeimpulse_project_collaborators", &[("project_id", "1")]), Some(2.0));
}

#[tokio::test]
async fn deleted_projects_are_counted_as_pending_deletion_only() {
    let with = |id: u64, member: &str, date: &str| json!({ "id": id, "name": "Gait", "isPublic": true, "hasPublicVersion": true, "lastModified": "2026-10-30T00:00:00Z", member: date });
    let mut projects = vec![with(1, "created", "2026-10-01T00:00:00Z")];
    for (id, member) in [(2, "deletedDate"), (3, "fullDeletionDate"), (4, "scheduledFullDeletionDate")] {
        projects.push(with(id, member, "2026-12-01T00:00:00Z"));
    }
    let metrics = scrape(&information(&json!({ "id": 1, "projects": projects }))).await;
    let of = |name: &str| metrics.values(&format!("edgeimpulse_organization_{name}"), &[]);
    assert_eq!(of("projects_pending_deletion"), [3.0]);
    assert_eq!((of("projects"), of("projects_published")), (vec![0.0, 1.0], vec![1.0]));
    assert_eq!(of("projects_modified"), [0.0, 1.0, 1.0, 1.0]);
    assert_eq!(metrics.series("edgeimpulse_project_info", &[]).len(), 4);
    let scheduled = metrics.series("edgeimpulse_project_scheduled_deletion_timestamp_seconds", &[]);
    assert_eq!((scheduled.len(), scheduled[0].value), (1, 1_796_083_200.0));

    projects.push(with(5, "deletedDate", "odd"));
    let metrics = scrape(&information(&json!({ "id": 1, "projects": projects }))).await;
    for name in ["projects_pending_deletion", "projects", "projects_published", "projects_modified"] {
        let samples = metrics.values(&format!("edgeimpulse_organization_{name}"), &[]);
        assert!(samples.is_empty(), "{name} would be wrong: {samples:?}");
    }
}

#[tokio::test]
async fn a_trial_is_running_until_it_expires_or_is_upgraded() {
    let date = "2026-10-01T00:00:00Z";
    for (organization, trial) in [
        (json!({ "trialId": 5 }), Some(1.0)),
        (json!({ "trialId": 5.5 }), Some(1.0)),
        (json!({ "trialId": 5, "trialExpiredDate": null, "trialUpgradedDate": null }), Some(1.0)),
        (json!({ "trialId": 5, "trialExpiredDate": date }), Some(0.0)),
        (json!({ "trialId": 5, "trialUpgradedDate": date }), Some(0.0)),
        (json!({ "trialId": 5, "trialUpgradedDate": "odd" }), None),
        (json!({ "trialId": null }), Some(0.0)),
        (json!({ "trialId": "odd" }), None),
        (json!({}), None),
    ] {
        let metrics = scrape(&information(&organization)).await;
        assert_eq!(metrics.value("edgeimpulse_organization_trial", &[]), trial, "{organization}");
    }
}

#[tokio::test]
async fn clinical_datasets_have_the_results_of_their_checklists() {
    let metrics = scrape(&json!({
        "success": true,
        "organization": { "id": 1 },
        "datasets": [{ "dataset": "ecg", "type": "clinical", "totalItemCount": 10,
            "totalItemCountChecklistOK": 6, "totalItemCountChecklistFailed": 1 }],
    }))
    .await;
    let items = |result| metrics.value("edgeimpulse_dataset_checklist_items", &[("result", result)]);
    assert_eq!((items("ok"), items("failed"), items("unchecked")), (Some(6.0), Some(1.0), Some(3.0)));
}

#[tokio::test]
async fn units_that_the_api_does_not_state_can_be_set() {
    let api = FakeApi::with_samples("typical").await;
    let of_all = ["--api.compute-time-unit=minutes", "--api.memory-unit=mebibytes"];
    let of_totals = ["--api.compute-time-total-unit=minutes", "--api.memory-unit=mebibytes"];
    for (options, unit_of_cpu) in [(of_all, 60.0), (of_totals, 1.0)] {
        let metrics = Running::with_key(&api, &options).await.scrape().await;
        let of = |name: &str| {
            metrics.value(&format!("edgeimpulse_organization_{name}"), &[("organization_id", "1")])
        };
        assert_eq!(of("compute_time_lifetime_seconds"), Some(152_918.345_293_701_5 * 60.0));
        assert_eq!(of("cpu_compute_time_used_seconds"), Some(69_394.981_229_905_23 * unit_of_cpu));
        assert_eq!(of("default_job_memory_limit_bytes"), Some(8_589_934_592.0 * 1_048_576.0));
    }
}

#[tokio::test]
async fn compute_times_in_different_units_are_noticed_unless_the_options_say_so() {
    let of_totals = "--api.compute-time-total-unit=minutes";
    for (cpu, gpu, total, options, mismatch) in [
        // The total in minutes, as the API's document says.
        (7200.0, 1800.0, json!(150), vec![], Some(1.0)),
        (7200.0, 1800.0, json!(150), vec![of_totals], Some(0.0)),
        // All in seconds, with GPU time weighted or not.
        (7200.0, 1800.0, json!(9000), vec![], Some(0.0)),
        (0.0, 1800.0, json!(5400), vec![], Some(0.0)),
        (7200.0, 1800.0, json!(9000), vec![of_totals], Some(1.0)),
        (7200.0, 1800.0, json!(9000), vec!["--api.compute-time-unit=minutes"], Some(0.0)),
        // CPU and GPU in minutes.
        (120.0, 30.0, json!(9000), vec![], Some(1.0)),
        // Nothing tells.
        (0.0, 0.0, json!(0), vec![], None),
        (0.0, 0.0, json!(9000), vec![], None),
        (7200.0, 1800.0, Value::Null, vec![], None),
    ] {
        let api = FakeApi::with_organization(&information(&json!({ "id": 1 }))).await;
        let usage = json!({ "cpuComputeTimeCurrentContract": cpu, "gpuComputeTimeCurrentContract": gpu,
            "jobsComputeTimeCurrentYear": total });
        let usage = json!({ "success": true, "metrics": usage });
        api.answers("/api/organizations/1/metrics", &usage).await;
        let exporter = Running::with_key(&api, &options).await;
        let metrics = exporter.scrape().await;
        let account = [("account", "default")];
        let shown = metrics.value("edgeimpulse_exporter_compute_time_unit_mismatch", &account);
        assert_eq!(shown, mismatch, "{usage} {options:?}");
        let page = exporter.page("/").await;
        assert_eq!(page.contains("Compute time: usage contradicts itself"), mismatch == Some(1.0), "{usage}");
    }
}

#[tokio::test]
async fn compute_time_falls_back_to_the_combined_value() {
    let api = FakeApi::with_organization(&information(&json!({ "id": 1 }))).await;
    let usage = json!({ "success": true, "metrics": { "jobsComputeTimeCurrentYear": 12.5, "cpuComputeTimeCurrentContract": 10 } });
    api.answers("/api/organizations/1/metrics", &usage).await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    assert_eq!(metrics.value("edgeimpulse_organization_compute_time_used_seconds", &[]), Some(12.5));
    assert_eq!(metrics.value("edgeimpulse_organization_cpu_compute_time_used_seconds", &[]), Some(10.0));
}

#[tokio::test]
async fn usage_is_requested_as_entitlements_count_it_by_default() {
    let api = FakeApi::with_samples("typical").await;
    Running::with_key(&api, &[]).await.scrape().await;
    let query = api.requests("/api/organizations/1/metrics").await[0].url.query().map(str::to_owned);
    assert_eq!(query.as_deref(), Some("excludeEdgeImpulseUsers=true&projectVisibility=private"));
    let options = ["--no-usage.exclude-edge-impulse-users", "--usage.project-visibility=any"];
    Running::with_key(&api, &options).await.scrape().await;
    assert_eq!(api.requests("/api/organizations/1/metrics").await[1].url.query(), None);
}
