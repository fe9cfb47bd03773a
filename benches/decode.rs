//! Decoding alone: responses of three sizes, in parts as a socket returns them, decoded into facts.
//!
//! `cargo bench --bench decode`; with `--profile dist`, optimized like the program in packages.

#![expect(clippy::unwrap_used, reason = "a benchmark stops with a backtrace at the first failure")]

#[path = "fixture.rs"]
#[expect(dead_code, reason = "other benchmarks use more of it")]
mod fixture;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use edgeimpulse_exporter::api::{DecodeOptions, Decoded, Share, decode};
use edgeimpulse_exporter::model::{Call, Collector};
use futures_util::FutureExt;
use serde::de::IgnoredAny;

const OPTIONS: DecodeOptions = DecodeOptions {
    now: 1_793_491_200.0,
    compute_time_unit: 1.0,
    compute_time_total_unit: 1.0,
    memory_unit: 1.0,
    projects: false,
    most_datasets: 1000,
    days: false,
};

/// Bytes that one read of a socket returns.
const PART: usize = 64 * 1024;

fn decode_parts(parts: &[Bytes]) -> Decoded {
    let call = Call::of_organization(Collector::Organization, 1);
    let parts = futures_util::stream::iter(parts.iter().cloned().map(Ok));
    decode(parts, &call, &OPTIONS, Share::default(), "").now_or_never().unwrap()
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, size) in [("25 KB", fixture::TYPICAL), ("1.4 MB", fixture::LARGE), ("19 MB", fixture::HUGE)] {
        let response = fixture::organization(size).into_bytes();
        let parts: Vec<_> = response.chunks(PART).map(Bytes::copy_from_slice).collect();
        assert!(decode_parts(&parts).facts.is_ok());
        group.throughput(Throughput::Bytes(response.len() as u64));
        group.bench_function(BenchmarkId::new("facts", name), |bencher| {
            bencher.iter(|| black_box(decode_parts(&parts)));
        });
        // The reference: serde_json skips the whole response at once.
        group.bench_function(BenchmarkId::new("serde_json::IgnoredAny", name), |bencher| {
            bencher.iter(|| black_box(serde_json::from_slice::<IgnoredAny>(&response).unwrap()));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = bench
}
criterion_main!(benches);
