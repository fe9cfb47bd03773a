//! `history`: daily records as OpenMetrics for promtool.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use edgeimpulse_exporter::demo::{self, Demo, world};
use edgeimpulse_exporter::model::Clock;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::deploy::prometheus::Prometheus;
use crate::support::peers::{PROMETHEUS, Release};
use crate::support::program::Ended;
use crate::support::running::{JWT, KEY};
use crate::support::{Exposition, FakeApi, Program, Running, file};

const LIST: &str = "/api/organizations/7/whitelabel/organizations";

/// Returns the path of a directory that does not exist.
fn directory() -> String {
    file("history", "") + ".d"
}

fn inner(id: u64) -> String {
    format!("{LIST}/{id}")
}

fn record(date: &str, storage: u64) -> Value {
    json!({
        "date": date,
        "totalUsers": 9,
        "totalStaffUsers": 2,
        "totalProjects": 4,
        "totalCurrentContractCpuComputeTimeSeconds": 100,
        "totalCurrentContractGpuComputeTimeSeconds": 10,
        "totalCurrentContractComputeTimeSeconds": 130,
        "computeTimeCalculatedSince": "2020-01-01T00:00:00Z",
        "totalStorageSizeBytes": storage,
    })
}

/// Returns an API whose white label has the organizations 31, 32 and 33, with three records of two days each.
async fn api() -> FakeApi {
    let api = FakeApi::start().await;
    let whitelabels = json!([{ "id": 70, "ownerOrganizationId": 7, "isAdmin": true }]);
    let user = json!({ "success": true, "id": 1, "organizations": [], "whitelabels": whitelabels });
    api.answers("/api/user", &user).await;
    let listed: Vec<_> = (31..=33).map(|id| json!({ "id": id, "privateProjectCount": 4 })).collect();
    api.answers(LIST, &json!({ "success": true, "organizations": listed, "total": 3 })).await;
    for id in 31..=33 {
        let records = json!([
            record("2020-05-02T00:00:00Z", 20),
            record("2020-05-01T00:00:00Z", 10),
            record("2020-05-02T06:00:00Z", 30 + id),
        ]);
        api.answers(&inner(id), &json!({ "success": true, "totalStorage": 1, "dailyMetrics": records })).await;
    }
    api
}

/// Runs `history` with a JWT until it ends with that exit code.
async fn history(url: &str, output: &str, options: &[&str], code: i32) -> Ended {
    let arguments = [&["history", "--api.url", url, "--output", output], options].concat();
    Program::ends(&arguments, &[("EDGEIMPULSE_JWT", JWT)], code).await
}

fn files(output: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(output).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries.map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

#[tokio::test]
async fn each_organization_has_a_file_with_a_sample_per_day_at_its_end() {
    let (api, output) = (api().await, directory());
    let ended = history(&api.url(), &output, &["--label=instance=a\"b"], 0).await;
    assert_eq!(ended.stdout, format!("{output}: 3 written, 0 existing, 0 without records, 0 failed\n"));
    assert_eq!(ended.stderr, "", "no progress bar without a terminal");
    let files = files(&output);
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["organization-31.om", "organization-32.om", "organization-33.om"]
    );
    insta::assert_snapshot!("history_of_an_organization", files["organization-31.om"]);
}

#[tokio::test]
async fn names_and_labels_are_those_of_the_live_series() {
    let (api, output) = (api().await, directory());
    history(&api.url(), &output, &["--label=job="], 0).await;
    let live = Running::with_jwt(&api, &[]).await.scrape_open_metrics().await;
    let series = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    let past: BTreeSet<_> = files(&output)
        .values()
        .flat_map(|text| text.lines())
        .filter(|line| !line.starts_with('#'))
        .map(series)
        .collect();
    assert_eq!(past.len(), 3 * 7);
    let live: BTreeSet<_> = live.text.lines().map(series).collect();
    let unknown: Vec<_> = past.difference(&live).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test]
async fn a_failure_costs_its_organization_and_the_next_run_requests_only_that() {
    let (api, output) = (api().await, directory());
    api.refuses(&inner(32), 500, "out of order").await;
    let ended = history(&api.url(), &output, &[], 1).await;
    assert_eq!(ended.stdout, format!("{output}: 2 written, 0 existing, 0 without records, 1 failed\n"));
    assert!(ended.stderr.contains("organization 32: API server error (HTTP 500): out of order"), "{ended:?}");
    assert_eq!(files(&output).len(), 2);

    api.answers(&inner(32), &json!({ "success": true, "dailyMetrics": [record("2020-05-01T00:00:00Z", 1)] }))
        .await;
    let ended = history(&api.url(), &output, &[], 0).await;
    assert_eq!(ended.stdout, format!("{output}: 1 written, 2 existing, 0 without records, 0 failed\n"));
    for (id, requests) in [(31, 1), (32, 2), (33, 1)] {
        assert_eq!(api.requests(&inner(id)).await.len(), requests, "{id}");
    }
}

