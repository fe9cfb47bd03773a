//! Recordings: what they contain, what they must not contain, and what a replay exposes.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::fake::SAMPLES;
use crate::support::program::Ended;
use crate::support::repository::files_below;
use crate::support::running::{EVERYTHING, JWT};
use crate::support::{Exposition, FakeApi, Program, data, file, get_text};

/// Part of every text in the responses that must not be in the recording.
const CANARY: &str = "canary";

/// Replaces every text in a response by a text with the canary, except dates and values that decoding depends on. Equal
/// texts stay equal.
fn plant(json: &mut Value, member: &str, planted: &mut BTreeMap<String, usize>) {
    match json {
        Value::String(text) => {
            let is_word = matches!(
                (member, &**text),
                ("role", "admin" | "member" | "guest")
                    | ("tier", "free" | "community-plus" | "professional" | "enterprise")
                    | ("type", "clinical" | "files")
                    | ("status" | "transformJobStatus" | "uploadJobStatus", "finished" | "failed")
                    | ("transformJobStatus", "waiting" | "created" | "started")
            );
            let is_date = text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
            if !is_word && !is_date {
                let next = planted.len();
                let number = *planted.entry(text.clone()).or_insert(next);
                *text = match number % 4 {
                    0 => format!("{CANARY}.{number}@example.com"),
                    1 => format!("{CANARY}{number}"),
                    2 => format!("Ünal \"{CANARY}\" \\ {number}\n"),
                    _ => format!("https://example.com/{CANARY}?n={number}"),
                };
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| plant(element, member, planted)),
        Value::Object(members) => {
            members.iter_mut().for_each(|(name, value)| plant(value, name, planted));
        }
        _ => {}
    }
}

/// Returns an API with the canary in every text of its responses, and in field names that people could choose.
async fn planted() -> FakeApi {
    let api = FakeApi::start().await;
    let mut planted = BTreeMap::new();
    for (path, sample) in SAMPLES {
        let mut answer = serde_json::from_str(&data(&format!("typical/{sample}.json"))).unwrap();
        plant(&mut answer, "", &mut planted);
        let more = json!({
            "metadata": { CANARY: CANARY },
            "ownersByName": { format!("Jan{CANARY}"): { CANARY: 1 } },
            "parameters": [{ CANARY: 1 }],
            format!("{CANARY}@example.com"): { format!("a {CANARY}"): [CANARY] },
            "apiKeys": [{ JWT: JWT, "created": format!("2026-10-30T00:00:00Z[u-ca={CANARY}]") }],
        });
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        api.answers(path, &answer).await;
    }
    assert!(planted.len() > 50, "every text was found: {planted:?}");
    api
}

/// Returns the path of a directory that does not exist.
fn directory() -> String {
    file("recording", "") + ".d"
}

async fn record(api: &FakeApi, directory: &str) -> Ended {
    let url = api.url();
    let arguments = ["scrape", "--record", directory, "--api.url", &url, "--log.level=debug"];
    Program::start(&[&arguments[..], &EVERYTHING].concat(), &[("EDGEIMPULSE_JWT", JWT)]).end().await
}

/// Returns the samples about the API, with every name replaced by one word.
fn without_names(text: &str) -> Vec<String> {
    const NAMES: [&str; 8] = [
        "organization_name",
        "whitelabel_name",
        "project_name",
        "dataset",
        "bucket",
        "category",
        "experiment",
        "pipeline",
    ];
    let exposition = Exposition::of_prometheus_text(text);
    let is_stable = |name: &str| {
        let of_time = ["_collector_duration_seconds", "_collector_last_success_timestamp_seconds"];
        !name.starts_with("process_")
            && (!name.starts_with("edgeimpulse_exporter_")
                || name.contains("decode_errors")
                || name.contains("api_errors"))
            && !of_time.iter().any(|ending| name.ends_with(ending))
    };
    let mut samples: Vec<_> = exposition
        .samples
        .iter()
        .filter(|sample| is_stable(&sample.name))
        .map(|sample| {
            let labels = sample.labels.iter().map(|(name, value)| {
                let value = if NAMES.contains(&name.as_str()) { "a name" } else { value.as_str() };
                format!("{name}={value}")
            });
            format!("{}{{{}}} {}", sample.name, labels.collect::<Vec<_>>().join(","), sample.value)
        })
        .collect();
    samples.sort();
    samples
}

#[tokio::test]
async fn no_text_of_people_and_no_credential_is_in_a_recording() {
    let (api, directory) = (planted().await, directory());
    api.refuses("/api/users/2/trials", 403, &format!("{CANARY} has no access with {JWT}")).await;
    let page = ResponseTemplate::new(502).set_body_string(format!("<p>{CANARY}</p>"));
    api.responds("/api/organizations/2/metrics", page).await;
    let ended = record(&api, &directory).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains(CANARY), "the metrics are not redacted");
    assert!(ended.stderr.contains("redacted"), "{}", ended.stderr);
    let files = files_below(&directory);
    // One sample is a list of a user that is not requested.
    assert!(files.len() >= SAMPLES.len() - 1, "{files:?}");
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap() + &path.display().to_string();
        let found = text.find(CANARY).or_else(|| text.find(JWT)).or_else(|| text.find("Ünal"));
        let around = found.map(|at| text[at.saturating_sub(200)..].chars().take(300).collect::<String>());
        assert_eq!(around, None, "{}", path.display());
        assert!(!text.contains("example.com"), "{text}");
        let is_json = ["\"status\":200", "\"status\":40", "\"version\""].iter().any(|part| text.contains(part));
        let has_answer = text.contains("\"answer\":{") || path.ends_with("recording.json");
        assert_eq!(has_answer, is_json, "every response is recorded except the HTML page: {text}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_recording_is_its_owners_alone_and_never_mixed_with_another() {
    use std::os::unix::fs::PermissionsExt;
    let (api, directory) = (FakeApi::with_samples("typical").await, directory());
    record(&api, &directory).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(Path::new(&directory)), 0o700);
    assert_eq!(mode(&Path::new(&directory).join("account-1")), 0o700);
    for path in files_below(&directory) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let calls = api.calls().await;
    let again = record(&api, &directory).await;
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("the directory is not empty"), "{again:?}");
    assert_eq!(api.calls().await, calls, "no call was made");
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_that_is_refused_is_not_changed_and_no_link_is_followed() {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    let api = FakeApi::with_samples("typical").await;
    let (full, target, link) = (directory(), directory(), directory());
    for path in [&full, &target] {
        std::fs::create_dir(path).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    std::fs::write(format!("{full}/file"), "").unwrap();
    symlink(&target, &link).unwrap();
    let file = format!("{full}/file");
    let mut refused = vec![
        (full.clone(), "the directory is not empty: choose a new one"),
        (link.clone(), "it is a symbolic link: choose a new directory"),
        (format!("{link}/"), "it is a symbolic link: choose a new directory"),
        (file, "Not a directory"),
    ];
    let other = directory();
    std::fs::create_dir(&other).unwrap();
    std::fs::set_permissions(&other, PermissionsExt::from_mode(0o755)).unwrap();
    // Only root can give a directory away.
    if chown(&other, Some(54321), None).is_ok() {
        refused.push((other.clone(), "the directory belongs to another user: choose a new one"));
    }
    for (path, hint) in refused {
        let ended = record(&api, &path).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(hint), "{hint}: {ended:?}");
    }
    for path in [&full, &target, &other] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o755, "{path}");
    }
    assert_eq!(files_below(&target).len(), 0);
    assert_eq!(api.calls().await, 0);
}

