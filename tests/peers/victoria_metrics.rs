//! VictoriaMetrics and vmagent: scrapes and service discovery.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::prometheus::demo;
use crate::deploy::prometheus::{Prometheus, past_of_the_demo};
use crate::deploy::rules;
use crate::support::peers::{PROMETHEUS, Release, VICTORIA_METRICS};
use crate::support::repository::read;
use crate::support::{Program, client, eventually, file, free_port, get_text};

/// Starts a server without data, and returns it with a client of its API, which is that of Prometheus.
async fn start(release: &Release) -> (Program, Prometheus) {
    let port = free_port();
    let mut command = tokio::process::Command::new(release.program("victoria-metrics"));
    command.args([
        format!("-httpListenAddr=127.0.0.1:{port}"),
        format!("-storageDataPath={}.data", file("victoria-metrics", "")),
        "-retentionPeriod=10y".to_owned(),
        // Queries see the newest samples.
        "-search.latencyOffset=0s".to_owned(),
        "-search.disableCache".to_owned(),
        // A busy machine may take long.
        "-search.maxQueryDuration=5m".to_owned(),
    ]);
    let mut program = Program::run(command);
    program.says("started VictoriaMetrics in").await;
    (program, Prometheus::at(port))
}

/// Starts vmagent with a configuration, which sends what it scrapes to that server.
async fn agent(release: &Release, configuration: &str, to: &Prometheus, options: &[&str]) -> Program {
    let mut command = tokio::process::Command::new(release.program("vmagent"));
    command.args(options).args([
        format!("-httpListenAddr=127.0.0.1:{}", free_port()),
        format!("-promscrape.config={}", file("vmagent.yml", configuration)),
        format!("-remoteWrite.url=http://127.0.0.1:{}/api/v1/write", to.port),
        format!("-remoteWrite.tmpDataPath={}.data", file("vmagent", "")),
    ]);
    let mut program = Program::run(command);
    program.says("started vmagent in").await;
    program
}

/// Ends a program, which must not have logged a warning, other than about a slow machine or samples of the past.
async fn stop(program: Program) {
    program.signal("TERM");
    let ended = program.end().await;
    let is_expected = |line: &str| {
        ["slow", "timeout", "deadline", "resetting rollup result cache"].iter().any(|word| line.contains(word))
    };
    let is_warning =
        |line: &&str| (line.contains("\twarn\t") || line.contains("\terror\t")) && !is_expected(line);
    assert_eq!(ended.stderr.lines().find(is_warning), None);
}

#[tokio::test]
#[ignore = "needs VictoriaMetrics (tools/peers/build victoriametrics)"]
async fn vmagent_scrapes_the_demo_as_a_whole_and_as_a_stream() {
    let Some(release) = VICTORIA_METRICS.built() else { return };
    let _tested = release.tested("scrapes by vmagent, also with `stream_parse`");
    let (demo, address) = demo().await;
    let job = |name: &str, more: &str| {
        format!("- job_name: {name}\n  {more}\n  static_configs: [{{targets: ['{address}']}}]\n")
    };
    let jobs = job("whole", "metrics_path: /metrics") + &job("stream", "stream_parse: true");
    let configuration =
        format!("global: {{scrape_interval: 10s, scrape_timeout: 10s}}\nscrape_configs:\n{jobs}");
    let (server, metrics) = start(&release).await;
    let agent = agent(&release, &configuration, &metrics, &[]).await;
    metrics.sees("count(sum_over_time(up[1h]) >= 3) == 2").await;
    let count = "count by (job) ({__name__=~\"edgeimpulse_.+\", __name__!~\"edgeimpulse_exporter_.+\"})";
    eventually(async || {
        let counts: Vec<_> = metrics.query(count).await.into_iter().map(|(_, count)| count).collect();
        if counts.len() == 2 && counts[0] > 1000.0 && counts[0] == counts[1] {
            Ok(())
        } else {
            Err(format!("{counts:?}"))
        }
    })
    .await;
    let name = "edgeimpulse_organization_info{job=\"stream\",organization_id=\"1010\"}";
    metrics.sees(name).await;
    let found = metrics.query(&format!("last_over_time({name}[1h])")).await;
    assert_eq!(found[0].0["organization_name"], "Ünïcode \"Sensing\" \\ Labs\n株式会社 🛰");
    stop(agent).await;
    stop(server).await;
    demo.stop().await;
}