#[tokio::test]
async fn an_unfinished_file_counts_as_none() {
    let (api, output) = (api().await, directory());
    std::fs::create_dir(&output).unwrap();
    std::fs::write(format!("{output}/organization-31.part"), "# HELP half").unwrap();
    history(&api.url(), &output, &[], 0).await;
    let files = files(&output);
    assert_eq!(files.len(), 3);
    assert!(files.values().all(|text| text.ends_with("# EOF\n")));
}

#[tokio::test]
async fn only_the_selected_organizations_are_requested() {
    let (api, output) = (api().await, directory());
    let ended = history(&api.url(), &output, &["--organization-id=33,99"], 1).await;
    assert!(ended.stderr.contains("organization 99: not found in any white label"), "{ended:?}");
    assert_eq!(files(&output).into_keys().collect::<Vec<_>>(), ["organization-33.om"]);
    assert!(api.requests(&inner(31)).await.is_empty());
}

#[tokio::test]
async fn no_sample_is_later_than_until() {
    let (api, output) = (api().await, directory());
    history(&api.url(), &output, &["--until=2020-05-02T23:59:59Z"], 0).await;
    let text = &files(&output)["organization-31.om"];
    assert!(text.contains("} 10 1588377600.000") && !text.contains("1588464000"), "{text}");

    let output = directory();
    let ended = history(&api.url(), &output, &["--until=2020-05-01T00:00:00Z"], 0).await;
    assert_eq!(ended.stdout, format!("{output}: 0 written, 0 existing, 3 without records, 0 failed\n"));
}

#[tokio::test]
async fn retry_after_is_waited_for_and_the_call_is_made_again() {
    let (api, output) = (api().await, directory());
    let refused = std::sync::atomic::AtomicBool::new(false);
    let answer = json!({ "success": true, "dailyMetrics": [record("2020-05-01T00:00:00Z", 1)] });
    api.responds(&inner(32), move |_: &Request| {
        if refused.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return ResponseTemplate::new(200).set_body_json(&answer);
        }
        ResponseTemplate::new(429).insert_header("Retry-After", "1")
    })
    .await;
    let began = std::time::Instant::now();
    history(&api.url(), &output, &["--api.concurrency=1"], 0).await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(files(&output).len(), 3);
    assert_eq!(api.requests(&inner(32)).await.len(), 2);
}

#[tokio::test]
async fn what_cannot_work_says_what_to_do() {
    let (api, output) = (api().await, directory());
    for (option, hint) in [
        ("--label=job", "expected NAME=VALUE"),
        ("--label=0a=b", "letters, digits and _"),
        ("--label=organization_id=7", "organization_id is a label of the metrics or reserved"),
        ("--label=__name__=a", "__name__ is a label of the metrics or reserved"),
        ("--until=yesterday", "2026-10-30T12:00:00Z"),
    ] {
        let ended = history(&api.url(), &output, &[option], 2).await;
        assert!(ended.stderr.contains(hint), "{option}: {ended:?}");
    }
    api.answers("/api/user", &json!({ "success": true, "id": 1, "organizations": [] })).await;
    let ended = history(&api.url(), &output, &[], 1).await;
    assert!(ended.stderr.contains("--whitelabel.organization-id"), "{ended:?}");
    api.refuses("/api/user", 502, "").await;
    let ended = history(&api.url(), &output, &[], 1).await;
    assert!(ended.stderr.contains("account default: cannot read the lists of organizations"), "{ended:?}");
    // A directory that is a file.
    let ended = history(&api.url(), &file("taken", ""), &[], 1).await;
    assert!(ended.stderr.contains("cannot write"), "{ended:?}");
}

#[tokio::test]
async fn an_api_key_needs_the_owner_and_reads_users_too() {
    let (api, output) = (api().await, directory());
    api.lists(&[7]).await;
    let user =
        json!({ "dailyMetrics": [record("2020-05-01T00:00:00Z", 5)], "organizations": [], "tier": "free" });
    api.answers("/api/organizations/7/whitelabel/users/2", &json!({ "success": true, "user": user })).await;
    let url = api.url();
    let arguments = [
        "history",
        "--api.url",
        &url,
        "--output",
        &output,
        "--whitelabel.organization-id=7",
        "--organization-id=31",
        "--whitelabel.user-id=2",
    ];
    Program::ends(&arguments, &[("EDGEIMPULSE_API_KEY", KEY)], 0).await;
    let files = files(&output);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["organization-31.om", "user-2.om"]);
    let samples = Exposition::of_open_metrics(&files["user-2.om"].replace(" 1588377600.000", ""));
    let user = [("job", "edgeimpulse"), ("user_id", "2")];
    assert_eq!(samples.value("edgeimpulse_user_storage_used_bytes", &user), Some(5.0));
    assert_eq!(samples.samples.len(), 5, "no tier, which records do not have: {}", samples.text);
}

