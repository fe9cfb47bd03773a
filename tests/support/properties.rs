//! Properties of every response and every snapshot, for proptest and for the fuzzers in `fuzz/`.

mod snapshots;

use std::sync::Arc;
use std::time::Duration;

use arbitrary::Unstructured;
use axum::http;
use bytes::Bytes;
use edgeimpulse_exporter::api::{DecodeOptions, Decoded, Error, Share, body_parts, decode, refusal};
use edgeimpulse_exporter::metrics::{self, Format};
use edgeimpulse_exporter::model::{Call, Collector, Facts, Snapshot};
use futures_util::{FutureExt, StreamExt};

use super::exposition::Exposition;
use snapshots::snapshot;

const OPTIONS: DecodeOptions = DecodeOptions {
    now: 1_793_491_200.0,
    compute_time_unit: 1.0,
    compute_time_total_unit: 1.0,
    memory_unit: 1.0,
    projects: true,
    most_datasets: 10,
    days: true,
};

/// Stands for the credential.
const SECRET: &str = "ei_secret";

fn decoded(call: &Call, response: &[u8], size: usize) -> Decoded {
    let parts: Vec<_> = response.chunks(size.max(1)).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let decoding = decode(futures_util::stream::iter(parts), call, &OPTIONS, Share::default(), SECRET);
    decoding.now_or_never().expect("nothing to wait for")
}

/// Returns the facts of a response that a call about organization 1 gets.
pub fn facts(collector: Collector, response: &serde_json::Value) -> Facts {
    let call = Call::of_organization(collector, 1);
    let response = response.to_string();
    decoded(&call, response.as_bytes(), 100).facts.unwrap()
}

/// Decodes any bytes as the response to the call that the first byte selects, in parts of as many bytes as the second.
pub fn every_response_is_decoded_or_an_error(input: &[u8]) {
    let [collector, size, response @ ..] = input else { return };
    let collector = Collector::ALL[usize::from(*collector) % Collector::ALL.len()];
    let call = Call { collector, owner: Some(1), organization_id: Some(1), user_id: Some(2) };
    let whole = decoded(&call, response, response.len());
    let in_parts = decoded(&call, response, usize::from(*size));
    // The text of an error says where it was noticed, which depends on the parts.
    let [one, other] = [&whole, &in_parts].map(|it| it.facts.as_ref().map_err(Error::reason));
    assert_eq!(one, other, "by {size}");
    assert_eq!((whole.errors, whole.page), (in_parts.errors, in_parts.page), "by {size}");
    assert_eq!(whole.truncated, in_parts.truncated, "by {size}");
    match whole.facts {
        Ok(facts) => {
            assert_sizes(&facts);
            every_exposition_is_readable(Snapshot { facts, ..Snapshot::default() });
        }
        Err(error) => {
            let ordinary = matches!(
                error,
                Error::Decode(_)
                    | Error::Api(_)
                    | Error::Unauthorized(_)
                    | Error::Forbidden(_)
                    | Error::NotFound(_)
            );
            assert!(ordinary, "{error:?}");
            assert!(!error.to_string().contains(SECRET) && !error.to_string().contains(char::is_control));
        }
    }
}

/// Decodes a response that is longer than any buffer: a piece of the input, from one place to another, again and again.
pub fn every_long_response_is_decoded_or_an_error(input: &[u8]) {
    let [collector, begin, length, response @ ..] = input else { return };
    let (before, rest) = response.split_at(usize::from(*begin).min(response.len()));
    let (piece, after) = rest.split_at(usize::from(*length).min(rest.len()));
    let times = (80 * 1024) / piece.len().max(1);
    let long = [&[*collector, u8::MAX][..], before, &piece.repeat(times), after].concat();
    every_response_is_decoded_or_an_error(&long);
}

