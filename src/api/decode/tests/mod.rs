mod arrival;
mod conformance;
mod members;
mod size;

use bytes::Bytes;
use futures_util::FutureExt;

use super::{DecodeOptions, Decoded, Share, decode};
use crate::model::{Call, Collector, Facts};

const OPTIONS: DecodeOptions = DecodeOptions {
    now: 1_793_491_200.0,
    compute_time_unit: 1.0,
    compute_time_total_unit: 1.0,
    memory_unit: 1.0,
    projects: true,
    most_datasets: 1000,
    days: true,
};

const ORGANIZATION: Call = Call::of_organization(Collector::Organization, 1);

/// Decodes a response that arrives in parts of `size` bytes.
fn decode_in_parts(call: Call, response: &[u8], size: usize) -> Decoded {
    let parts: Vec<_> = response.chunks(size).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let decoding = decode(futures_util::stream::iter(parts), &call, &OPTIONS, Share::default(), "");
    decoding.now_or_never().expect("nothing to wait for")
}

/// Returns the facts of a response that arrives at once.
fn facts(call: Call, response: &str) -> Facts {
    decode_in_parts(call, response.as_bytes(), response.len()).facts.unwrap()
}

#[test]
fn a_refusal_has_no_invalid_fields() {
    for response in [r#"{"success":false,"error":"no permission"}"#, r#"{"success":true}"#] {
        let decoded = decode_in_parts(Call::user(), response.as_bytes(), response.len());
        assert!(decoded.facts.is_err(), "{response}");
        assert!(decoded.errors.is_empty(), "{response}: {:?}", decoded.errors);
    }
}
