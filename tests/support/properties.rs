//! Properties of every response and every snapshot, for proptest and for the fuzzers in `fuzz/`.

mod meaning;
mod sizes;
mod snapshots;

use std::slice;
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
use meaning::{Members, disguised, plain};
use sizes::{FULL, assert_nothing_is_added, assert_sizes};
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

/// Longest response of which other texts with the same meaning are decoded, in bytes: no value of them exceeds a limit.
const MOST_MEANT: usize = 4096;

/// Length of a long response, in bytes: that of a list of 10,000 ids, which is the highest limit.
const LONG: usize = 140 * 1024;

fn decoded(call: &Call, response: &[u8], size: usize) -> Decoded {
    decoded_within(call, response, size, Share::default())
}

fn decoded_within(call: &Call, response: &[u8], size: usize, share: Share) -> Decoded {
    let parts: Vec<_> = response.chunks(size.max(1)).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let decoding = decode(futures_util::stream::iter(parts), call, &OPTIONS, share, SECRET);
    decoding.now_or_never().expect("nothing to wait for")
}

/// Returns the facts of a response that a call about organization 1 gets.
pub fn facts(collector: Collector, response: &serde_json::Value) -> Facts {
    let call = Call::of_organization(collector, 1);
    let response = response.to_string();
    decoded(&call, response.as_bytes(), 100).facts.unwrap()
}

fn call(collector: u8) -> Call {
    let collector = Collector::ALL[usize::from(collector) % Collector::ALL.len()];
    Call { collector, owner: Some(1), organization_id: Some(1), user_id: Some(2) }
}

/// Both have the same facts, or fail for the same reason. The text of an error says where it was noticed.
fn assert_same(one: &Decoded, other: &Decoded, what: &str) {
    let [facts, others] = [one, other].map(|it| it.facts.as_ref().map_err(Error::reason));
    assert_eq!(facts, others, "{what}");
    assert_eq!(one.page, other.page, "{what}");
}

/// Decodes any bytes as the response to the call that the first byte selects, in parts of as many bytes as the second.
pub fn every_response_is_decoded_or_an_error(input: &[u8]) {
    let [collector, size, response @ ..] = input else { return };
    let call = call(*collector);
    let decoded = assert_decoded(&call, response, usize::from(*size));
    if response.len() <= MOST_MEANT {
        assert_means_what_json_means(&call, response, &decoded);
    }
    if let Ok(facts) = decoded.facts {
        every_exposition_is_readable(Snapshot { facts, ..Snapshot::default() });
    }
}

/// A response is decoded, whole as in parts, to facts of limited size, or is an error.
fn assert_decoded(call: &Call, response: &[u8], size: usize) -> Decoded {
    let whole = decoded(call, response, response.len());
    let in_parts = decoded(call, response, size);
    assert_same(&whole, &in_parts, "in parts");
    assert_eq!((&whole.errors, &whole.truncated), (&in_parts.errors, &in_parts.truncated), "by {size}");
    match &whole.facts {
        Ok(facts) => {
            assert_sizes(facts);
            let share = Share::of(&FULL.0);
            assert_nothing_is_added(call, &decoded_within(call, response, response.len(), share));
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
    whole
}

/// A response that serde_json can read is a success or a failure as it says, and other texts of the same meaning are
/// decoded to the same.
fn assert_means_what_json_means(call: &Call, response: &[u8], decoded_response: &Decoded) {
    let Ok(text) = std::str::from_utf8(response) else { return };
    let Ok(members) = serde_json::from_str::<Members<'_>>(text) else { return };
    let success = members.get("success").map(|value| value.get());
    match &decoded_response.facts {
        Ok(_) => assert_eq!(success, Some("true")),
        Err(Error::Decode(_)) => assert_ne!(success, Some("false")),
        Err(Error::NotFound(_)) if call.collector == Collector::Whitelabel => {}
        Err(error) => assert_eq!(success, Some("false"), "{error:?}"),
    }
    let Some(plain) = plain(text.trim()) else { return };
    assert_same(decoded_response, &decoded(call, plain.as_bytes(), plain.len()), &plain);
    let disguised = disguised(&plain);
    assert_same(decoded_response, &decoded(call, disguised.as_bytes(), 1000), &disguised);
}

/// Decodes a response that is longer than any buffer and any list: a piece of the input, from one place to another, again
/// and again, with its number for each `#`.
pub fn every_long_response_is_decoded_or_an_error(input: &[u8]) {
    let [collector, begin, length, response @ ..] = input else { return };
    let (before, rest) = response.split_at(usize::from(*begin).min(response.len()));
    let (piece, after) = rest.split_at(usize::from(*length).min(rest.len()));
    let mut long = [&[*collector, u8::MAX][..], before].concat();
    for number in (0..LONG).take_while(|_| !piece.is_empty()) {
        let number = number.to_string();
        let bytes =
            piece.iter().flat_map(|byte| if *byte == b'#' { number.as_bytes() } else { slice::from_ref(byte) });
        long.extend(bytes);
        if long.len() >= LONG {
            break;
        }
    }
    long.extend(after);
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
    let json = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if let Ok(members) = serde_json::from_slice::<Members<'_>>(json) {
        let success = members.get("success").map(|value| value.get());
        assert_eq!(is_of_api, success == Some("false"), "{members:?}");
    }
    let is_refusal = matches!(error, Error::Forbidden(_) | Error::NotFound(_));
    assert!(!is_refusal || is_of_api && [403, 404].contains(&status), "{error:?}");
    assert!(is_of_api || error.reason() != "unauthorized" || status == 401, "{error:?}");
    let text = error.to_string();
    assert!(text.len() < 300 && !text.contains(SECRET) && !text.contains(char::is_control), "{text}");
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
