//! What a scrape costs beside fetching the same answers and throwing them away.
//!
//! `cargo bench --bench scrape` prints Markdown tables; names after `--` choose some of them. All of a table is measured
//! in one run and in turns, so that its ratios hold also on a machine that does other things. Needs Linux.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should say so where it stands")]
#![expect(clippy::print_stdout, reason = "the tables are for whoever runs it")]

mod exporter;
#[path = "../fixture.rs"]
mod fixture;
mod load;
mod server;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use edgeimpulse_exporter::metrics::{self, Format};
use futures_util::StreamExt;
use tokio::runtime::Runtime;

use exporter::{Exporter, program};
use server::{Files, Server};
use table::{Series, head, number, row};

/// 200 Mbit/s.
const SLOW_LINK: u32 = 25_000_000;

/// Calls at one time for a fleet.
const CONCURRENCY: &str = "16";

/// An answer is asked for at every scrape.
const UNCACHED: &str = "--cache.ttl=0s";

/// An answer is asked for once.
const CACHED: &str = "--cache.ttl=1h";

/// CPU time for the answer of 19 MB, in milliseconds, of two other programs: measured beforehand, elsewhere, on a
/// machine of this class.
const OTHERS: [(&str, f64); 2] = [("json_exporter", 4200.0), ("a script on the vendor's Python SDK", 1500.0)];

/// Measures, and prints a table.
type Table = fn(&Bench);

struct Bench {
    runtime: Runtime,
    client: reqwest::Client,
    files: Files,
    server: Server,
}

