//! Exposition alone: from what a scrape learned to text in both formats, and compressed.
//!
//! `cargo bench --bench exposition`

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should say so where it stands")]

#[path = "fixture.rs"]
#[expect(dead_code, reason = "other benchmarks use more of it")]
mod fixture;

use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use edgeimpulse_exporter::metrics::{open_metrics, to_prometheus_text};
use flate2::Compression;
use flate2::write::GzEncoder;

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exposition");
    for organizations in [25, 25_000] {
        let snapshot = Arc::new(fixture::snapshot(organizations));
        let series = fixture::SERIES_PER_ORGANIZATION * organizations;
        let text = open_metrics(Arc::clone(&snapshot), None).unwrap();
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("OpenMetrics", series), |bencher| {
            bencher.iter(|| black_box(open_metrics(Arc::clone(&snapshot), None).unwrap()));
        });
        group.bench_function(BenchmarkId::new("Prometheus text", series), |bencher| {
            bencher.iter(|| black_box(to_prometheus_text(&open_metrics(Arc::clone(&snapshot), None).unwrap())));
        });
        for level in [1, 6] {
            group.bench_function(BenchmarkId::new(format!("gzip {level}"), series), |bencher| {
                bencher.iter(|| {
                    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
                    encoder.write_all(text.as_bytes()).unwrap();
                    black_box(encoder.finish().unwrap())
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = bench
}
criterion_main!(benches);