/// A response with an error status is a refusal only in the API's own words, and nothing else of it is shown.
pub fn every_refusal_is_in_the_words_of_the_api(input: &[u8]) {
    const STATUS: [u16; 8] = [400, 401, 403, 404, 418, 429, 500, 503];
    let [status, body @ ..] = input else { return };
    let status = STATUS[usize::from(*status) % STATUS.len()];
    let parts: Vec<_> = body.chunks(97).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let parts = futures_util::stream::iter(parts);
    let (is_of_api, detail) = runtime.block_on(refusal(parts, status, SECRET, Duration::from_mins(1)));
    let error = Error::of_status(detail, is_of_api, None);
    let json = serde_json::from_slice::<serde_json::Value>(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
    if let Ok(json) = &json {
        assert_eq!(is_of_api, json["success"] == false, "{json}");
    }
    let is_refusal = matches!(error, Error::Forbidden(_) | Error::NotFound(_));
    assert!(!is_refusal || is_of_api && [403, 404].contains(&status), "{error:?}");
    assert!(is_of_api || error.reason() != "unauthorized" || status == 401, "{error:?}");
    let text = error.to_string();
    assert!(text.len() < 300 && !text.contains(SECRET) && !text.contains(char::is_control), "{text}");
}

/// Whatever the response is, its texts and lists have their limits.
fn assert_sizes(facts: &Facts) {
    let organizations = facts.organizations.values();
    let datasets: Vec<_> = organizations.clone().filter_map(|it| it.datasets.as_deref()).collect();
    let names = organizations.filter_map(|it| it.info.name.as_deref());
    let names = names.chain(datasets.iter().flat_map(|it| it.rows.iter().map(|row| &*row.name)));
    assert!(names.map(str::len).all(|length| length <= 1024));
    assert!(datasets.iter().all(|it| it.rows.len() <= OPTIONS.most_datasets));
}

/// Decompresses any bytes, or a long repetition of them: the size stays within the ratio and the limit.
pub fn every_body_is_bounded(input: &[u8]) {
    const LIMIT: u64 = 3 << 20;
    let [times, content @ ..] = input else { return };
    let repeated = usize::from(*times / 2).pow(3).min((4 << 20) / content.len().max(1));
    let body = if times % 2 == 0 { content.to_vec() } else { gzip(&content.repeat(repeated)) };
    let bound = LIMIT.min((1 << 20).max(100 * body.len() as u64 + 100));
    let response = http::Response::builder().header("Content-Encoding", "gzip").body(body).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let size = runtime.block_on(async {
        let mut parts = body_parts(response.into(), LIMIT, "the API");
        let mut size = 0;
        while let Some(Ok(part)) = parts.next().await {
            size += part.len() as u64;
        }
        size
    });
    assert!(size <= bound, "{size} bytes of at most {bound}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

fn text(format: Format, snapshot: &Arc<Snapshot>) -> String {
    metrics::write(format, Arc::clone(snapshot), None)
}

/// The strict parsers of both formats read the same samples.
pub fn every_exposition_is_readable(snapshot: Snapshot) {
    let snapshot = Arc::new(snapshot);
    let first = Exposition::of_open_metrics(&text(Format::OpenMetrics, &snapshot));
    let second = Exposition::of_prometheus_text(&text(Format::PrometheusText, &snapshot));
    assert_eq!(first.samples.len(), second.samples.len());
    for (one, other) in first.samples.iter().zip(&second.samples) {
        assert_eq!((&one.name, &one.labels), (&other.name, &other.labels));
        assert_eq!(one.value.to_bits(), other.value.to_bits());
    }
}

/// Makes any snapshot from the input.
pub fn every_snapshot_is_readable(input: &[u8]) {
    let Ok((snapshot, names)) = snapshot(&mut Unstructured::new(input)) else { return };
    let exposition = Exposition::of_open_metrics(&text(Format::OpenMetrics, &Arc::new(snapshot.clone())));
    for (id, name) in names.iter().filter(|(_, name)| !name.is_empty()) {
        let labels = [("organization_id", &*id.to_string()), ("organization_name", name)];
        assert_eq!(
            exposition.value("edgeimpulse_organization_info", &labels),
            Some(1.0),
            "names come back unchanged"
        );
    }
    every_exposition_is_readable(snapshot);
}
