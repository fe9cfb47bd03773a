//! Prometheus does the distribution: its service discovery and its hashmod share organizations out.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::prometheus::Prometheus;
use crate::support::{Program, file, get};

fn configuration(name: &str, address: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus");
    let text = std::fs::read_to_string(format!("{root}/{name}")).unwrap();
    let text = text.replace("exporter:10101", address).replace("- rules.yaml", &format!("- {root}/rules.yaml"));
    text.replace(": 1m", ": 5s").replace("scrape_timeout: 30s", "scrape_timeout: 5s")
}

/// Returns the organizations that a Prometheus scrapes with success.
async fn scraped(prometheus: &Prometheus) -> BTreeSet<String> {
    let up = prometheus.query("up{job=\"edgeimpulse\", instance=~\"[0-9]+\"} == 1").await;
    up.iter().map(|(labels, _)| labels["instance"].as_str().unwrap().to_owned()).collect()
}

async fn start(configuration: &str) -> Prometheus {
    Prometheus::start(configuration, &(file("prometheus", "") + ".data")).await
}

#[tokio::test]
#[ignore = "needs prometheus (Debian: prometheus)"]
async fn two_shards_scrape_each_of_200_organizations_exactly_once() {
    let arguments = ["demo", "--organizations=200", "--web.listen-address=127.0.0.1:0"];
    let mut demo = Program::start(&arguments, &[]);
    let url = demo.prints("/metrics").await.split_whitespace().next().unwrap().to_owned();
    let address =
        url.trim_start_matches("http://").trim_end_matches("/metrics").replace("localhost", "127.0.0.1");
    let list = get(format!("http://{address}/sd")).await.unwrap().text().await.unwrap();
    let list: Vec<Value> = serde_json::from_str(&list).unwrap();
    let all: BTreeSet<String> =
        list.iter().map(|group| group["targets"][0].as_str().unwrap().to_owned()).collect();
    assert_eq!(all.len(), 200);

    let first = configuration("probe-shard.yml", &address);
    let second = first.replace("regex: \"0\"", "regex: \"1\"").replace("shard: \"0\"", "shard: \"1\"");
    assert_ne!(first, second);
    let (first, second) = (start(&first).await, start(&second).await);
    // Neither has everything, and both together do.
    first.sees("count(up{job=\"edgeimpulse\", instance=~\"[0-9]+\"} == 1) > 60").await;
    let until = tokio::time::Instant::now() + std::time::Duration::from_mins(1);
    let (ours, theirs) = loop {
        let (ours, theirs) = (scraped(&first).await, scraped(&second).await);
        if ours.len() + theirs.len() >= all.len() || tokio::time::Instant::now() > until {
            break (ours, theirs);
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    };
    assert!(ours.is_disjoint(&theirs), "twice: {:?}", ours.intersection(&theirs));
    assert_eq!(ours.union(&theirs).cloned().collect::<BTreeSet<_>>(), all);
    assert!(ours.len() > 60 && theirs.len() > 60, "{} and {}", ours.len(), theirs.len());
    for (prometheus, own) in [(&first, &ours), (&second, &theirs)] {
        let organizations =
            prometheus.query("count by (organization_id) (edgeimpulse_organization_info)").await;
        let ids: BTreeSet<String> = organizations
            .iter()
            .map(|(labels, _)| labels["organization_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids, *own, "each knows of those that it scrapes");
        // What is about no organization comes under the same name of job.
        prometheus.sees("edgeimpulse_exporter_build_info{job=\"edgeimpulse\"}").await;
        prometheus.sees("edgeimpulse_whitelabel_users{job=\"edgeimpulse\"}").await;
    }
}