#[tokio::test]
async fn a_replay_exposes_the_same_metrics_except_names() {
    for refused in [false, true] {
        let (api, directory) = (planted().await, directory());
        if refused {
            api.refuses("/api/organizations/1/metrics", 200, "You do not have permission, Jan").await;
            api.refuses("/api/organizations/2/metrics", 503, "").await;
            api.answers_text("/api/organizations/2", "<html>").await;
        }
        let live = record(&api, &directory).await;
        assert_eq!(live.code, Some(0), "{live:?}");
        let calls = api.calls().await;
        // Neither a credential nor a network.
        let replay = Program::ends(&["scrape", "--replay", &directory, "--collector.projects"], &[], 0).await;
        let (live, replay) = (without_names(&live.stdout), without_names(&replay.stdout));
        assert!(live.len() > 150, "{live:?}");
        let differ: Vec<_> = live.iter().zip(&replay).filter(|(live, replay)| live != replay).collect();
        assert!(differ.is_empty() && live.len() == replay.len(), "{differ:#?}");
        assert_eq!(api.calls().await, calls);
    }
}

#[tokio::test]
async fn pages_that_are_requested_by_date_are_found_in_a_replay_at_any_time() {
    let api = FakeApi::start().await;
    api.answers("/api/user", &json!({ "success": true, "id": 1, "organizations": [{ "id": 1 }] })).await;
    let now = jiff::Timestamp::now();
    api.responds("/api/organizations/1/jobs/all", move |request: &wiremock::Request| {
        let (_, offset) = request.url.query_pairs().find(|(name, _)| name == "offset").unwrap();
        let offset: u64 = offset.parse().unwrap();
        let job = |id| {
            json!({ "id": id, "categoryKey": format!("{CANARY}-1"), "key": CANARY, "finished": now.to_string(),
                "finishedSuccessful": id % 3 == 0, "createdByUser": { "name": CANARY, "id": 77_777 } })
        };
        let jobs: Vec<_> = (offset..(offset + 200).min(450)).map(job).collect();
        let page = json!({ "success": true, "jobs": jobs, "totalJobCount": 450 });
        ResponseTemplate::new(200).set_body_json(page)
    })
    .await;
    let directory = directory();
    assert_eq!(record(&api, &directory).await.code, Some(0));
    let file = |path: &String| std::fs::read_to_string(path).unwrap();
    // The time of the recording is the one of the replay: a date of another second is requested.
    let manifest = format!("{directory}/recording.json");
    let mut description: Value = serde_json::from_str(&file(&manifest)).unwrap();
    description["at"] = json!(description["at"].as_f64().unwrap() + 3.0);
    std::fs::write(&manifest, description.to_string()).unwrap();
    let replay = Program::ends(&["scrape", "--replay", &directory], &[], 0).await;
    let metrics = Exposition::of_prometheus_text(&replay.stdout);
    let by_result = metrics.values("edgeimpulse_organization_finished_jobs", &[]);
    assert_eq!(by_result, [150.0, 300.0], "the collector is on, as in the recording");
    let recorded: Vec<_> =
        files_below(&directory).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(recorded.iter().any(|text| text.contains("startDate")), "{}", recorded.len());
    assert!(!recorded.iter().any(|text| text.contains(CANARY) || text.contains("77777")));
}

