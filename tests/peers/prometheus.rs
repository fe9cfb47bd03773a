//! What Prometheus 3 has and the oldest supported release does not.

use std::collections::BTreeSet;

use crate::deploy::prometheus::Prometheus;
use crate::serve::web_clients::strict;
use crate::support::peers::PROMETHEUS;
use crate::support::{Program, client, eventually, file, free_port};

/// The protocols that Prometheus 3 can ask for, as jobs.
const PROTOCOLS: [(&str, &str); 5] = [
    ("protobuf", "PrometheusProto"),
    ("open-metrics-1", "OpenMetricsText1.0.0"),
    ("open-metrics-0", "OpenMetricsText0.0.1"),
    ("text-1", "PrometheusText1.0.0"),
    ("text-0", "PrometheusText0.0.4"),
];

/// Starts a demo, and returns it with its address.
pub async fn demo() -> (Program, String) {
    let arguments = ["demo", "--web.listen-address=127.0.0.1:0", "--collector.projects"];
    let mut demo = Program::start(&arguments, &[]);
    let line = demo.prints("/metrics").await;
    let url = line.split_whitespace().next().unwrap();
    let address = url.trim_start_matches("http://").trim_end_matches("/metrics");
    let address = address.replace("localhost", "127.0.0.1");
    (demo, address)
}

#[tokio::test]
#[ignore = "needs Prometheus 3 (tools/peers/build prometheus)"]
async fn prometheus_3_scrapes_in_each_protocol_and_never_warns() {
    let Some(release) = PROMETHEUS.built() else { return };
    let _tested = release.tested("scrapes in each protocol, without a warning in the log");
    let minutes: u64 = std::env::var("PEERS_SCRAPE_MINUTES").map_or(1, |minutes| minutes.parse().unwrap());
    let (demo, address) = demo().await;
    let job = |name: &str, more: &str| {
        format!("- job_name: {name}\n  {more}\n  static_configs: [{{targets: ['{address}']}}]\n")
    };
    let protocol = |(name, protocol): (&str, &str)| job(name, &format!("scrape_protocols: [{protocol}]"));
    let histograms = "convert_classic_histograms_to_nhcb: true\n  scrape_native_histograms: true";
    let jobs =
        PROTOCOLS.map(protocol).concat() + &job("default", "metrics_path: /metrics") + &job("nhcb", histograms);
    let configuration = format!("global: {{scrape_interval: 3s, scrape_timeout: 3s}}\nscrape_configs:\n{jobs}");
    let data = file("prometheus", "") + ".data";
    let prometheus = Prometheus::start_release(&release, &configuration, &data).await;
    for minute in 1..=minutes {
        prometheus.sees(&format!("count(sum_over_time(up[1d]) >= {}) == 7", 20 * minute)).await;
    }
    let facts = "{__name__=~\"edgeimpulse_.+\", __name__!~\"edgeimpulse_exporter_.+\"}";
    eventually(async || {
        let counts = prometheus.query(&format!("count by (job) ({facts})")).await;
        let is_same = counts.iter().all(|(_, count)| *count == counts[0].1 && *count > 1000.0);
        if is_same && counts.len() == 7 { Ok(()) } else { Err(format!("not the same series: {counts:?}")) }
    })
    .await;
    // Prometheus makes native histograms from the buckets, without protobuf.
    let latency = "edgeimpulse_exporter_api_request_duration_seconds";
    let quantile = |of: &str| format!("histogram_quantile(0.9, last_over_time({latency}{of}[1m]))");
    let [native, classic] = ["{job=\"nhcb\"}", "_bucket{job=\"default\"}"].map(quantile);
    eventually(async || {
        let native = endpoints(&prometheus, &native).await;
        let classic = endpoints(&prometheus, &classic).await;
        if native == classic && native.len() >= 10 { Ok(()) } else { Err(format!("{native:?}, {classic:?}")) }
    })
    .await;
    prometheus.stop().await;
    demo.stop().await;
}

/// Returns the values of the label `endpoint` in the result of an expression.
async fn endpoints(prometheus: &Prometheus, expression: &str) -> BTreeSet<String> {
    let series = prometheus.query(expression).await.into_iter();
    series.map(|(labels, _)| labels["endpoint"].to_string()).collect()
}

#[tokio::test]
#[ignore = "needs Prometheus 3 (tools/peers/build prometheus)"]
async fn prometheus_3_serves_with_the_web_configuration_of_the_exporter() {
    let Some(release) = PROMETHEUS.built() else { return };
    let _tested = release.tested("its own web server with the `--web.config.file` of the exporter");
    let (_api, folder, served) = strict().await;
    let port = free_port();
    let mut command = tokio::process::Command::new(release.program("prometheus"));
    command.args([
        format!("--config.file={}", file("prometheus.yml", "global: {}\n")),
        format!("--storage.tsdb.path={}.data", file("prometheus", "")),
        format!("--web.listen-address=127.0.0.1:{port}"),
        format!("--web.config.file={}", folder.path("web.yml")),
    ]);
    let mut program = Program::run(command);
    program.says("Server is ready").await;
    // Chooses a provider of cryptography.
    drop(client());
    let read = |name: &str| std::fs::read_to_string(folder.path(name)).unwrap();
    let authority = reqwest::Certificate::from_pem(read("clients.crt").as_bytes()).unwrap();
    let urls = [served.https("/metrics"), format!("https://127.0.0.1:{port}/metrics")];
    for certificate in ["client", "unnamed", "stranger", "none"] {
        let mut builder = reqwest::Client::builder().no_proxy().tls_certs_only([authority.clone()]);
        if certificate != "none" {
            let pem = read(&format!("{certificate}.crt")) + &read(&format!("{certificate}.key"));
            builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
        }
        let client = builder.build().unwrap();
        for password in ["canary-password", "guess"] {
            let expected = match (certificate, password) {
                ("client", "canary-password") => Some(200),
                ("client", _) => Some(401),
                _ => None,
            };
            for url in &urls {
                let response = client.get(url).basic_auth("prometheus", Some(password)).send().await;
                let status = response.ok().map(|response| response.status().as_u16());
                assert_eq!(status, expected, "{url}: {certificate} {password}");
            }
        }
    }
    program.signal("TERM");
    program.end().await;
}