#[tokio::test]
async fn the_page_names_the_metrics_that_have_history() {
    let page = crate::support::repository::read("docs/history.md");
    let named: BTreeSet<_> = page.split('`').filter(|word| word.starts_with("edgeimpulse_")).collect();
    let sections = edgeimpulse_exporter::metrics::catalogue::sections();
    let metrics = sections.iter().flat_map(|section| &section.metrics).filter(|metric| metric.has_past);
    assert_eq!(named, metrics.map(|metric| metric.name).collect());
}

/// Runs the commands of docs/history.md against the demo, and returns the directory of the blocks.
async fn run_the_page(api: &Demo, instance: &str, release: &Release) -> String {
    let page = crate::support::repository::read("docs/history.md");
    let commands: Vec<_> =
        page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert_eq!(commands.len(), 2, "write, and make blocks");
    let folder = directory();
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(format!("{folder}/jwt.txt"), api.world.jwt()).unwrap();
    let script = commands.concat().replace("promtool ", &format!("{} ", release.program("promtool")));
    let script = script.replace("exporter.example:10101", instance).replace(
        "edgeimpulse-exporter history",
        &format!(
            "{} history --whitelabel.user-id={}",
            env!("CARGO_BIN_EXE_edgeimpulse-exporter"),
            world::WHITELABEL_USER
        ),
    );
    let mut shell = tokio::process::Command::new("bash");
    shell.args(["-euc", &script]).current_dir(&folder).env("EDGEIMPULSE_API_URL", api.url());
    let output = shell.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    format!("{folder}/data")
}

#[tokio::test]
#[ignore = "needs prometheus (Debian: prometheus)"]
async fn prometheus_sees_the_year_which_joins_the_live_series_without_a_gap_or_a_double() {
    for release in PROMETHEUS.releases() {
        let _tested = release.tested("a year of `history`, joined by live series");
        check_a_year(&release).await;
    }
}

async fn check_a_year(release: &Release) {
    let clock = Clock::System;
    let api = demo::start(clock.clone()).await.unwrap();
    let user = format!("--whitelabel.user-id={}", world::WHITELABEL_USER);
    let live =
        Running::with_file(&api.url(), &["--api.jwt-file", &file("jwt", &api.world.jwt())], clock, &[&user])
            .await;
    let instance = format!("127.0.0.1:{}", live.address.port());
    let data = run_the_page(&api, &instance, release).await;
    let configuration = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs:\n- job_name: edgeimpulse\n  static_configs: [{{targets: ['{instance}']}}]\n"
    );
    let prometheus = Prometheus::start_release(release, &configuration, &data).await;
    let now = Clock::System.now();
    let mut organizations = api.world.portfolio();
    let is_old = |id: &u64| {
        api.world.organization(*id, now).is_some_and(|tenant| tenant.created < now - 366.0 * world::DAY)
    };
    let organization = organizations.find(is_old).unwrap();
    for series in [
        format!("edgeimpulse_organization_storage_used_bytes{{organization_id=\"{organization}\"}}"),
        format!("edgeimpulse_organization_compute_time_used_seconds{{organization_id=\"{organization}\"}}"),
        format!("edgeimpulse_user_storage_used_bytes{{user_id=\"{}\"}}", world::WHITELABEL_USER),
    ] {
        prometheus.sees(&series).await;
        let past = format!("count_over_time({series}[366d] offset 3h)");
        let days = prometheus.query(&past).await;
        assert_eq!(days.len(), 1, "one series, past and live: {series}");
        assert!((364.0..=365.0).contains(&days[0].1), "{series}: {days:?}");
        let seen = prometheus.query(&format!("last_over_time({series}[25h] offset 200d)")).await;
        assert_eq!(seen.len(), 1, "a day is seen through last_over_time");

        let raw = prometheus.ask("query", &[("query", &format!("{series}[366d]"))]).await;
        let values = raw["result"][0]["values"].as_array().unwrap();
        let times: Vec<_> = values.iter().map(|sample| sample[0].as_f64().unwrap()).collect();
        assert!(times.windows(2).all(|two| two[0] < two[1]), "never two at one time");
        let longest = times.windows(2).map(|two| two[1] - two[0]).fold(0.0, f64::max);
        // In the first hours of a day its beginning is too young to be written.
        let is_early = Clock::System.now() % 86_400.0 < 3.0 * 3600.0 + 60.0;
        assert!(longest <= if is_early { 27.1 } else { 25.0 } * 3600.0, "{series}: {longest}");
    }
    prometheus.stop().await;
}
