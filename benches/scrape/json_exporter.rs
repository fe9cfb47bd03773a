//! The same two responses read by json_exporter, as a Prometheus that has one target for each of them asks for them.
//!
//! Measured if the variable `JSON_EXPORTER` names the program, of https://github.com/prometheus-community/json_exporter.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::exporter::Exporter;
use crate::one::{SIZES, WARM_UP, calls};
use crate::server::Link;
use crate::table::{Series, head, number, row};
use crate::{Bench, ONE, UNCACHED};

/// Some of the values that the exporter reads: limits, use, and the sizes of datasets. No path can count members by role.
const CONFIGURATION: &str = r"
modules:
  organization:
    headers: {x-api-key: ei_benchmark}
    metrics:
      - {name: storage_limit, path: '{ .entitlementLimits.totalStorage }'}
      - {name: compute_limit, path: '{ .entitlementLimits.computeTimePerYear }'}
      - {name: users_limit, path: '{ .entitlementLimits.numberOfUsers }'}
      - {name: projects_limit, path: '{ .entitlementLimits.numberOfProjects }'}
      - name: dataset
        type: object
        path: '{ .datasets[*] }'
        labels: {dataset: '{ .dataset }'}
        values: {size: '{ .totalFileSize }', files: '{ .totalFileCount }'}
  usage:
    headers: {x-api-key: ei_benchmark}
    metrics:
      - {name: storage, path: '{ .metrics.totalStorage }'}
      - {name: users, path: '{ .metrics.userCount }'}
      - {name: projects, path: '{ .metrics.projectCount }'}
";

pub(crate) fn measure(bench: &Bench) {
    let Some(program) = std::env::var_os("JSON_EXPORTER") else { return };
    let file = bench.server.certificate.with_file_name("json_exporter.yml");
    std::fs::write(&file, CONFIGURATION).unwrap();
    head([
        "one organization, plain loopback",
        "json_exporter, ms",
        "this exporter, ms",
        "CPU of json_exporter, ms",
        "CPU of this exporter, ms",
        "CPU, json_exporter / this exporter",
        "peak memory of json_exporter, MiB",
        "peak memory of this exporter, MiB",
    ]);
    for (name, size, rounds) in SIZES {
        let other = start(Path::new(&program), &file);
        compare(bench, &other, name, size, rounds / 3);
    }
}

fn start(program: &Path, configuration: &Path) -> Exporter {
    let mut command = Command::new(program);
    command.arg(format!("--config.file={}", configuration.display())).stderr(Stdio::null());
    Exporter::run(command, "/metrics")
}

fn compare(bench: &Bench, other: &Exporter, name: &str, size: &str, rounds: usize) {
    let api = bench.server.api(Link::Plain, name);
    let exporter = bench.exporter(&api, &[ONE, UNCACHED]);
    let [organization, usage, _] = calls(&api);
    let probes = [("organization", organization), ("usage", usage)]
        .map(|(module, target)| format!("/probe?module={module}&target={target}"));
    let probes = probes.each_ref().map(String::as_str);
    assert!(bench.clients.scrape_all(other, &probes, 600.0).text().contains("dataset_size{"), "{size}");
    let [mut other_wall, mut other_cpu, mut wall, mut cpu] = <[Series; 4]>::default();
    for round in 0..rounds + WARM_UP {
        let other_scrape = bench.clients.scrape_all(other, &probes, 600.0);
        let scrape = bench.clients.scrape(&exporter, 600.0);
        if round >= WARM_UP {
            other_wall.push_time(other_scrape.time);
            other_cpu.push_time(other_scrape.cpu);
            wall.push_time(scrape.time);
            cpu.push_time(scrape.cpu);
        }
    }
    row([
        size,
        &other_wall.spread(),
        &wall.spread(),
        &number(other_cpu.median()),
        &number(cpu.median()),
        &number(other_cpu.over(&cpu)),
        &number(other.memory("VmHWM")),
        &number(exporter.memory("VmHWM")),
    ]);
}