fn main() {
    let chosen: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scrape-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let bench = Bench::new(&folder);
    bench.say_where();
    let tables: [(&str, Table); 7] = [
        ("one", Bench::one),
        ("link", Bench::slow_link),
        ("fleet", Bench::fleet),
        ("growth", Bench::growth),
        ("load", Bench::load),
        ("rest", Bench::at_rest),
        ("text", Bench::exposition),
    ];
    for (name, table) in tables {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            table(&bench);
        }
    }
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
            (("fleet10", "list"), fixture::organizations(10).into_bytes()),
            (("fleet100", "list"), fixture::organizations(100).into_bytes()),
            (("fleet1000", "list"), fixture::organizations(1000).into_bytes()),
            (("fleet10000", "list"), fixture::organizations(10_000).into_bytes()),
        ]));
        Self {
            runtime: Runtime::new().unwrap(),
            client: reqwest::Client::builder().no_proxy().no_gzip().tls_certs_only([]).build().unwrap(),
            server: Server::start(&files, folder),
            files,
        }
    }

    fn say_where(&self) {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        println!(
            "{} cores of {}, Linux {}, load {}; answers from {}.",
            std::thread::available_parallelism().unwrap(),
            model.trim_start_matches(['\t', ' ', ':']),
            read("/proc/sys/kernel/osrelease").trim(),
            read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
            self.server.name,
        );
    }

    fn size(&self, name: &'static str) -> usize {
        self.files[&(name, "organization")].len()
    }

    /// Fetches and discards; returns the time.
    fn fetch(&self, urls: &[String]) -> Duration {
        let began = Instant::now();
        self.runtime.block_on(async {
            let fetch = async |url: &String| {
                let mut answer = self.client.get(url).send().await.unwrap();
                assert!(answer.status().is_success(), "{url}");
                while answer.chunk().await.unwrap().is_some() {}
            };
            let fetches =
                futures_util::stream::iter(urls).map(fetch).buffer_unordered(CONCURRENCY.parse().unwrap());
            fetches.for_each(async |()| ()).await;
        });
        began.elapsed()
    }

    /// Scrapes as Prometheus does; returns the time and the CPU time of the exporter.
    fn scrape(&self, exporter: &Exporter) -> (Duration, Duration) {
        let cpu = exporter.cpu();
        let began = Instant::now();
        self.runtime.block_on(async {
            let request = self
                .client
                .get(exporter.metrics())
                .header(
                    "Accept",
                    "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4",
                )
                .header("Accept-Encoding", "gzip")
                .header("X-Prometheus-Scrape-Timeout-Seconds", "600");
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success());
            assert!(!answer.bytes().await.unwrap().is_empty());
        });
        (began.elapsed(), exporter.cpu().saturating_sub(cpu))
    }

    /// One organization, of three sizes.
    fn one(&self) {
        head([
            "one organization",
            "fetch and discard, ms",
            "uncached scrape, ms",
            "over the fetch",
            "CPU, ms",
            "cached scrape, ms",
            "CPU, ms",
            "peak memory, MiB",
        ]);
        for (name, rounds) in [("typical", 300), ("large", 150), ("huge", 40)] {
            let api = self.server.api(name);
            let one = ["--organization-id=1"];
            let uncached = Exporter::start(&api, &[&one[..], &[UNCACHED]].concat());
            let cached = Exporter::start(&api, &[&one[..], &[CACHED]].concat());
            // The calls of a scrape, at once as the scrape makes them.
            let urls = [format!("{api}/api/organizations/1"), format!("{api}/api/organizations/1/metrics")];
            let [mut floor, mut wall, mut cpu, mut cached_wall, mut cached_cpu] = <[Series; 5]>::default();
            for round in 0..rounds + 3 {
                let fetch = self.fetch(&urls);
                let (time, time_cpu) = self.scrape(&uncached);
                let (again, again_cpu) = self.scrape(&cached);
                if round >= 3 {
                    floor.push_time(fetch);
                    wall.push_time(time);
                    cpu.push_time(time_cpu);
                    cached_wall.push_time(again);
                    cached_cpu.push_time(again_cpu);
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            let kilobytes = self.size(name) as f64 / 1e3;
            let is_large = kilobytes >= 1000.0;
            row([
                &if is_large {
                    format!("{} MB", number(kilobytes / 1e3))
                } else {
                    format!("{} KB", number(kilobytes))
                },
                &floor.spread(),
                &wall.spread(),
                &wall.over(&floor).spread(),
                &cpu.spread(),
                &cached_wall.spread(),
                &number(cached_cpu.median()),
                &number(uncached.memory("VmHWM")),
            ]);
            if name == "huge" {
                println!();
                for (other, other_cpu) in OTHERS {
                    let part = other_cpu / cpu.median();
                    println!(
                        "CPU: 1/{part:.0} of {other}'s {other_cpu} ms, which was measured beforehand, elsewhere."
                    );
                }
            }
        }
    }

    /// The largest organization behind a slow link.
    fn slow_link(&self) {
        let server = Server::throttled(&self.files, SLOW_LINK);
        let api = server.api("huge");
        let exporter = Exporter::start(&api, &["--organization-id=1", UNCACHED]);
        let urls = [format!("{api}/api/organizations/1"), format!("{api}/api/organizations/1/metrics")];
        let [mut floor, mut wall] = <[Series; 2]>::default();
        for _ in 0..7 {
            floor.push_time(self.fetch(&urls));
            wall.push_time(self.scrape(&exporter).0);
        }
        head([
            "19 MB at 200 Mbit/s",
            "download, ms",
            "uncached scrape, ms",
            "over the download",
            "peak memory, MiB",
        ]);
        let peak = number(exporter.memory("VmHWM"));
        row(["", &floor.spread(), &wall.spread(), &wall.over(&floor).spread(), &peak]);
    }

    /// A thousand organizations at once.
    fn fleet(&self) {
        let api = self.server.api("fleet1000");
        let arguments = [UNCACHED, "--api.concurrency", CONCURRENCY];
        let exporter = Exporter::start(&api, &arguments);
        let urls: Vec<_> = (1..=1000)
            .flat_map(|id| ["", "/metrics"].map(|call| format!("{api}/api/organizations/{id}{call}")))
            .collect();
        let list = urls.iter().fold(String::new(), |mut list, url| {
            let _ = writeln!(list, "url = \"{url}\"\noutput = \"/dev/null\"");
            list
        });
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("curl.conf");
        std::fs::write(&file, list).unwrap();
        let curl = || {
            let mut command = Command::new("curl");
            command.args(["--silent", "--parallel", "--parallel-max", CONCURRENCY, "--config"]).arg(&file);
            command.stderr(std::process::Stdio::null());
            let began = Instant::now();
            command.status().ok().filter(std::process::ExitStatus::success).map(|_| began.elapsed())
        };
        let [mut floor, mut curls, mut wall, mut cpu] = <[Series; 4]>::default();
        for round in 0..8 {
            let fetch = self.fetch(&urls);
            let curl = curl();
            let (time, time_cpu) = self.scrape(&exporter);
            if round > 0 {
                floor.push_time(fetch);
                curls.push_time(curl.unwrap_or(fetch));
                wall.push_time(time);
                cpu.push_time(time_cpu);
            }
        }
        head([
            "1,000 organizations of 52 KB, 16 calls at once",
            "ms",
            "exporter over it",
            "CPU, ms",
            "peak memory, MiB",
        ]);
        row([
            "fetch and discard, a client that stays up",
            &floor.spread(),
            &wall.over(&floor).spread(),
            "",
            "",
        ]);
        row(["curl --parallel", &curls.spread(), &wall.over(&curls).spread(), "", ""]);
        let peak = number(exporter.memory("VmHWM"));
        row(["uncached scrape", &wall.spread(), "1", &cpu.spread(), &peak]);
    }

    /// The same organizations, a few and many.
    fn growth(&self) {
        head([
            "organizations of 52 KB",
            "uncached scrape, ms",
            "per organization, ms",
            "CPU per organization, ms",
            "peak memory, MiB",
        ]);
        let fleets =
            [("fleet10", 10_u32, 20), ("fleet100", 100, 10), ("fleet1000", 1000, 3), ("fleet10000", 10_000, 1)];
        let arguments = [UNCACHED, "--api.concurrency", CONCURRENCY];
        let mut measured = fleets.map(|(name, count, scrapes)| {
            let exporter = Exporter::start(&self.server.api(name), &arguments);
            (exporter, count, scrapes, Series::default(), Series::default())
        });
        // In turns, so that a slow minute of the machine is one for all of them.
        for round in 0..=6 {
            for (exporter, _, scrapes, wall, cpu) in &mut measured {
                for _ in 0..*scrapes {
                    let (time, time_cpu) = self.scrape(exporter);
                    if round > 0 {
                        wall.push_time(time);
                        cpu.push_time(time_cpu);
                    }
                }
            }
        }
        for (exporter, count, _, wall, cpu) in &measured {
            row([
                &count.to_string(),
                &wall.spread(),
                &number(wall.median() / f64::from(*count)),
                &number(cpu.median() / f64::from(*count)),
                &number(exporter.memory("VmHWM")),
            ]);
        }
    }

    /// Cached scrapes of a typical organization, 1,000 a second.
    fn load(&self) {
        const RATE: u32 = 1000;
        const LENGTH: Duration = Duration::from_secs(8);
        let exporter = Exporter::start(&self.server.api("typical"), &["--organization-id=1", CACHED]);
        head([
            "cached scrapes at 1,000 a second",
            "median, ms",
            "p99, ms",
            "p99.9, ms",
            "largest, ms",
            "CPU of one core",
        ]);
        for (name, headers) in [("plain", ""), ("gzip", "Accept-Encoding: gzip\r\n")] {
            self.scrape(&exporter);
            let cpu = exporter.cpu();
            let times = load::run(exporter.address, RATE, LENGTH, headers);
            let cpu = exporter.cpu().saturating_sub(cpu).as_secs_f64() / LENGTH.as_secs_f64();
            let at = |thousandths: usize| {
                let index = (times.len() * thousandths / 1000).min(times.len() - 1);
                number(times[index].as_secs_f64() * 1e3)
            };
            row([name, &at(500), &at(990), &at(999), &at(1000), &format!("{:.0} %", cpu * 100.0)]);
        }
    }

    /// The process before anybody asks it anything.
    fn at_rest(&self) {
        let api = self.server.api("typical");
        let [mut start, mut memory] = <[Series; 2]>::default();
        for _ in 0..20 {
            let exporter = Exporter::start(&api, &["--organization-id=1"]);
            start.push_time(exporter.start);
            std::thread::sleep(Duration::from_millis(50));
            memory.push(exporter.memory("VmRSS"));
        }
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let size = std::fs::metadata(program()).unwrap().len() as f64 / f64::from(1 << 20);
        head(["at rest", ""]);
        row(["resident memory, MiB", &memory.spread()]);
        row(["start to /-/ready, ms", &start.spread()]);
        row(["program, MiB", &number(size)]);
    }

    /// Text alone, without a scrape.
    fn exposition(_: &Self) {
        const ROUNDS: usize = 20;
        head(["exposition alone", "text, MB", "ms", "MB/s", "allocations"]);
        for organizations in [1, 25_000] {
            let snapshot = Arc::new(fixture::snapshot(organizations));
            let series = fixture::SERIES_PER_ORGANIZATION * organizations;
            let (mut times, mut speed) = (Series::default(), Series::default());
            let (mut length, mut allocations) = (0.0, 0);
            for _ in 0..ROUNDS {
                let began = Instant::now();
                let counted = allocation_counter::measure(|| {
                    let text = metrics::write(Format::OpenMetrics, Arc::clone(&snapshot), None).unwrap();
                    #[expect(clippy::cast_precision_loss, reason = "for people")]
                    let megabytes = text.len() as f64 / 1e6;
                    length = megabytes;
                });
                let time = began.elapsed();
                times.push_time(time);
                speed.push(length / time.as_secs_f64());
                allocations = counted.count_total;
            }
            let (length, allocations) = (number(length), allocations.to_string());
            row([&format!("{series} series"), &length, &times.spread(), &speed.spread(), &allocations]);
        }
    }
}