#[tokio::test]
async fn a_replay_can_be_served_with_another_scope() {
    let (api, directory) = (planted().await, directory());
    record(&api, &directory).await;
    let arguments = ["--replay", &directory, "--web.listen-address=127.0.0.1:0", "--organization-id=2"];
    let mut program = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ignored")]);
    let address = program.address().await;
    let metrics = get_text(format!("http://{address}/metrics")).await;
    let metrics = Exposition::of_prometheus_text(&metrics);
    assert_eq!(metrics.value("edgeimpulse_up", &[("account", "default")]), Some(1.0));
    assert!(
        metrics.value("edgeimpulse_organization_storage_used_bytes", &[("organization_id", "2")]).is_some()
    );
    assert!(
        metrics.series("edgeimpulse_organization_storage_used_bytes", &[("organization_id", "1")]).is_empty()
    );
    program.stop().await;
}

#[tokio::test]
async fn accounts_of_a_file_are_recorded_apart_and_without_their_names() {
    let (one, directory) = (FakeApi::start().await, directory());
    one.lists_to("ei_one", &[1]).await;
    one.lists_to("ei_two", &[2]).await;
    let keys = ["ei_one", "ei_two"].map(|key| file("key", key));
    let configuration = format!(
        "api: {{url: '{}'}}\naccounts:\n- {{name: acme, key_file: '{}'}}\n- {{name: bolt, key_file: '{}'}}\n\
         collectors: {{disabled: [organization, usage]}}\n",
        one.url(),
        keys[0],
        keys[1]
    );
    let configuration = file("config.yaml", &configuration);
    let arguments = ["scrape", "--record", &directory, "--config.file", &configuration];
    Program::ends(&arguments, &[], 0).await;
    for path in files_below(&directory) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!["acme", "Org ", "bolt", "ei_"].iter().any(|name| text.contains(name)), "{text}");
    }
    let arguments = ["scrape", "--replay", &directory, "--api.concurrency=1"];
    let replay = Program::ends(&arguments, &[], 0).await;
    let replay = Exposition::of_prometheus_text(&replay.stdout);
    for (account, id) in [("account-1", "1"), ("account-2", "2")] {
        assert_eq!(replay.value("edgeimpulse_up", &[("account", account)]), Some(1.0));
        let info = replay.series("edgeimpulse_organization_info", &[("organization_id", id)]);
        assert_eq!(info.len(), 1, "{}", replay.text);
    }
}

#[tokio::test]
async fn what_is_no_recording_is_one_clear_line() {
    let (api, directory) = (FakeApi::with_samples("typical").await, directory());
    record(&api, &directory).await;
    let manifest = format!("{directory}/recording.json");
    let newer = std::fs::read_to_string(&manifest).unwrap().replace("\"version\": 1", "\"version\": 2");
    let config = file("config.yaml", "");
    let refused = async |arguments: &[&str], hint: &str| {
        let ended = Program::ends(arguments, &[], 2).await;
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        assert!(ended.stderr.contains(hint), "{arguments:?}: {ended:?}");
    };
    refused(&["--replay", "/does/not/exist"], "error: --replay: /does/not/exist: no such directory").await;
    refused(
        &["--replay", &directory, "--config.file", &config],
        "--replay cannot be combined with --config.file",
    )
    .await;
    std::fs::write(&manifest, newer).unwrap();
    refused(&["--replay", &directory], "the recording has version 2, but only version 1").await;
    std::fs::write(&manifest, "{}").unwrap();
    refused(&["scrape", "--replay", &directory], "not a file of a recording").await;
}
