//! The demo: a simulated API that conforms to the API's specification, and an exporter that reads it.

use std::collections::BTreeSet;

use clap::Parser;
use edgeimpulse_exporter::cli::arguments::{Command, CommandLine};
use edgeimpulse_exporter::demo::{
    self, Demo,
    world::{ORGANIZATIONS, Organization, World},
};
use edgeimpulse_exporter::model::Clock;
use edgeimpulse_exporter::model::Collector;
use serde_json::{Value, json};

use crate::support::running::NOW;
use crate::support::{Exposition, Program, Running, data, file};

async fn get(demo: &Demo, path: &str, header: (&str, &str)) -> (u16, Value) {
    let request = crate::support::client().get(format!("{}{path}", demo.url())).header(header.0, header.1);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

/// Converts `nullable` of OpenAPI 3.0 to JSON Schema.
fn to_json_schema(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(to_json_schema);
            if object.remove("nullable") == Some(json!(true)) {
                let schema = Value::Object(std::mem::take(object));
                object.insert("anyOf".to_owned(), json!([schema, { "type": "null" }]));
            }
        }
        Value::Array(array) => array.iter_mut().for_each(to_json_schema),
        _ => {}
    }
}

fn schema_of(path: &str) -> jsonschema::Validator {
    let mut document: Value = serde_json::from_str(&data("openapi.json")).unwrap();
    to_json_schema(&mut document);
    let mut schema =
        document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"].take();
    assert!(schema.is_object(), "{path} is in the specification");
    schema["components"] = document["components"].take();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

#[tokio::test]
async fn every_answer_is_valid_by_the_vendors_document() {
    let demo = demo::start(Clock::Fixed(NOW)).await.unwrap();
    let jwt = demo.world.jwt();
    for collector in Collector::ALL {
        let endpoint = collector.endpoint();
        let schema = schema_of(endpoint);
        let organizations: Vec<_> = match collector {
            Collector::Organization | Collector::ApiKeys => demo.world.ids().collect(),
            // The API refuses usage and buckets of a developer profile.
            Collector::Usage | Collector::Buckets => demo.world.ids().filter(|id| *id != 1011).collect(),
            Collector::WhitelabelOrganization => demo.world.portfolio().collect(),
            _ => vec![1007],
        };
        let (user, query) = match collector {
            Collector::User => ("", "?excludeProjects=true"),
            Collector::UserOrganizations => ("502", ""),
            Collector::Trials => ("501", ""),
            Collector::WhitelabelUser => ("601", ""),
            Collector::WhitelabelOrganizations => ("", "?limit=2&offset=1"),
            Collector::WhitelabelUsers => ("", "?limit=3&tier=free"),
            Collector::WhitelabelActivity => ("", "?limit=3&active=7"),
            Collector::FinishedJobs => ("", "?finished=all&startDate=2026-10-30T00:00:00Z&limit=5"),
            _ => ("", ""),
        };
        for id in organizations.iter().map(u64::to_string) {
            let path = endpoint.replace("{innerOrganizationId}", &id);
            let owner = if collector == Collector::WhitelabelOrganization { "1007" } else { &id };
            let path = path.replace("{organizationId}", owner).replace("{userId}", user) + query;
            let (status, answer) = get(&demo, &path, ("x-jwt-token", &jwt)).await;
            assert_eq!((status, &answer["success"]), (200, &json!(true)), "{path}");
            let errors = schema.iter_errors(&answer);
            let errors: Vec<_> = errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{path}: {errors:#?}");
        }
    }
}

#[tokio::test]
async fn the_schema_check_accepts_samples_and_refuses_a_wrong_type() {
    let validator = schema_of("/api/organizations/{organizationId}");
    let mut sample: Value = serde_json::from_str(&data("typical/organization-1.json")).unwrap();
    assert!(validator.is_valid(&sample));
    sample["organization"]["users"][0]["role"] = json!(5);
    assert!(!validator.is_valid(&sample), "a wrong type is refused");
}

#[tokio::test]
async fn wrong_credentials_are_refused() {
    let demo = demo::start(Clock::Fixed(NOW)).await.unwrap();
    for header in [("x-api-key", "ei_wrong"), ("x-jwt-token", "a.b.c"), ("x-nothing", "")] {
        let (status, answer) = get(&demo, "/api/organizations", header).await;
        assert_eq!((status, &answer["success"]), (401, &json!(false)), "{header:?}");
    }
    let (key, jwt) = (("x-api-key", &*World::api_key(1002)), ("x-jwt-token", &*demo.world.jwt()));
    for (header, path, status) in [
        (key, "/api/organizations/1002", 200),
        (key, "/api/organizations/1003", 403),
        (key, "/api/user", 403),
        // The organization of the key owns no white label.
        (key, "/api/organizations/1002/whitelabel", 403),
        // Only the white label has access to this organization.
        (jwt, "/api/organizations/2001", 403),
        (jwt, "/api/organizations/1007/whitelabel/organizations/1002", 404),
        (jwt, "/api/organizations/1007/whitelabel/users?tier=gold", 400),
    ] {
        assert_eq!(get(&demo, path, header).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn a_portfolio_of_any_size_is_listed_in_pages() {
    let world = World::starting(NOW).with_organizations(2000);
    let demo = demo::start_in(world, Clock::Fixed(NOW)).await.unwrap();
    let jwt = demo.world.jwt();
    let list = async |query: &str| {
        let path = format!("/api/organizations/1007/whitelabel/organizations{query}");
        let (status, answer) = get(&demo, &path, ("x-jwt-token", &jwt)).await;
        assert_eq!(
            (status, &answer["total"]),
            (200, &json!(1990)),
            "2,000 less the ten that do not belong to the white label"
        );
        let organizations = answer["organizations"].as_array().unwrap().clone();
        organizations.iter().map(|organization| organization["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let first = list("").await;
    assert_eq!((first.len(), first[0], first[1]), (100, 1007, 2001));
    assert_eq!(list("?limit=5000&offset=100").await.len(), 100, "no page is longer");
    assert_eq!(list("?limit=3&offset=1988").await, [3988, 3989]);
    assert!(list("?offset=1990").await.is_empty());
    let (_, users) =
        get(&demo, "/api/organizations/1007/whitelabel/users?limit=1&active=7", ("x-jwt-token", &jwt)).await;
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    assert!(users["total"].as_u64().unwrap() > 1000);
}

#[test]
fn organizations_of_the_portfolio_differ_and_only_grow() {
    let world = World::starting(NOW).with_organizations(2000);
    let at = |days: f64| {
        let tenants =
            world.portfolio().skip(1).map(|id| world.organization(id, NOW + days * 86_400.0).unwrap());
        tenants.collect::<Vec<_>>()
    };
    let now = at(0.0);
    let share = |used: f64, limit: Option<f64>| limit.map_or(0.0, |limit| used / limit);
    let storage: Vec<_> = now.iter().map(|tenant| share(tenant.storage, tenant.limits.storage)).collect();
    let near = storage.iter().filter(|share| (0.85..1.0).contains(*share)).count();
    assert!((50..200).contains(&near), "{near} are nearly full");
    let over =
        |tenant: &&Organization| tenant.limits.projects.is_some_and(|limit| tenant.private_projects > limit);
    let over = now.iter().filter(over).count();
    assert!((20..100).contains(&over), "{over} are over a limit");
    assert!(now.iter().any(|tenant| tenant.limits.storage.is_none()), "some have no limits");
    let later = at(7.0);
    let pairs = || now.iter().zip(&later);
    assert!(pairs().all(|(now, later)| now.storage <= later.storage && now.cpu <= later.cpu));
    let inactive = pairs().filter(|(now, later)| now.storage == later.storage && now.cpu == later.cpu).count();
    assert!((100..300).contains(&inactive), "{inactive} are inactive");
    let past = at(-60.0);
    assert!(past.iter().all(|tenant| tenant.storage >= 0.0 && tenant.cpu >= 0.0 && tenant.gpu >= 0.0));
    let names: BTreeSet<_> = now.iter().map(|tenant| &tenant.name).collect();
    assert_eq!(names.len(), now.len());
    for tenant in &now[..3] {
        let (storage, compute) = (share(tenant.storage, tenant.limits.storage), tenant.cpu + tenant.gpu);
        let compute = share(compute, tenant.limits.compute);
        assert!(storage < 0.8 && compute < 0.8, "the default tenants are below their limits: {tenant:?}");
    }
}

/// Options that switch on what is off by default.
const OFF_BY_DEFAULT: [&str; 3] =
    ["--collector.projects", "--collector.finished_jobs", "--collector.transformation_jobs"];

async fn scrape_at(now: f64) -> Exposition {
    let demo = demo::start(Clock::Fixed(now)).await.unwrap();
    Running::of_demo(&demo, &OFF_BY_DEFAULT).await.scrape_open_metrics().await
}

#[tokio::test]
async fn every_organization_shows_its_scenario() {
    let metrics = scrape_at(NOW).await;
    let of = |id: &str, name: &str| {
        metrics.value(&format!("edgeimpulse_organization_{name}"), &[("organization_id", id)])
    };
    let share = |id, used, limit| of(id, used).unwrap() / of(id, limit).unwrap();
    assert!(metrics.series("edgeimpulse_organization_info", &[]).len() >= 8);
    assert!(share("1002", "storage_used_bytes", "storage_limit_bytes") > 0.85, "storage is nearly full");
    let of_year = (NOW - of("1003", "contract_start_timestamp_seconds").unwrap()) / (365.0 * 86_400.0);
    let of_compute = share("1003", "compute_time_used_seconds", "compute_time_limit_seconds");
    assert!(of_compute / of_year > 1.3, "compute time is used too fast");
    assert!(share("1004", "projects_used", "projects_limit") > 1.0, "too many projects");
    assert_eq!(of("1004", "users_used"), of("1004", "users_limit"), "as many users as the limit");
    let limited =
        metrics.values("edgeimpulse_organization_entitlement_limited", &[("organization_id", "1005")]);
    assert_eq!(limited, [0.0; 5], "no limits at all");
    let ends = [("organization_id", "1006")];
    let ends = metrics.value("edgeimpulse_trial_scheduled_expiration_timestamp_seconds", &ends).unwrap();
    assert!((1.0..7.0).contains(&((ends - NOW) / 86_400.0)), "a trial ends in days");
    let expired = of("1008", "trial_expired_timestamp_seconds").unwrap();
    assert!((1.0..23.0).contains(&((NOW - expired) / 86_400.0)), "a trial expired less than 30 days ago");
    let white_label = metrics.series("edgeimpulse_organization_info", &[("whitelabel_id", "7")]);
    assert_eq!(white_label.len(), 4, "its owner, and three that only the white label can access");
    assert!(of("2001", "storage_used_bytes") > Some(0.0), "their usage is read");
    let inactive = (NOW - of("1009", "last_access_timestamp_seconds").unwrap()) / 86_400.0;
    assert!(inactive > 90.0, "no activity for {inactive} days");
    let hostile = [("organization_name", "Ünïcode \"Sensing\" \\ Labs\n株式会社 🛰")];
    assert_eq!(metrics.series("edgeimpulse_organization_info", &hostile).len(), 1);
    assert!(share("1001", "storage_used_bytes", "storage_limit_bytes") < 0.6, "one is fine");
    let failed = metrics.series("edgeimpulse_dataset_checklist_items", &[("result", "failed")]);
    assert!(failed.iter().any(|sample| sample.value > 0.0));
    assert_eq!(metrics.values("edgeimpulse_bucket_connected", &[("organization_id", "1002")]), [1.0, 0.0]);
    let jobs = |state| metrics.value("edgeimpulse_organization_jobs", &[("organization_id", "1003"), state]);
    assert!(jobs(("state", "queued")) > Some(2.0) && jobs(("state", "running")) == Some(0.0), "nothing starts");
    let waiting = NOW - of("1003", "oldest_queued_job_created_timestamp_seconds").unwrap();
    assert!(waiting > 3.0 * 3600.0, "{waiting} s");
    let running = NOW - of("1001", "oldest_running_job_started_timestamp_seconds").unwrap();
    let of_limit = running / of("1001", "job_time_limit_seconds").unwrap();
    assert!((0.9..1.0).contains(&of_limit), "a job is near its time limit");
    let failed = metrics.series("edgeimpulse_pipeline_last_run_failed", &[]);
    let failed: Vec<_> = failed.iter().filter(|sample| sample.value == 1.0).collect();
    assert_eq!(failed.len(), 1, "one pipeline failed");
    let finished = [("pipeline_id", &*failed[0].labels["pipeline_id"])];
    let finished = metrics.value("edgeimpulse_pipeline_last_run_finished_timestamp_seconds", &finished);
    assert!(finished.unwrap() > NOW - 86_400.0, "last night");
    let next = metrics.values("edgeimpulse_pipeline_next_run_timestamp_seconds", &[]);
    assert_eq!(next.iter().filter(|next| **next < NOW - 86_400.0).count(), 1, "one is overdue: {next:?}");
    let expiries = metrics.values("edgeimpulse_api_key_expiry_timestamp_seconds", &[]);
    let in_days = expiries.iter().filter(|at| (0.0..14.0).contains(&((*at - NOW) / 86_400.0))).count();
    assert!((1..expiries.len()).contains(&in_days), "a key expires in days: {expiries:?}");
    assert!(metrics.values("edgeimpulse_organization_api_keys_unused", &[("window", "90d")]).contains(&1.0));
    let plan = |name: &str| metrics.value(&format!("edgeimpulse_user_plan_{name}_seconds"), &[]).unwrap();
    assert!(
        (0.9..1.0).contains(&(plan("compute_time_used") / plan("compute_time_limit"))),
        "a plan is nearly used up"
    );
    assert!((1.0..7.0).contains(&((plan("reset_timestamp") - NOW) / 86_400.0)), "it is reset in days");
    let active = metrics.values("edgeimpulse_whitelabel_organizations_active", &[]);
    assert!(active.is_sorted() && active.last() > Some(&0.0), "the white label is active: {active:?}");
    let usage = [("collector", "usage"), ("organization_id", "1011")];
    assert_eq!(metrics.value("edgeimpulse_scrape_collector_supported", &usage), Some(0.0));
    let failures = metrics.series("edgeimpulse_exporter_api_errors_total", &[]);
    assert!(failures.iter().all(|sample| sample.value == 0.0), "no call fails");
}

#[tokio::test]
async fn the_world_is_the_same_at_the_same_time_and_moves_with_the_clock() {
    let (first, second) = (scrape_at(NOW).await, scrape_at(NOW).await);
    assert_eq!(first.stable_text(), second.stable_text());
    let world = World::starting(NOW);
    let storage = |days: f64| world.organization(1002, NOW + days * 86_400.0).unwrap().storage;
    let steps: Vec<_> = (-300..300).map(|step| storage(f64::from(step) / 10.0)).collect();
    assert!(steps.is_sorted_by(|before, after| before < after), "totals only grow");
}

#[tokio::test]
async fn every_metric_of_the_catalogue_is_in_the_demo_or_needs_what_the_demo_never_does() {
    let metrics = scrape_at(NOW).await;
    let absent = [
        "edgeimpulse_organization_deleted_timestamp_seconds",
        "edgeimpulse_trial_deleted_timestamp_seconds",
        "edgeimpulse_user_subscription_downgrade_timestamp_seconds",
        "edgeimpulse_user_subscription_termination_timestamp_seconds",
        "edgeimpulse_exporter_api_pause_end_timestamp_seconds",
        "edgeimpulse_exporter_decode_errors_total",
        "edgeimpulse_exporter_truncated_total",
    ];
    for section in edgeimpulse_exporter::metrics::catalogue::sections() {
        for metric in section.metrics {
            let family = metric.name.trim_end_matches("_total");
            let is_there = metrics.families.contains_key(family);
            assert_eq!(is_there, !absent.contains(&metric.name), "{}", metric.name);
        }
    }
}

#[tokio::test]
async fn a_demo_of_any_number_of_organizations_has_that_many_and_no_failure() {
    for count in [1, 6, 7, 11, 12, 30] {
        let world = World::starting(NOW).with_organizations(count);
        let demo = demo::start_in(world, Clock::Fixed(NOW)).await.unwrap();
        let command_line = CommandLine::try_parse_from(["edgeimpulse-exporter", "demo"]).unwrap();
        let Some(Command::Demo(options)) = command_line.command else { panic!("it is the demo") };
        let metrics = Running::serve(demo.exporter(options.common).unwrap()).await.scrape().await;
        assert_eq!(metrics.series("edgeimpulse_organization_info", &[]).len() as u64, count);
        let failures = metrics.series("edgeimpulse_exporter_api_errors_total", &[]);
        assert!(failures.iter().all(|sample| sample.value == 0.0), "{failures:?}");
    }
}

#[tokio::test]
async fn the_credentials_that_the_command_prints_work() {
    let mut program = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"], &[]);
    let value = |line: &str, name: &str| {
        let (_, value) = line.split_once(&format!("{name}=")).unwrap();
        value.split(' ').next().unwrap().to_owned()
    };
    let url = value(&program.prints("EDGEIMPULSE_API_URL").await, "EDGEIMPULSE_API_URL");
    let mut credentials = Vec::new();
    for (variable, command) in [("EDGEIMPULSE_API_KEY", "check"), ("EDGEIMPULSE_JWT", "scrape")] {
        let line = program.prints(variable).await;
        assert!(line.ends_with(&format!(" {command}")), "{line}");
        let credential = value(&line, variable);
        Program::ends(&[command], &[("EDGEIMPULSE_API_URL", &url), (variable, &credential)], 0).await;
        credentials.push(credential);
    }
    let line = program.prints("For several accounts").await;
    let (_, another) = line.split_once("another API key: ").unwrap();
    let accounts = "[{name: a, key_env: FIRST}, {name: b, key_env: SECOND}]";
    let two = file("two.yaml", &format!("api: {{url: {url}}}\naccounts: {accounts}\n"));
    let keys = [("FIRST", &*credentials[0]), ("SECOND", another)];
    let ended = Program::ends(&["scrape", "--config.file", &two], &keys, 0).await;
    let read = Exposition::of_prometheus_text(&ended.stdout);
    for account in ["a", "b"] {
        assert_eq!(read.value("edgeimpulse_up", &[("account", account)]), Some(1.0));
    }
    assert_eq!(read.series("edgeimpulse_organization_info", &[]).len(), 2, "one of each key");
    program.stop().await;
}

#[tokio::test]
async fn the_past_of_the_demo_has_dates_of_its_own_and_no_memory_of_the_process_that_writes_it() {
    let ended = Program::ends(&["demo", "--history=2h"], &[], 0).await;
    assert!(ended.stdout.contains("edgeimpulse_organization_storage_used_bytes{"));
    assert!(
        ended.stdout.contains("process_start_time_seconds{"),
        "the alert about an absent exporter needs it"
    );
    let is_memory = |line: &&str| {
        ["process_resident", "process_virtual_memory_bytes", "process_heap"]
            .iter()
            .any(|name| line.starts_with(name))
    };
    assert_eq!(ended.stdout.lines().find(is_memory), None);
    let is_unknown_date = |line: &&str| line.contains("_timestamp_seconds{") && line.contains("} 0 ");
    assert_eq!(ended.stdout.lines().find(is_unknown_date), None, "a panel would show it as 57 years ago");
}

#[tokio::test]
async fn the_command_prints_where_to_look_and_serves_there() {
    let mut program =
        Program::start(&["demo", "--web.listen-address=127.0.0.1:0"], &[("EDGEIMPULSE_API_KEY", "real")]);
    let line = program.prints("/metrics").await;
    let url = line.split_whitespace().next().unwrap();
    let metrics = Exposition::of_prometheus_text(&crate::support::get_text(url).await);
    assert_eq!(metrics.value("edgeimpulse_up", &[("account", "default")]), Some(1.0));
    assert_eq!(metrics.series("edgeimpulse_organization_info", &[]).len() as u64, ORGANIZATIONS);
    program.stop().await;
}
