//! Metrics read by Prometheus, promtool and the strict parsers of the Python client.

use std::collections::BTreeSet;
use std::process::{Output, Stdio};

use axum::Router;
use edgeimpulse_exporter::serve::{ConnectionLimits, Server};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::dashboards::{expressions, recorded};
use crate::support::peers::{PROMETHEUS, Release};
use crate::support::program::PATIENCE;
use crate::support::repository::path;
use crate::support::running::EVERYTHING;
use crate::support::{FakeApi, Program, Running, eventually, file, free_port, get};

/// Runs a command with `input` until it ends.
async fn feed(command: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(command);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    child.wait_with_output().await.unwrap()
}

#[tokio::test]
#[ignore = "needs promtool (Debian: prometheus)"]
async fn promtool_finds_nothing_to_complain_about() {
    for release in PROMETHEUS.releases() {
        let _tested = release.tested("`promtool check metrics`");
        for sample in ["typical", "bare"] {
            let api = FakeApi::with_samples(sample).await;
            let text = Running::with_jwt(&api, &EVERYTHING).await.scrape().await.text;
            let output = feed(&release.program("promtool"), &["check", "metrics"], &text).await;
            assert!(output.status.success(), "{sample}: {output:?}");
            assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{sample}: {output:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs python3 with prometheus-client"]
async fn the_strict_parsers_of_the_python_client_read_both_formats() {
    const PARSE: &str = "
import sys, importlib
parser = importlib.import_module(sys.argv[1])
samples = [s for f in parser.text_string_to_metric_families(sys.stdin.read()) for s in f.samples]
names = {s.labels['organization_name'] for s in samples if s.name == 'edgeimpulse_organization_info'}
print(len(samples), sorted(names))
";
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &EVERYTHING).await;
    let (text, open_metrics) = (exporter.scrape().await, exporter.scrape_open_metrics().await);
    for (module, metrics) in
        [("prometheus_client.parser", &text), ("prometheus_client.openmetrics.parser", &open_metrics)]
    {
        let output = feed("python3", &["-c", PARSE, module], &metrics.text).await;
        assert!(output.status.success(), "{module}: {}", String::from_utf8_lossy(&output.stderr));
        let expected = format!(
            "{} ['Org 1 \\\\ \"quoted\"', 'Org 2 \\\\ \"quoted\"', 'Tenant \\\\ \"quoted\"']\n",
            metrics.samples.len()
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{module}");
    }
}

/// Serves the response of `url` without forwarding `Accept`, so that clients get the text format.
async fn without_accept(url: String) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let relay = async move || {
        let response = get(url).await.unwrap();
        let media_type = response.headers()["content-type"].clone();
        ([("content-type", media_type)], response.text().await.unwrap())
    };
    let app = Router::new().route("/metrics", axum::routing::get(relay));
    let forever = std::future::pending();
    tokio::spawn(Server::new(listener, None).serve(app, forever, ConnectionLimits::default()));
    port
}

/// A Prometheus server.
pub struct Prometheus {
    pub port: u16,
    /// The program, and what it has logged, if this test started it.
    program: Option<(Program, String)>,
}

impl Prometheus {
    /// Starts a server that scrapes each target every second, as a job of that name.
    async fn scraping(release: &Release, targets: &[(&str, u16)]) -> Self {
        let job = |(job, port): &(&str, u16)| {
            format!("- job_name: {job}\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n")
        };
        let jobs: String = targets.iter().map(job).collect();
        let configuration =
            format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{jobs}");
        let data = file("prometheus", "") + ".data";
        Self::start_release(release, &configuration, &data).await
    }

    /// Starts the oldest release that is supported, with a configuration and a folder of data.
    pub async fn start(configuration: &str, data: &str) -> Self {
        Self::start_release(&PROMETHEUS.releases()[0], configuration, data).await
    }

    /// Starts a release with a configuration and a folder of data.
    pub async fn start_release(release: &Release, configuration: &str, data: &str) -> Self {
        let port = free_port();
        let configuration = file("prometheus.yml", configuration);
        let mut command = Command::new(release.program("prometheus"));
        command.args([
            format!("--config.file={configuration}"),
            format!("--storage.tsdb.path={data}"),
            "--storage.tsdb.retention.time=10y".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ]);
        let mut program = Program::run(command);
        let log = program.says_before("Server is ready").await;
        Self { port, program: Some((program, log)) }
    }

    /// Returns a server that is already running.
    pub fn at(port: u16) -> Self {
        Self { port, program: None }
    }

    /// Stops the server, which writes its data, if this test started it. It must not have logged a warning.
    pub async fn stop(self) {
        if let Some((program, log)) = self.program {
            program.signal("TERM");
            let log = log + &program.end().await.stderr;
            // Blocks of two replicas, and of recording rules, overlap; and the end was asked for, also during a compaction.
            let expected = ["Overlapping blocks found", "exiting gracefully", "context canceled"];
            let is_warning = |line: &&str| {
                let is_severe = |level| line.to_lowercase().contains(level);
                ["level=warn", "level=error"].into_iter().any(is_severe)
                    && !expected.iter().any(|expected| line.contains(expected))
            };
            let warnings: Vec<_> = log.lines().filter(is_warning).collect();
            assert!(warnings.is_empty(), "{warnings:#?}");
        }
    }

    /// Returns the data of a response of its API.
    pub async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let mut url = url::Url::parse(&format!("http://127.0.0.1:{}/api/v1/{path}", self.port)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let answer: Value = serde_json::from_str(&crate::support::get_text(url).await).unwrap();
        assert_eq!(answer["status"], "success", "{query:?}: {answer}");
        answer["data"].clone()
    }

    /// Returns the labels and values of an expression.
    pub async fn query(&self, expression: &str) -> Vec<(Value, f64)> {
        let data = self.ask("query", &[("query", expression)]).await;
        let series = data["result"].as_array().unwrap().iter();
        series.map(|one| (one["metric"].clone(), one["value"][1].as_str().unwrap().parse().unwrap())).collect()
    }

    /// Waits until an expression has a result.
    pub async fn sees(&self, expression: &str) {
        eventually(async || match self.query(expression).await {
            series if series.is_empty() => Err(format!("{expression} did not become true")),
            _ => Ok(()),
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "needs prometheus (Debian: prometheus)"]
async fn prometheus_scrapes_the_demo_in_both_formats() {
    let arguments = ["demo", "--web.listen-address=127.0.0.1:0", "--collector.projects"];
    let mut demo = Program::start(&arguments, &[]);
    let url = demo.prints("/metrics").await.split_whitespace().next().unwrap().to_owned();
    let port = url::Url::parse(&url).unwrap().port().unwrap();
    let text = without_accept(url).await;
    for release in PROMETHEUS.releases() {
        let _tested = release.tested("scrapes of `/metrics` in OpenMetrics and in the text format");
        check_both_formats(&release, port, text).await;
    }
    demo.stop().await;
}

async fn check_both_formats(release: &Release, port: u16, text: u16) {
    let prometheus = Prometheus::scraping(release, &[("open-metrics", port), ("text", text)]).await;
    prometheus.sees("count(up == 1) == 2").await;
    // The first scrape may reach its deadline before all responses arrived.
    let failing =
        "(edgeimpulse_scrape_collector_success == 0) unless (edgeimpulse_scrape_collector_supported == 0)";
    prometheus.sees(&format!("absent({failing})")).await;

    let count = "count by (job) ({__name__=~\"edgeimpulse_.+\", __name__!~\"edgeimpulse_exporter_.+\"})";
    let counts = prometheus.query(count).await;
    assert_eq!(counts.len(), 2);
    assert_eq!(counts[0].1, counts[1].1, "both formats have the same series");
    assert!(counts[0].1 > 1000.0);
    let names: BTreeSet<_> = prometheus
        .query("edgeimpulse_organization_info{organization_id=\"1010\"}")
        .await
        .into_iter()
        .map(|(labels, _)| labels["organization_name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, BTreeSet::from(["Ünïcode \"Sensing\" \\ Labs\n株式会社 🛰".to_owned()]));
    // Counters have the name of the catalogue in both formats.
    assert_eq!(prometheus.query("edgeimpulse_exporter_api_requests_total{code=\"200\"} > 0").await.len(), 32);
    assert!(
        prometheus
            .query("histogram_quantile(0.9, edgeimpulse_exporter_api_request_duration_seconds_bucket) > 0")
            .await
            .len()
            >= 20
    );
    prometheus.stop().await;
}

/// The organizations for which each alert is true in the demo; other alerts are true for none.
const STORIES: [(&str, &[&str]); 23] = [
    ("EdgeImpulseEntitlementAlmostFull", &["1002"]),
    ("EdgeImpulseEntitlementFullyUsed", &["1004"]),
    ("EdgeImpulseEntitlementExceeded", &["1004"]),
    ("EdgeImpulseStorageFillingUp", &["1002"]),
    ("EdgeImpulseComputeOverPace", &["1003"]),
    ("EdgeImpulseTrialEndingSoon", &["1006"]),
    ("EdgeImpulseTrialExpired", &["1008"]),
    ("EdgeImpulseContractYearEnding", &["1009"]),
    ("EdgeImpulseProjectsPendingDeletion", &["1001", "1002", "1003", "1005", "1007"]),
    ("EdgeImpulseBucketDisconnected", &["1002"]),
    ("EdgeImpulsePipelineFailing", &["1003"]),
    ("EdgeImpulsePipelineOverdue", &["1001"]),
    ("EdgeImpulseJobsQueuedTooLong", &["1003"]),
    ("EdgeImpulseJobNearTimeLimit", &["1001"]),
    ("EdgeImpulseApiKeyExpiringSoon", &["1002"]),
    // The plan of the user.
    ("EdgeImpulsePlanComputeAlmostFull", &["none"]),
    // A history has no `up`, which Prometheus writes.
    ("EdgeImpulseExporterAbsent", &["none"]),
    ("EdgeImpulseNoActiveMember", &["1009"]),
    ("EdgeImpulseSeatsNotActivated", &["1001", "1003", "1007"]),
    ("EdgeImpulseDatasetChecklistFailing", &["1001"]),
    ("EdgeImpulseDatasetNotGrowing", &["1009"]),
    // Habits that most organizations of the demo have.
    (
        "EdgeImpulseMembersWithPasswordOnly",
        &["1001", "1002", "1003", "1004", "1005", "1007", "1008", "1009", "1010", "1011"],
    ),
    ("EdgeImpulseInvitationsPending", &["1001", "1003", "1005", "1007"]),
];

/// Panels that are empty in the demo, with the reason.
const EMPTY: [(&str, &str); 19] = [
    ("exporter / Failing calls D", "no response is stale"),
    ("exporter / API calls paused until A", "the API never returned Retry-After"),
    ("exporter / Memory A", "the history leaves out the memory of the command that writes it"),
    ("fleet / Idle for 30 days B", "nothing is incomplete"),
    ("fleet / Users F", "no subscription is to be downgraded"),
    ("fleet / Users G", "no subscription is to be terminated"),
    ("operations / Buckets lost B", "nothing is incomplete"),
    ("operations / Pipelines failing B", "nothing is incomplete"),
    ("operations / Pipelines overdue B", "nothing is incomplete"),
    ("operations / Longest wait B", "nothing is incomplete"),
    ("operations / Time limit used B", "nothing is incomplete"),
    ("operations / Next key expires in B", "nothing is incomplete"),
    ("organization / Firing now A", "the history has no alerts"),
    ("overview / Firing now A", "the history has no alerts"),
    ("overview / Over a limit B", "nothing is incomplete"),
    ("overview / Near a limit B", "nothing is incomplete"),
    ("overview / Trials ending B", "nothing is incomplete"),
    ("overview / Trials ending C", "a user is read"),
    ("overview / Trials expired B", "nothing is incomplete"),
];

/// The demo's history, as two replicas export it.
struct History {
    files: [String; 2],
    /// The time of the last sample.
    now: f64,
}

/// Writes it once: it takes minutes.
async fn history_of_the_demo() -> &'static History {
    static HISTORY: OnceCell<History> = OnceCell::const_new();
    let write = async || {
        // The growth of storage needs more than four days.
        let off_by_default =
            ["--collector.projects", "--collector.finished_jobs", "--collector.transformation_jobs"];
        let arguments = [&["demo", "--history=100h", "--history-step=10m"][..], &off_by_default].concat();
        let ended = Program::ends(&arguments, &[], 0).await;
        let last = ended.stdout.lines().rev().nth(1).unwrap().rsplit(' ').next().unwrap();
        let replicas = ["localhost:10101", "localhost:10102"];
        let files =
            replicas.map(|replica| file("history.om", &ended.stdout.replace("localhost:10101", replica)));
        History { files, now: last.parse().unwrap() }
    };
    HISTORY.get_or_init(write).await
}

/// Makes Prometheus blocks of the demo's history, with the recording rules applied. Returns their folder and the time of
/// the last sample.
pub async fn past_of_the_demo(release: &Release) -> (String, f64) {
    let History { files, now } = history_of_the_demo().await;
    let data = file("history", "") + ".data";
    // It must not hold up this thread, which reads the log of the Prometheus that promtool asks.
    let promtool = async |arguments: &[&str]| {
        let mut command = Command::new(release.program("promtool"));
        let output = command.arg("tsdb").args(arguments).kill_on_drop(true).output();
        let output = tokio::time::timeout(PATIENCE, output).await.expect("promtool ends in time").unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    for history in files {
        promtool(&["create-blocks-from", "openmetrics", "--max-block-duration=168h", history, &data]).await;
    }
    let prometheus = Prometheus::start_release(release, "global: {}\n", &data).await;
    let (start, end) = (format!("--start={}", now - 30.0 * 3600.0), format!("--end={now}"));
    let (url, output) = (format!("--url=http://127.0.0.1:{}", prometheus.port), format!("--output-dir={data}"));
    let recording = path("deploy/prometheus/rules.yaml");
    let rules = ["create-blocks-from", "rules", &start, &end, &url, "--eval-interval=2m", &output, &recording];
    promtool(&rules).await;
    prometheus.stop().await;
    (data, *now)
}

#[tokio::test]
#[ignore = "needs prometheus (Debian: prometheus)"]
async fn the_demos_past_raises_the_alerts_of_its_stories_and_fills_the_dashboards() {
    for release in PROMETHEUS.releases() {
        let _tested =
            release.tested("alerts and all expressions of the dashboards, on the history of the demo");
        let (data, now) = past_of_the_demo(&release).await;
        let rules = path("deploy/prometheus");
        let configuration = format!("rule_files: ['{rules}/rules.yaml', '{rules}/rules-hygiene.yaml']\n");
        let prometheus = Prometheus::start_release(&release, &configuration, &data).await;
        check_alerts(&prometheus, now).await;
        check_dashboards(&prometheus, now).await;
        prometheus.stop().await;
    }
}

/// Checks that each alert is true for exactly the organizations of its story, now and at the start of its `for`.
async fn check_alerts(prometheus: &Prometheus, now: f64) {
    let groups = prometheus.ask("rules", &[("type", "alert")]).await;
    let groups = groups["groups"].as_array().unwrap();
    let rules: Vec<_> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert_eq!(rules.len(), 43);
    // An alert with several severities has a rule for each.
    let names: BTreeSet<_> = rules.iter().map(|rule| rule["name"].as_str().unwrap()).collect();
    for name in names {
        let rules = rules.iter().filter(|rule| rule["name"] == name);
        let expected: &[&str] = STORIES.iter().find(|(alert, _)| *alert == name).map_or(&[], |(_, ids)| ids);
        let mut found = [BTreeSet::new(), BTreeSet::new()];
        for rule in rules {
            let starts = [now, now - rule["duration"].as_f64().unwrap()];
            for (at, ids) in starts.into_iter().zip(&mut found) {
                let expression = rule["query"].as_str().unwrap();
                let data = prometheus.ask("query", &[("query", expression), ("time", &at.to_string())]).await;
                let id = |one: &Value| one["metric"]["organization_id"].as_str().unwrap_or("none").to_owned();
                ids.extend(data["result"].as_array().unwrap().iter().map(id));
            }
        }
        for ids in found {
            assert_eq!(ids.iter().collect::<Vec<_>>(), expected, "{name}, now is {now}");
        }
    }
}

/// Checks that every expression of every panel and variable has a result, except those in `EMPTY`.
async fn check_dashboards(prometheus: &Prometheus, now: f64) {
    // A sample every ten minutes: rates need a window of several, and few full hours have a sample.
    let variables = [
        ("$__rate_interval", "30m"),
        ("$__interval", "30m"),
        ("$__range", "2d"),
        ("$job", "edgeimpulse"),
        ("[25h:3h]", "[25h:5m]"),
        ("[25h:12h]", "[25h:5m]"),
    ];
    let mut empty = Vec::new();
    // The history has no recorded series: the test of the tutorial checks them.
    let recorded = recorded();
    let is_recorded = |expression: &str| recorded.iter().any(|name| expression.contains(name));
    for (place, expression) in expressions().into_iter().filter(|(_, expression)| !is_recorded(expression)) {
        let mut expression = expression.replace("${job}", "edgeimpulse").replace("${organization}", ".+");
        for (variable, value) in variables {
            expression = expression.replace(variable, value);
        }
        for variable in ["$organization", "$collector", "$without_rules"] {
            expression = expression.replace(variable, ".+");
        }
        let has_variable = expression
            .split('$')
            .skip(1)
            .any(|rest| rest.starts_with(|c: char| c.is_alphabetic() || "_{".contains(c)));
        assert!(!has_variable, "{place}: {expression}");
        let data = prometheus.ask("query", &[("query", &expression), ("time", &now.to_string())]).await;
        if data["result"].as_array().unwrap().is_empty() {
            empty.push(place);
        }
    }
    assert_eq!(empty, EMPTY.map(|(place, _)| place), "empty without a reason, or no longer empty");
}
