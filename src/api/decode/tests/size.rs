//! Memory follows the largest value that is kept.

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};

use super::{OPTIONS, ORGANIZATION, decode_in_parts};
use crate::api::{Decoded, Error, decode};

/// Size of a part as it arrives.
const PART: usize = 64 * 1024;

/// Decodes a response whose parts are made as they are received. Returns the peak memory too, in bytes.
fn decode_long(begin: &str, repeated: &'static str, size: usize, end: &str) -> (Decoded, u64) {
    let part = Bytes::from(repeated.repeat(PART / repeated.len()));
    let count = size / part.len();
    let ends = [begin, end].map(|end| Bytes::copy_from_slice(end.as_bytes()));
    let mut decoded = None;
    let measured = allocation_counter::measure(|| {
        let [begin, end] = ends;
        let parts = std::iter::once(begin).chain(std::iter::repeat_n(part, count)).chain([end]);
        let parts = futures_util::stream::iter(parts).map(Ok);
        decoded = decode(parts, &ORGANIZATION, &OPTIONS, "").now_or_never();
    });
    (decoded.expect("nothing to wait for"), measured.bytes_max)
}

const SUCCESS: &str = r#"{"success":true,"organization":{"id":1"#;

#[test]
fn skipped_values_are_not_buffered_wherever_they_are() {
    let object = r#""role":"admin""#;
    for (begin, repeated, end) in [
        (format!(r#"{SUCCESS}}},"new":["#), r#"{"a":"\"]"},"#, "0]}".to_owned()),
        (format!(r#"{SUCCESS},"logo":""#), r"data\\", r#"","users":[{"role":"admin"}]}}"#.to_owned()),
        (format!(r#"{SUCCESS},"users":[{{{object},"photo":""#), "x", r#""}]}}"#.to_owned()),
        (format!(r#"{SUCCESS},"users":[{{"permissions":["#), "[[]],", format!("0],{object}}}]}}}}")),
    ] {
        let (decoded, peak) = decode_long(&begin, repeated, 32 << 20, &end);
        let organization = &decoded.facts.unwrap().organizations[&1];
        if end.contains(object) || begin.contains(object) {
            assert_eq!(organization.users_by_role, Some([1, 0, 0, 0]), "{begin}");
        }
        assert!(peak < 512 * 1024, "{begin}: {peak} bytes");
    }
}

#[test]
fn the_elements_of_a_long_counted_list_are_not_buffered() {
    let begin = format!(r#"{SUCCESS},"projects":[{{"id":7,"collaborators":["#);
    let collaborator = r#"{"id":1,"username":"somebody","photo":"https://example.com/photos/1.jpg"},"#;
    let end = r#"{}],"name":"large"}]}}"#;
    let (decoded, peak) = decode_long(&begin, collaborator, 8 << 20, end);
    let facts = decoded.facts.unwrap();
    let project = &facts.organizations[&1].projects.as_ref().unwrap().rows[0];
    let count = (8 << 20) / (PART / collaborator.len() * collaborator.len()) * (PART / collaborator.len()) + 1;
    assert_eq!(project.collaborators, Some(count as u64));
    assert_eq!((project.id, project.name.as_deref()), (7, Some("large")));
    assert!(peak < 4 << 20, "{peak} bytes");
}

#[test]
fn a_kept_value_that_is_too_large_is_an_error_that_names_the_limit() {
    let text = "a value is larger than 1048576 bytes";
    for (begin, end) in [
        (format!(r#"{SUCCESS},"name":""#), r#""}}"#),
        (format!(r#"{SUCCESS},"users":[{{"role":""#), r#""}]}}"#),
        (format!(r#"{SUCCESS},""#), r#"":1}}"#),
    ] {
        let (decoded, peak) = decode_long(&begin, "x", 32 << 20, end);
        assert_eq!(decoded.facts, Err(Error::Decode(text.to_owned())), "{begin}");
        assert!(peak < 8 << 20, "{begin}: {peak} bytes");
    }
    let long = "x".repeat(1 << 20);
    let whole = |member| {
        let response = format!(r#"{SUCCESS},"users":[{{"{member}":"{long}"}}]}}}}"#);
        decode_in_parts(ORGANIZATION, response.as_bytes(), response.len()).facts
    };
    assert!(whole("photo").is_ok());
    assert_eq!(whole("role"), Err(Error::Decode(text.to_owned())));
    let (decoded, _) = decode_long(&format!(r#"{SUCCESS},"name":""#), "x", 512 * 1024, r#""}}"#);
    assert_eq!(decoded.facts.unwrap().organizations[&1].info.name.as_ref().unwrap().len(), 512 * 1024);
}

#[test]
fn a_large_element_is_read_like_a_small_one() {
    let element = r#"{"role":"guest","role":"adm\u0069n","pending":true,"photo":"#;
    for (size, peak_size) in [(1024, 512 * 1024), (1 << 20, 512 * 1024)] {
        let begin = format!(r#"{SUCCESS},"users":[{element}""#);
        let end = r#"","activated":"odd","mfaConfigured":false,"idps":[1]}]}}"#;
        let part = Bytes::from("x".repeat(size));
        let parts = [Bytes::from(begin), part, Bytes::from_static(end.as_bytes())];
        let parts: Vec<_> =
            parts.iter().flat_map(|part| part.chunks(PART)).map(Bytes::copy_from_slice).collect();
        let mut decoded = None;
        let measured = allocation_counter::measure(|| {
            let parts = futures_util::stream::iter(parts).map(Ok);
            decoded = decode(parts, &ORGANIZATION, &OPTIONS, "").now_or_never();
        });
        let Decoded { facts, errors, .. } = decoded.unwrap();
        let organization = &facts.unwrap().organizations[&1];
        assert_eq!(organization.users_by_role, Some([1, 0, 0, 0]), "{size}");
        assert_eq!(organization.users_pending, Some(1), "{size}");
        assert_eq!(organization.users_by_sign_in, Some([0, 1, 0]), "{size}");
        assert_eq!(errors, [("activated", 1)].into(), "{size}");
        assert!(measured.bytes_max < peak_size, "{} bytes", measured.bytes_max);
    }
}
