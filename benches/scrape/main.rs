//! Measures what a scrape costs, compared with fetching and discarding the same responses.
//!
//! `cargo bench --bench scrape` prints Markdown tables and, last, the goals; names after `--` select some of the tables.
//! All measurements of a table alternate in one run, so that other load on the machine affects all of them. Needs Linux.

#![expect(clippy::unwrap_used, reason = "a benchmark stops with a backtrace at the first failure")]
#![expect(clippy::print_stdout, reason = "the tables are the output")]

mod client;
mod exporter;
#[path = "../fixture.rs"]
mod fixture;
mod fleet;
mod hanging;
mod json_exporter;
mod load;
mod nginx;
mod one;
mod own;
mod rest;
mod server;
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use client::Clients;
use exporter::Exporter;
use server::{Api, Files, Server};
use table::Goals;

/// Every scrape makes all calls.
const UNCACHED: &str = "--cache.ttl=0s";

/// Only the first scrape makes calls.
const CACHED: &str = "--cache.ttl=1h";

/// The only organization of the account, where its list is not read.
const ONE: &str = "--organization-id=1";

/// Measures, and prints a table.
type Part = fn(&Bench);

struct Bench {
    clients: Clients,
    server: Server,
    goals: Goals,
}

fn main() {
    let chosen: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let parts: [(&str, Part); 7] = [
        ("one", one::measure),
        ("fleet", fleet::measure),
        ("growth", fleet::growth),
        ("load", load::measure),
        ("rest", rest::measure),
        ("hanging", hanging::measure),
        ("json-exporter", json_exporter::measure),
    ];
    let is_known = |name: &String| parts.iter().any(|(known, _)| known == name);
    assert!(chosen.iter().all(is_known), "expected names of {:?}, got {chosen:?}", parts.map(|(name, _)| name));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scrape-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let bench = Bench::new(&folder);
    bench.print_machine();
    for (name, measure) in parts {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            measure(&bench);
        }
    }
    bench.goals.print();
    drop(bench);
    let _ = std::fs::remove_dir_all(&folder);
}

impl Bench {
    fn new(folder: &Path) -> Self {
        let organization = |size| fixture::organization(size).into_bytes();
        let files: Files = Arc::new(BTreeMap::from([
            (("typical", "organization"), organization(fixture::TYPICAL)),
            (("large", "organization"), organization(fixture::LARGE)),
            (("huge", "organization"), organization(fixture::HUGE)),
            (("any", "organization"), organization(fixture::FLEET)),
            (("any", "usage"), fixture::usage().into_bytes()),
            (("any", "jobs"), br#"{"success":true,"jobs":[],"totalJobCount":0}"#.to_vec()),
            (("any", "buckets"), br#"{"success":true,"buckets":[]}"#.to_vec()),
            (("any", "pipelines"), br#"{"success":true,"pipelines":[]}"#.to_vec()),
            (("fleet10", "list"), fixture::organizations(10).into_bytes()),
            (("fleet100", "list"), fixture::organizations(100).into_bytes()),
            (("fleet1000", "list"), fixture::organizations(1000).into_bytes()),
            (("fleet10000", "list"), fixture::organizations(10_000).into_bytes()),
        ]));
        let server = Server::start(&files, folder);
        Self { clients: Clients::new(&server.certificate), server, goals: Goals::default() }
    }

    /// Starts an exporter, and scrapes it once to check that it reads the API.
    fn exporter(&self, api: &Api, arguments: &[&str]) -> Exporter {
        let exporter = Exporter::start(api, arguments);
        let text = self.clients.scrape(&exporter, 600.0).text();
        let up: Vec<_> = text.lines().filter(|line| line.starts_with("edgeimpulse_up{")).collect();
        assert!(!up.is_empty() && up.iter().all(|line| line.ends_with(" 1")), "{}: {up:?}", api.url);
        exporter
    }

    fn print_machine(&self) {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        println!(
            "{} cores of {}, Linux {}, load {}; responses from {}.",
            std::thread::available_parallelism().unwrap(),
            model.trim_start_matches(['\t', ' ', ':']),
            read("/proc/sys/kernel/osrelease").trim(),
            read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
            self.server.name,
        );
    }
}
