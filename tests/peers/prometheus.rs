//! What Prometheus 3 has and the oldest supported release does not.

use std::collections::BTreeSet;

use crate::deploy::prometheus::Prometheus;
use crate::serve::web_clients::strict;
use crate::support::peers::PROMETHEUS;
use crate::support::{Program, client, eventually, file, free_port};

/// Jobs with what each sets: the protocols that Prometheus 3 can ask for, and its schemes for names.
const JOBS: [(&str, &str); 11] = [
    ("default", "scrape_interval: 1s\n  scrape_timeout: 1s"),
    ("protobuf", "scrape_protocols: [PrometheusProto]"),
    ("open-metrics-1", "scrape_protocols: [OpenMetricsText1.0.0]"),
    ("open-metrics-0", "scrape_protocols: [OpenMetricsText0.0.1]"),
    ("text-1", "scrape_protocols: [PrometheusText1.0.0]"),
    ("text-0", "scrape_protocols: [PrometheusText0.0.4]"),
    ("nhcb", "convert_classic_histograms_to_nhcb: true\n  scrape_native_histograms: true"),
    ("legacy", "metric_name_validation_scheme: legacy\n  metric_name_escaping_scheme: underscores"),
    ("utf-8", "metric_name_validation_scheme: utf8\n  metric_name_escaping_scheme: allow-utf-8"),
    ("dots", "metric_name_escaping_scheme: dots"),
    ("values", "metric_name_escaping_scheme: values"),
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
    // A shorter run is a test, but no row of the page.
    let minutes: u64 = std::env::var("PEERS_MINUTES").map_or(1, |minutes| minutes.parse().unwrap());
    let _tested = (minutes >= 10).then(|| {
        release.tested(
            "ten minutes of scrapes, one a second, and in each protocol and scheme of names, without a warning",
        )
    });
    let (demo, address) = demo().await;
    let job = |name: &str, more: &str| {
        format!("- job_name: {name}\n  {more}\n  static_configs: [{{targets: ['{address}']}}]\n")
    };
    let jobs = JOBS.map(|(name, more)| job(name, more)).concat();
    let configuration = format!("global: {{scrape_interval: 5s, scrape_timeout: 5s}}\nscrape_configs:\n{jobs}");
    let data = file("prometheus", "") + ".data";
    let prometheus = Prometheus::start_release(&release, &configuration, &data).await;
    for minute in 1..=minutes {
        let each_second = format!("sum(sum_over_time(up{{job=\"default\"}}[1d])) >= {}", 60 * minute);
        let all = format!("count(sum_over_time(up[1d]) >= {}) == {}", 12 * minute, JOBS.len());
        prometheus.sees(&format!("{each_second} and on () {all}")).await;
    }
    let facts = "{__name__=~\"edgeimpulse_.+\", __name__!~\"edgeimpulse_exporter_.+\"}";
    eventually(async || {
        let counts = prometheus.query(&format!("count by (job) ({facts})")).await;
        let is_same = counts.iter().all(|(_, count)| *count == counts[0].1 && *count > 1000.0);
        if is_same && counts.len() == JOBS.len() {
            Ok(())
        } else {
            Err(format!("not the same series: {counts:?}"))
        }
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
