//! VictoriaMetrics and vmagent: scrapes and service discovery.

use std::collections::BTreeSet;

use serde_json::Value;

use super::prometheus::demo;
use crate::deploy::prometheus::Prometheus;
use crate::support::peers::{Release, VICTORIA_METRICS};
use crate::support::repository::read;
use crate::support::{Program, eventually, file, free_port, get_text};

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

/// Ends a program, which must not have logged a warning, other than about a slow machine.
async fn stop(program: Program) {
    program.signal("TERM");
    let ended = program.end().await;
    let is_slow = |line: &str| ["slow", "timeout", "deadline"].iter().any(|word| line.contains(word));
    let is_warning = |line: &&str| (line.contains("\twarn\t") || line.contains("\terror\t")) && !is_slow(line);
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