#[tokio::test]
#[ignore = "needs VictoriaMetrics (tools/peers/build victoriametrics)"]
async fn vmagent_scrapes_each_organization_that_service_discovery_lists() {
    let Some(release) = VICTORIA_METRICS.built() else { return };
    let _tested = release.tested("targets of `/sd` with the relabelling of `probe.yml`, scrapes of `/probe`");
    let (demo, address) = demo().await;
    let list: Vec<Value> = serde_json::from_str(&get_text(format!("http://{address}/sd")).await).unwrap();
    let listed: BTreeSet<_> =
        list.iter().map(|group| group["targets"][0].as_str().unwrap().to_owned()).collect();
    assert!(listed.len() > 10, "{listed:?}");
    let configuration = read("deploy/prometheus/probe.yml").replace("exporter:10101", &address);
    let configuration = configuration.replace(": 1m", ": 15s").replace(": 30s", ": 15s");
    let (server, metrics) = start(&release).await;
    // vmagent evaluates no rules, and refuses the members of a configuration that it does not use.
    let agent = agent(&release, &configuration, &metrics, &["-promscrape.config.strictParse=false"]).await;
    eventually(async || {
        let up = metrics.query("up{job=\"edgeimpulse\", instance=~\"[0-9]+\"} == 1").await;
        let up: BTreeSet<_> =
            up.iter().map(|(labels, _)| labels["instance"].as_str().unwrap().to_owned()).collect();
        if up == listed { Ok(()) } else { Err(format!("{up:?} instead of {listed:?}")) }
    })
    .await;
    metrics.sees("edgeimpulse_exporter_build_info{job=\"edgeimpulse\"}").await;
    let info = metrics.query("edgeimpulse_organization_info").await;
    assert!(info.iter().all(|(labels, _)| labels["organization_id"] == labels["instance"]), "{info:?}");
    stop(agent).await;
    stop(server).await;
    demo.stop().await;
}

/// Copies all samples of a server of Prometheus to one of VictoriaMetrics, and returns their number.
async fn copy(prometheus: &Prometheus, metrics: &Prometheus, now: f64) -> usize {
    let names = prometheus.ask("label/__name__/values", &[]).await;
    let mut copied = 0;
    for name in names.as_array().unwrap() {
        let query = format!("{{__name__={name}}}[30d]");
        let data = prometheus.ask("query", &[("query", &query), ("time", &now.to_string())]).await;
        let mut lines = String::new();
        for series in data["result"].as_array().unwrap() {
            let samples = series["values"].as_array().unwrap();
            let times = samples.iter().map(|sample| format!("{:.0}", sample[0].as_f64().unwrap() * 1000.0));
            let times = times.collect::<Vec<_>>().join(",");
            let values = samples.iter().map(|sample| sample[1].as_str().unwrap()).collect::<Vec<_>>().join(",");
            let metric = &series["metric"];
            writeln!(lines, "{{\"metric\":{metric},\"values\":[{values}],\"timestamps\":[{times}]}}").unwrap();
            copied += samples.len();
        }
        let url = format!("http://127.0.0.1:{}/api/v1/import", metrics.port);
        let response = client().post(url).body(lines).send().await.unwrap();
        assert!(response.status().is_success(), "{name}: {response:?}");
    }
    copied
}

/// Returns the values of an expression by its labels. The name of a metric is none of them: a rule replaces it.
async fn vector(server: &Prometheus, expression: &str, at: f64) -> BTreeMap<String, f64> {
    let data = server.ask("query", &[("query", expression), ("time", &at.to_string())]).await;
    if data["resultType"] == "scalar" {
        return BTreeMap::from([(String::new(), data["result"][1].as_str().unwrap().parse().unwrap())]);
    }
    let series = data["result"].as_array().unwrap().iter().map(|one| {
        let mut labels = one["metric"].clone();
        labels.as_object_mut().unwrap().remove("__name__");
        (labels.to_string(), one["value"][1].as_str().unwrap().parse().unwrap())
    });
    series.collect()
}

#[tokio::test]
#[ignore = "needs VictoriaMetrics (tools/peers/build victoriametrics) and prometheus (Debian: prometheus)"]
async fn metricsql_has_the_result_of_prometheus_for_every_rule() {
    let Some(release) = VICTORIA_METRICS.built() else { return };
    let _tested = release.tested("expressions of all rules in MetricsQL, compared with Prometheus");
    let newest = PROMETHEUS.releases().pop().unwrap();
    let (data, now) = past_of_the_demo(&newest).await;
    let prometheus = Prometheus::start_release(&newest, "global: {}\n", &data).await;
    let (server, metrics) = start(&release).await;
    let copied = copy(&prometheus, &metrics, now).await;
    eventually(async || {
        get_text(format!("http://127.0.0.1:{}/internal/force_flush", metrics.port)).await;
        let count = "sum(count_over_time({__name__!=\"\"}[30d]))";
        let found = vector(&metrics, count, now).await.into_values().next().unwrap_or_default();
        if found == copied as f64 { Ok(()) } else { Err(format!("{found} of {copied} samples")) }
    })
    .await;
    let mut differences = Vec::new();
    let mut filled = 0;
    for rule in rules::all() {
        let name = rule["alert"].as_str().or(rule["record"].as_str()).unwrap();
        let expression = rule["expr"].as_str().unwrap();
        // Samples are ten minutes apart: also between two of them, and a day earlier.
        for before in [0.0, 60.0, 299.0, 900.0, 3600.0, 86_400.0] {
            let (expected, found) = (
                vector(&prometheus, expression, now - before).await,
                vector(&metrics, expression, now - before).await,
            );
            filled += usize::from(!expected.is_empty());
            let is_near = |key: &String, value: &f64| {
                // VictoriaMetrics keeps about fifteen decimal digits.
                found.get(key).is_some_and(|found| (found - value).abs() <= 1e-9 * value.abs())
            };
            if found.len() != expected.len() || !expected.iter().all(|(key, value)| is_near(key, value)) {
                differences.push(format!("{name} {before} s ago: {found:?} instead of {expected:?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(filled > 50, "{filled} results have values");
    prometheus.stop().await;
    stop(server).await;
}
