//! The OpenTelemetry Collector: what its prometheus receiver makes of the metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use edgeimpulse_exporter::serve::{ConnectionLimits, Server};
use serde_json::{Value, json};

use crate::support::peers::{COLLECTOR, Release};
use crate::support::running::EVERYTHING;
use crate::support::{FakeApi, Program, Running, eventually, file};

/// A metric of one scrape, with its data points.
#[derive(Clone, Debug)]
struct Metric {
    /// `gauge`, `sum` or `histogram`.
    kind: String,
    unit: String,
    is_monotonic: bool,
    points: Vec<Value>,
}

/// The metrics of the latest scrapes, by name, and the series that ended, by metric and organization.
#[derive(Debug, Default)]
struct Received {
    metrics: BTreeMap<String, Metric>,
    ended: BTreeSet<(String, String)>,
}

type Shared = Arc<Mutex<Received>>;

/// Returns the organization of a data point.
fn organization(point: &Value) -> Option<&str> {
    let mut attributes = point["attributes"].as_array()?.iter();
    attributes.find(|attribute| attribute["key"] == "organization_id")?["value"]["stringValue"].as_str()
}

/// Takes metrics in OTLP, as JSON.
async fn take(
    State(received): State<Shared>,
    body: String,
) -> ([(&'static str, &'static str); 1], &'static str) {
    let request: Value = serde_json::from_str(&body).unwrap();
    let all = |value: &Value, member: &str| value[member].as_array().cloned().unwrap_or_default();
    let mut received = received.lock().unwrap();
    for scope in all(&request, "resourceMetrics").iter().flat_map(|resource| all(resource, "scopeMetrics")) {
        for metric in all(&scope, "metrics") {
            let name = metric["name"].as_str().unwrap().to_owned();
            let kinds = ["gauge", "sum", "histogram"];
            let kind = kinds.into_iter().find(|kind| !metric[kind].is_null()).unwrap_or("other");
            // The flag says that there is no value: the series ended.
            let is_valued = |point: &Value| point["flags"].as_u64().unwrap_or_default() & 1 == 0;
            let (points, ended): (Vec<_>, Vec<_>) =
                all(&metric[kind], "dataPoints").into_iter().partition(is_valued);
            let ended = ended.iter().filter_map(organization);
            received.ended.extend(ended.map(|id| (name.clone(), id.to_owned())));
            if !points.is_empty() {
                let unit = metric["unit"].as_str().unwrap_or_default().to_owned();
                let is_monotonic = metric[kind]["isMonotonic"] == true;
                let metric = Metric { kind: kind.to_owned(), unit, is_monotonic, points };
                received.metrics.insert(name, metric);
            }
        }
    }
    ([("content-type", "application/json")], "{}")
}

/// Starts a collector that scrapes the exporter every ten seconds, which is also its time for a scrape, and returns it with what it will have sent.
async fn start(release: &Release, exporter: &Running) -> (Program, Shared) {
    let received = Shared::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = Router::new().route("/v1/metrics", axum::routing::post(take)).layer(DefaultBodyLimit::disable());
    let app = app.with_state(Arc::clone(&received));
    let forever = std::future::pending();
    tokio::spawn(Server::new(listener, None).serve(app, forever, ConnectionLimits::default()));
    let configuration = json!({
        "receivers": {"prometheus": {"config": {"scrape_configs": [{
            "job_name": "edgeimpulse",
            "scrape_interval": "10s",
            "scrape_timeout": "10s",
            "static_configs": [{"targets": [exporter.address.to_string()]}],
        }]}}},
        "exporters": {"otlp_http": {
            "endpoint": format!("http://127.0.0.1:{port}"),
            "encoding": "json",
            "compression": "none",
        }},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"metrics": {"receivers": ["prometheus"], "exporters": ["otlp_http"]}},
        },
    });
    let mut command = tokio::process::Command::new(release.program("collector"));
    command.args(["--config", &file("collector.yaml", &configuration.to_string())]);
    let mut program = Program::run(command);
    program.says("Everything is ready").await;
    (program, received)
}

/// Ends the collector, which must not have logged a warning.
async fn stop(program: Program) {
    program.signal("TERM");
    let ended = program.end().await;
    let is_warning = |line: &&str| line.contains("\twarn\t") || line.contains("\terror\t");
    assert_eq!(ended.stderr.lines().find(is_warning), None);
}

#[tokio::test]
#[ignore = "needs the OpenTelemetry Collector (tools/peers/build collector)"]
async fn the_collector_receives_every_metric_with_its_name_type_and_unit() {
    let Some(release) = COLLECTOR.built() else { return };
    let _tested = release.tested("names, types and units of all metrics, monotonic counters");
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &EVERYTHING).await;
    let (program, received) = start(&release, &exporter).await;
    let exposition = exporter.scrape_open_metrics().await;
    assert!(exposition.families.len() > 80);
    for (family, (kind, _)) in &exposition.families {
        let (name, expected) = match kind.as_str() {
            "counter" => (format!("{family}_total"), "sum"),
            "histogram" => (family.clone(), "histogram"),
            _ => (family.clone(), "gauge"),
        };
        let metric = eventually(async || {
            received.lock().unwrap().metrics.get(&name).cloned().ok_or_else(|| format!("no {name}"))
        })
        .await;
        assert_eq!((&*metric.kind, metric.is_monotonic), (expected, kind == "counter"), "{name}");
        let unit = exposition.text.lines().find_map(|line| line.strip_prefix(&format!("# UNIT {family} ")));
        assert_eq!(metric.unit, unit.map_or("", otlp_unit), "{name}");
    }
    let up = received.lock().unwrap().metrics["up"].clone();
    assert_eq!(up.points[0]["asDouble"], 1.0, "{up:?}");
    stop(program).await;
}

/// Returns the unit of OTLP for one of OpenMetrics.
fn otlp_unit(unit: &str) -> &str {
    match unit {
        "seconds" => "s",
        "bytes" => "By",
        other => other,
    }
}

#[tokio::test]
#[ignore = "needs the OpenTelemetry Collector (tools/peers/build collector)"]
async fn the_collector_is_told_when_an_organization_is_gone() {
    let Some(release) = COLLECTOR.built() else { return };
    let _tested = release.tested("data points that mark the end of the series of an organization");
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &["--collector.interval=organizations=1s"]).await;
    let (program, received) = start(&release, &exporter).await;
    let info = "edgeimpulse_organization_info";
    eventually(async || {
        let received = received.lock().unwrap();
        let points = received.metrics.get(info).map(|metric| metric.points.len());
        if points == Some(2) { Ok(()) } else { Err(format!("{points:?} organizations")) }
    })
    .await;
    assert!(received.lock().unwrap().ended.is_empty());
    api.lists(&[1]).await;
    for name in [info, "edgeimpulse_organization_storage_used_bytes"] {
        eventually(async || {
            let received = received.lock().unwrap();
            let is_ended = received.ended.contains(&(name.to_owned(), "2".to_owned()));
            if is_ended { Ok(()) } else { Err(format!("{name}: {:?}", received.ended)) }
        })
        .await;
    }
    let others = received.lock().unwrap().ended.iter().find(|(_, organization)| organization != "2").cloned();
    assert_eq!(others, None);
    stop(program).await;
}
