//! Sharding by Prometheus: its HTTP service discovery and hashmod distribute organizations.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::deploy::prometheus::Prometheus;
use crate::support::peers::{PROMETHEUS, Release};
use crate::support::repository::{path, read};
use crate::support::{Program, eventually, file, get_text};

fn configuration(name: &str, address: &str) -> String {
    let rules = path("deploy/prometheus/rules.yaml");
    let text = read(&format!("deploy/prometheus/{name}")).replace("exporter:10101", address);
    let text = text.replace("- rules.yaml", &format!("- {rules}"));
    // Slow enough for an unoptimized program on a busy machine: more than 128 requests at one time are refused.
    text.replace(": 1m", ": 10s").replace("scrape_timeout: 30s", "scrape_timeout: 10s")
}

/// Returns the organizations that a Prometheus server scrapes successfully.
async fn scraped(prometheus: &Prometheus) -> BTreeSet<String> {
    let up = prometheus.query("up{job=\"edgeimpulse\", instance=~\"[0-9]+\"} == 1").await;
    up.iter().map(|(labels, _)| labels["instance"].as_str().unwrap().to_owned()).collect()
}

async fn start(release: &Release, configuration: &str) -> Prometheus {
    Prometheus::start_release(release, configuration, &(file("prometheus", "") + ".data")).await
}

#[tokio::test]
#[ignore = "needs prometheus (Debian: prometheus)"]
async fn two_shards_scrape_each_of_200_organizations_exactly_once() {
    let arguments = ["demo", "--organizations=200", "--web.listen-address=127.0.0.1:0"];
    let mut demo = Program::start(&arguments, &[]);
    let url = demo.prints("/metrics").await.split_whitespace().next().unwrap().to_owned();
    let address =
        url.trim_start_matches("http://").trim_end_matches("/metrics").replace("localhost", "127.0.0.1");
    let list = get_text(format!("http://{address}/sd")).await;
    let list: Vec<Value> = serde_json::from_str(&list).unwrap();
    let all: BTreeSet<String> =
        list.iter().map(|group| group["targets"][0].as_str().unwrap().to_owned()).collect();
    assert_eq!(all.len(), 200);
    for release in PROMETHEUS.releases() {
        let _tested = release.tested("targets of `/sd` in two shards, scrapes of `/probe`");
        check_shards(&release, &address, &all).await;
    }
    demo.stop().await;
}

async fn check_shards(release: &Release, address: &str, all: &BTreeSet<String>) {
    let first = configuration("probe-shard.yml", address);
    let second = first.replace("regex: \"0\"", "regex: \"1\"").replace("shard: \"0\"", "shard: \"1\"");
    assert_ne!(first, second);
    let (first, second) = (start(release, &first).await, start(release, &second).await);
    first.sees("count(up{job=\"edgeimpulse\", instance=~\"[0-9]+\"} == 1) > 60").await;
    let (ours, theirs) = eventually(async || {
        let (ours, theirs) = (scraped(&first).await, scraped(&second).await);
        let count = ours.len() + theirs.len();
        if count >= all.len() {
            Ok((ours, theirs))
        } else {
            Err(format!("{count} of {} are scraped", all.len()))
        }
    })
    .await;
    assert!(ours.is_disjoint(&theirs), "twice: {:?}", ours.intersection(&theirs));
    assert_eq!(ours.union(&theirs).cloned().collect::<BTreeSet<_>>(), *all);
    assert!(ours.len() > 60 && theirs.len() > 60, "{} and {}", ours.len(), theirs.len());
    for (prometheus, own) in [(&first, &ours), (&second, &theirs)] {
        let organizations =
            prometheus.query("count by (organization_id) (edgeimpulse_organization_info)").await;
        let ids: BTreeSet<String> = organizations
            .iter()
            .map(|(labels, _)| labels["organization_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids, *own, "each stores those that it scrapes");
        // Metrics without an organization have the same job.
        prometheus.sees("edgeimpulse_exporter_build_info{job=\"edgeimpulse\"}").await;
        prometheus.sees("edgeimpulse_whitelabel_users{job=\"edgeimpulse\"}").await;
    }
    first.stop().await;
    second.stop().await;
}
