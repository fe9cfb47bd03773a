//! The readers that count: Prometheus itself, its promtool, and the strict parsers of its Python client.

use std::collections::BTreeSet;
use std::process::{Output, Stdio};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use edgeimpulse_exporter::listener::{self, Limits};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::support::{FakeApi, Program, Running, file};

/// Runs a command with `input`, to its end.
async fn feed(command: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(command);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    child.wait_with_output().await.unwrap()
}

async fn with_everything(api: &FakeApi) -> Running {
    Running::with_jwt(api, &["--user-id=2", "--whitelabel.user-id=2", "--collector.projects"]).await
}

#[tokio::test]
#[ignore = "needs promtool (Debian: prometheus)"]
async fn promtool_finds_nothing_to_complain_about() {
    for sample in ["typical", "bare"] {
        let api = FakeApi::with_samples(sample).await;
        let text = with_everything(&api).await.scrape().await.text;
        let output = feed("promtool", &["check", "metrics"], &text).await;
        assert!(output.status.success(), "{sample}: {output:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{sample}: {output:?}");
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
    let exporter = with_everything(&api).await;
    let (text, open_metrics) = (exporter.scrape().await, exporter.scrape_open_metrics().await);
    for (module, metrics) in
        [("prometheus_client.parser", &text), ("prometheus_client.openmetrics.parser", &open_metrics)]
    {
        let output = feed("python3", &["-c", PARSE, module], &metrics.text).await;
        assert!(output.status.success(), "{module}: {}", String::from_utf8_lossy(&output.stderr));
        let expected =
            format!("{} ['Org 1 \\\\ \"quoted\"', 'Org 2 \\\\ \"quoted\"']\n", metrics.samples.len());
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{module}");
    }
}

/// Returns a port that nobody listens on.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Serves what is at `url` to clients that cannot ask for OpenMetrics: their `Accept` is lost on the way.
async fn without_accept(url: String) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let relay = async move || {
        let response = crate::support::get(url).await.unwrap();
        let media_type = response.headers()["content-type"].clone();
        ([("content-type", media_type)], response.text().await.unwrap())
    };
    let app = Router::new().route("/metrics", get(relay));
    let forever = std::future::pending();
    tokio::spawn(listener::serve(vec![listener], app, forever, Limits::default()));
    port
}

/// A Prometheus that is asked over its API.
struct Prometheus {
    port: u16,
    _program: Program,
}

impl Prometheus {
    /// Starts one that scrapes each target every second, as a job of that name.
    async fn scraping(targets: &[(&str, u16)]) -> Self {
        let job = |(job, port): &(&str, u16)| {
            format!("- job_name: {job}\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n")
        };
        let jobs: String = targets.iter().map(job).collect();
        let configuration =
            format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{jobs}");
        let port = free_port();
        let configuration = file("prometheus.yml", &configuration);
        let mut command = Command::new("prometheus");
        command.args([
            format!("--config.file={configuration}"),
            format!("--storage.tsdb.path={configuration}.data"),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ]);
        let mut program = Program::run(command);
        program.says("Server is ready").await;
        Self { port, _program: program }
    }

    /// Returns the labels and values of an expression.
    async fn query(&self, expression: &str) -> Vec<(Value, f64)> {
        let mut url = url::Url::parse(&format!("http://127.0.0.1:{}/api/v1/query", self.port)).unwrap();
        url.query_pairs_mut().append_pair("query", expression);
        let answer = crate::support::get(url).await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["status"], "success", "{answer}");
        let series = answer["data"]["result"].as_array().unwrap().iter();
        series.map(|one| (one["metric"].clone(), one["value"][1].as_str().unwrap().parse().unwrap())).collect()
    }

    /// Waits until an expression is true somewhere.
    async fn sees(&self, expression: &str) {
        let until = tokio::time::Instant::now() + Duration::from_secs(30);
        while self.query(expression).await.is_empty() {
            assert!(tokio::time::Instant::now() < until, "{expression} did not become true");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
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
    let prometheus = Prometheus::scraping(&[("open-metrics", port), ("text", text)]).await;
    prometheus.sees("count(up == 1) == 2").await;

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
    // Its types and help arrive too, and counters under the name that they have in the catalogue.
    assert_eq!(prometheus.query("edgeimpulse_exporter_api_requests_total{code=\"200\"} > 0").await.len(), 12);
    assert!(
        prometheus
            .query("histogram_quantile(0.9, edgeimpulse_exporter_api_request_duration_seconds_bucket) > 0")
            .await
            .len()
            >= 12
    );
    demo.signal("TERM");
    assert_eq!(demo.end().await.code, Some(0));
}
