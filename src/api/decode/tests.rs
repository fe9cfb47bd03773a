use bytes::Bytes;
use futures_util::FutureExt;

use super::{DecodeOptions, decode};
use crate::api::Error;
use crate::model::Facts;
use crate::model::{Call, Collector};

const OPTIONS: DecodeOptions = DecodeOptions {
    now: 1_793_491_200.0,
    compute_time_unit: 1.0,
    memory_unit: 1.0,
    projects: true,
    most_datasets: 1000,
    days: false,
};

/// Reads an answer that arrives in parts of `size` bytes.
fn read(call: Call, answer: &[u8], size: usize) -> Result<Facts, Error> {
    let parts: Vec<_> = answer.chunks(size).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let decoding = decode(futures_util::stream::iter(parts), &call, &OPTIONS, "").map(|decoded| decoded.facts);
    decoding.now_or_never().expect("nothing is waited for")
}

const ORGANIZATION: Call = Call::of_organization(Collector::Organization, 1);

#[test]
fn facts_do_not_depend_on_how_the_answer_arrives() {
    let samples: [(Call, &str); 9] = [
        (ORGANIZATION, include_str!("../../../tests/data/typical/organization-1.json")),
        (Call::user(), include_str!("../../../tests/data/typical/current-user.json")),
        (Call::organizations(), include_str!("../../../tests/data/typical/list-organizations.json")),
        (
            Call::whitelabel(Collector::Whitelabel, 1),
            include_str!("../../../tests/data/typical/white-label.json"),
        ),
        (
            Call::whitelabel(Collector::WhitelabelOrganizations, 1),
            include_str!("../../../tests/data/typical/white-label-organizations.json"),
        ),
        (
            Call::whitelabel_organization(1, 31),
            include_str!("../../../tests/data/typical/white-label-organization.json"),
        ),
        (
            Call::whitelabel(Collector::WhitelabelUsers, 1),
            include_str!("../../../tests/data/typical/white-label-users.json"),
        ),
        (Call::whitelabel_user(1, 2), include_str!("../../../tests/data/typical/white-label-user.json")),
        (
            Call::of_organization(Collector::Usage, 1),
            include_str!("../../../tests/data/typical/organization-1-metrics.json"),
        ),
    ];
    for (call, answer) in samples {
        let whole = read(call, answer.as_bytes(), answer.len()).unwrap();
        let compact = serde_json::from_str::<serde_json::Value>(answer).unwrap().to_string();
        assert_eq!(read(call, compact.as_bytes(), 4096), Ok(whole.clone()), "without white space");
        for size in (1..64).chain([1000, 16_384]) {
            assert_eq!(read(call, answer.as_bytes(), size).as_ref(), Ok(&whole), "{call} by {size}");
        }
    }
}

#[test]
fn an_answer_cut_short_anywhere_is_an_error() {
    let answer = include_bytes!("../../../tests/data/bare/organization-1.json");
    let end = answer.iter().rposition(|byte| *byte == b'}').unwrap();
    for length in (0..end).step_by(7).chain([end - 1, end]) {
        let cut = read(ORGANIZATION, &answer[..length], 1000);
        assert!(matches!(cut, Err(Error::Decode(_))), "after {length} bytes: {cut:?}");
    }
    assert!(read(ORGANIZATION, &answer[..=end], 1000).is_ok());
}

#[test]
fn a_number_at_the_end_of_a_part_is_not_taken_for_whole() {
    let answer = br#"{"success":true,"metrics":{"totalStorage":1234567}}"#;
    for size in 1..answer.len() {
        let facts = read(Call::of_organization(Collector::Usage, 1), answer, size).unwrap();
        assert_eq!(facts.organizations[&1].storage_used, Some(1_234_567.0));
    }
}

#[test]
fn what_nobody_reads_may_be_as_odd_as_it_likes() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let answer = format!(
        r#"{{"new":{deep},"number":1e400,"text":"\ud800","organization":{{"id":1,"odd":{deep},
        "users":[{{"role":"admin","odd":{deep},"huge":-1e999}}]}},"success":true}}"#
    );
    let facts = read(ORGANIZATION, answer.as_bytes(), 1000).unwrap();
    assert_eq!(facts.organizations[&1].users_by_role, Some([1, 0, 0, 0]));
}

#[test]
fn the_order_of_members_does_not_matter() {
    let before =
        br#"{"success":true,"datasets":[{"dataset":"a"}],"organization":{"projects":[],"name":"n","id":1}}"#;
    let after =
        br#"{"organization":{"id":1,"name":"n","projects":[]},"datasets":[{"dataset":"a"}],"success":true}"#;
    assert_eq!(read(ORGANIZATION, before, 9), read(ORGANIZATION, after, 9));
}
