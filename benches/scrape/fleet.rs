//! Many organizations: a thousand against curl, and how time and memory grow.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::client::CONCURRENCY;
use crate::server::Link;
use crate::table::{Series, head, number, row};
use crate::{Bench, UNCACHED};

const ARGUMENTS: [&str; 3] = [UNCACHED, "--api.concurrency", CONCURRENCY];

/// Measures 1,000 organizations.
pub(crate) fn measure(bench: &Bench) {
    let api = bench.server.api(Link::Plain, "fleet1000");
    let exporter = bench.exporter(&api, &ARGUMENTS);
    let urls: Vec<_> = (1..=1000)
        .flat_map(|id| {
            ["", "/metrics", "/jobs"].map(|call| format!("{}/api/organizations/{id}{call}", api.url))
        })
        .collect();
    let list = urls.iter().fold(String::new(), |mut list, url| {
        let _ = writeln!(list, "url = \"{url}\"\noutput = \"/dev/null\"");
        list
    });
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("curl.conf");
    std::fs::write(&file, list).unwrap();
    let [mut floor, mut curls, mut wall, mut cpu] = <[Series; 4]>::default();
    for round in 0..12 {
        let fetch = bench.clients.fetch(&urls);
        let curl = curl(&file);
        let scrape = bench.clients.scrape(&exporter, 600.0);
        if round > 0 {
            floor.push_time(fetch);
            wall.push_time(scrape.time);
            cpu.push_time(scrape.cpu);
            if let Some(curl) = curl {
                curls.push_time(curl);
            }
        }
    }
    let peak = exporter.memory("VmHWM");
    head([
        "1,000 organizations of 52 KB, 16 calls at once",
        "ms",
        "scrape / it",
        "CPU, ms",
        "peak memory, MiB",
    ]);
    row(["fetch and discard", &floor.spread(), &number(wall.over(&floor)), "", ""]);
    if curls.0.is_empty() {
        row(["curl: not installed", "", "", "", ""]);
    } else {
        let ratio = wall.over(&curls);
        row(["curl, 16 calls in parallel", &curls.spread(), &number(ratio), "", ""]);
        bench.goals.add("1,000 organizations: scrape / curl --parallel", 1.3, ratio);
    }
    row(["uncached scrape", &wall.spread(), "1", &cpu.spread(), &number(peak)]);
}

/// Fetches with curl, starting the program included; returns `None` if curl is not installed.
fn curl(file: &Path) -> Option<Duration> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--parallel", "--parallel-max", CONCURRENCY, "--config"]).arg(file);
    command.stderr(Stdio::null());
    let began = Instant::now();
    command.status().ok().filter(ExitStatus::success).map(|_| began.elapsed())
}

/// Measures 10 to 10,000 organizations.
pub(crate) fn growth(bench: &Bench) {
    let fleets =
        [("fleet10", 10_u32, 20), ("fleet100", 100, 10), ("fleet1000", 1000, 3), ("fleet10000", 10_000, 1)];
    let mut measured = fleets.map(|(name, count, scrapes)| {
        let exporter = bench.exporter(&bench.server.api(Link::Plain, name), &ARGUMENTS);
        (exporter, count, scrapes, Series::default(), Series::default())
    });
    for _ in 0..6 {
        for (exporter, _, scrapes, wall, cpu) in &mut measured {
            for _ in 0..*scrapes {
                let scrape = bench.clients.scrape(exporter, 600.0);
                wall.push_time(scrape.time);
                cpu.push_time(scrape.cpu);
            }
        }
    }
    head([
        "organizations of 52 KB",
        "uncached scrape, ms",
        "per organization, ms",
        "CPU per organization, ms",
        "peak memory, MiB",
    ]);
    for (exporter, count, _, wall, cpu) in &measured {
        let peak = exporter.memory("VmHWM");
        row([
            &count.to_string(),
            &wall.spread(),
            &number(wall.median() / f64::from(*count)),
            &number(cpu.median() / f64::from(*count)),
            &number(peak),
        ]);
        if *count == 10_000 {
            bench.goals.add("10,000 organizations: peak memory, MiB", 128.0, peak);
        }
    }
}
