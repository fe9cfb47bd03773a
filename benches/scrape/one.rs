//! One organization, of three sizes, over both links.

use crate::exporter::{Exporter, cpu_of};
use crate::server::{Api, Link};
use crate::table::{Series, head, number, row};
use crate::{Bench, CACHED, ONE, UNCACHED};

/// Name of the responses, size as people write it, and scrapes.
pub(crate) const SIZES: [(&str, &str, usize); 3] =
    [("typical", "25 KB", 300), ("large", "1.4 MB", 150), ("huge", "18.7 MB", 60)];

/// Measurements that are discarded at first.
pub(crate) const WARM_UP: usize = 3;

pub(crate) fn measure(bench: &Bench) {
    for link in [Link::Tls, Link::Plain] {
        head([
            &format!("one organization, {}", link.name()),
            "fetch and discard, ms",
            "uncached scrape, ms",
            "scrape / fetch",
            "CPU of the fetch, ms",
            "CPU of the scrape, ms",
            "peak memory, MiB",
        ]);
        for (name, size, rounds) in SIZES {
            scrape(bench, link, name, size, rounds);
        }
    }
    parts(bench);
}

fn scrape(bench: &Bench, link: Link, name: &str, size: &str, rounds: usize) {
    let api = bench.server.api(link, name);
    let exporter = bench.exporter(&api, &[ONE, UNCACHED]);
    let urls = calls(&api);
    let [mut floor, mut floor_cpu, mut wall, mut cpu] = <[Series; 4]>::default();
    for round in 0..rounds + WARM_UP {
        let before = cpu_of(std::process::id());
        let fetch = bench.clients.fetch(&urls);
        let fetch_cpu = cpu_of(std::process::id()).saturating_sub(before);
        let scrape = bench.clients.scrape(&exporter, 600.0);
        if round >= WARM_UP {
            floor.push_time(fetch);
            floor_cpu.push_time(fetch_cpu);
            wall.push_time(scrape.time);
            cpu.push_time(scrape.cpu);
        }
    }
    let (ratio, peak) = (wall.over(&floor), exporter.memory("VmHWM"));
    let [floor_cpu, cpu] = [floor_cpu, cpu].map(|series| series.median());
    row([
        size,
        &floor.spread(),
        &wall.spread(),
        &number(ratio),
        &number(floor_cpu),
        &number(cpu),
        &number(peak),
    ]);
    let goal = |what: &str, limit, measured| {
        bench.goals.add(&format!("{size}, {}: {what}", link.name()), limit, measured);
    };
    match (name, link) {
        ("large", Link::Tls) => goal("scrape / fetch", 1.6, ratio),
        ("huge", Link::Tls) => {
            goal("scrape / fetch", 1.5, ratio);
            goal("peak memory, MiB", 24.0, peak);
        }
        ("huge", Link::Plain) => {
            goal("scrape / fetch", 3.0, ratio);
            goal("CPU, ms", 42.0, cpu);
            goal("peak memory, MiB", 24.0, peak);
        }
        _ => {}
    }
}

/// The parts of a scrape of 25 KB.
fn parts(bench: &Bench) {
    const ROUNDS: usize = 300;
    let links = [Link::Tls, Link::Plain].map(|link| {
        let api = bench.server.api(link, "typical");
        let [uncached, cached] = [UNCACHED, CACHED].map(|cache| bench.exporter(&api, &[ONE, cache]));
        measure_parts(bench, &calls(&api), &uncached, &cached, ROUNDS)
    });
    head(["parts of a scrape of 25 KB, median in ms", Link::Tls.name(), Link::Plain.name()]);
    let names = [
        "request to the exporter without metrics (`/-/ready`)",
        "cached scrape",
        "call `usage` alone, 0.3 KB",
        "call `organization` alone, 25 KB",
        "the three calls at once, connections kept (the floor)",
        "the three calls at once, new connections",
        "uncached scrape",
    ];
    let [tls, plain] = links;
    for ((name, tls), plain) in names.iter().zip(&tls).zip(&plain) {
        row([name, &number(*tls), &number(*plain)]);
    }
    let rest = |parts: [f64; 7]| number(parts[6] - parts[4] - parts[1]);
    row([
        "uncached scrape less floor and cached scrape: decoding, writing, task switches",
        &rest(tls),
        &rest(plain),
    ]);
}

fn measure_parts(
    bench: &Bench,
    urls: &[String; 3],
    uncached: &Exporter,
    cached: &Exporter,
    rounds: usize,
) -> [f64; 7] {
    let clients = &bench.clients;
    let mut parts = <[Series; 7]>::default();
    for round in 0..rounds + WARM_UP {
        let times = [
            clients.ready(cached),
            clients.scrape(cached, 600.0).time,
            clients.fetch(&urls[1..2]),
            clients.fetch(&urls[..1]),
            clients.fetch(urls),
            clients.fetch_on_new_connections(urls),
            clients.scrape(uncached, 600.0).time,
        ];
        if round >= WARM_UP {
            for (part, time) in parts.iter_mut().zip(times) {
                part.push_time(time);
            }
        }
    }
    parts.map(|part| part.median())
}

/// Returns the URLs of the calls of a scrape, which makes them at once.
pub(crate) fn calls(api: &Api) -> [String; 3] {
    ["", "/metrics", "/jobs"].map(|call| format!("{}/api/organizations/1{call}", api.url))
}
