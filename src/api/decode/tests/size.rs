//! Memory follows the largest value that is kept.

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};

use super::{OPTIONS, ORGANIZATION, decode_in_parts};
use crate::api::{Decoded, Share, decode};
use crate::model::{Call, Collector, Facts};

/// Size of a part as it arrives.
const PART: usize = 64 * 1024;

/// Decodes a response whose parts are made as they are received. Returns the peak memory too, in bytes.
fn decode_long(call: Call, begin: &str, repeated: &'static str, size: usize, end: &str) -> (Decoded, u64) {
    let part = Bytes::from(repeated.repeat(PART / repeated.len()));
    let count = size / part.len();
    let ends = [begin, end].map(|end| Bytes::copy_from_slice(end.as_bytes()));
    let mut decoded = None;
    let measured = allocation_counter::measure(|| {
        let [begin, end] = ends;
        let parts = std::iter::once(begin).chain(std::iter::repeat_n(part, count)).chain([end]);
        let parts = futures_util::stream::iter(parts).map(Ok);
        decoded = decode(parts, &call, &OPTIONS, Share::default(), "").now_or_never();
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
        let (decoded, peak) = decode_long(ORGANIZATION, &begin, repeated, 32 << 20, &end);
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
    let (decoded, peak) = decode_long(ORGANIZATION, &begin, collaborator, 8 << 20, end);
    let facts = decoded.facts.unwrap();
    let project = &facts.organizations[&1].projects.as_ref().unwrap().rows[0];
    let count = (8 << 20) / (PART / collaborator.len() * collaborator.len()) * (PART / collaborator.len()) + 1;
    assert_eq!(project.collaborators, Some(count as u64));
    assert_eq!((project.id, project.name.as_deref()), (7, Some("large")));
    assert!(peak < 4 << 20, "{peak} bytes");
}

#[test]
fn the_steps_of_a_pipeline_are_not_buffered() {
    let pipelines = Call::of_organization(Collector::Pipelines, 1);
    let step = r#"{"name":"a","parameters":{"a":"b"},"transformationJob":{"status":"finished"}},"#;
    for (list, has_failed) in [
        (r#""lastRun":{"created":"2026-10-31T00:00:00Z","steps":["#, Some(true)),
        (r#""currentRun":null,"steps":["#, None),
    ] {
        let begin = format!(r#"{{"success":true,"pipelines":[{{"id":7,{list}"#);
        let last = r#"{"transformationJob":{"uploadJobStatus":"failed"}}]"#;
        let end = if has_failed.is_some() { "}}]}" } else { "}]}" };
        let (decoded, peak) = decode_long(pipelines, &begin, step, 8 << 20, &format!("{last}{end}"));
        let facts = decoded.facts.unwrap();
        let row = &facts.organizations[&1].pipelines.as_ref().unwrap().rows[0];
        assert_eq!((row.id, row.last_run_failed), (7, has_failed));
        assert_eq!(decoded.errors, [].into());
        assert!(peak < 512 * 1024, "{peak} bytes");
    }
}

#[test]
fn a_value_that_is_too_long_is_invalid_and_a_name_that_is_too_long_unknown() {
    for (begin, end, invalid) in [
        (format!(r#"{SUCCESS},"name":""#), r#""}}"#, Some("name")),
        (format!(r#"{SUCCESS},"created":1"#), r#"1,"deleted":"2020-01-01T00:00:00Z"}}"#, Some("created")),
        (format!(r#"{SUCCESS},"users":[{{"role":""#), r#""}]}}"#, Some("role")),
        (format!(r#"{SUCCESS},""#), r#"":1}}"#, None),
        (format!(r#"{SUCCESS},"new":1"#), "1}}", None),
    ] {
        let (decoded, peak) = decode_long(ORGANIZATION, &begin, "1", 32 << 20, end);
        assert!(decoded.facts.unwrap().organizations.contains_key(&1), "{begin}");
        assert_eq!(decoded.errors, invalid.map(|field| (field, 1)).into_iter().collect(), "{begin}");
        assert!(peak < 512 * 1024, "{begin}: {peak} bytes");
    }
}

#[test]
fn a_text_is_shortened_at_a_character_and_many_long_ones_more() {
    let name = "\u{e9}".repeat(1000);
    let response = format!(r#"{SUCCESS},"name":"{name}","whitelabelName":"short"}}}}"#);
    let decoded = decode_in_parts(ORGANIZATION, response.as_bytes(), response.len());
    let info = decoded.facts.unwrap().organizations[&1].info.clone();
    assert_eq!((info.name.as_deref(), info.whitelabel_name.as_deref()), (Some(&name[..1024]), Some("short")));
    assert_eq!(decoded.truncated, [("name", 1)].into());

    let dataset = |number| format!(r#"{{"dataset":"{number:03}{name}"}}"#);
    let datasets: Vec<_> = (0..100).map(dataset).collect();
    let response = format!(r#"{SUCCESS}}},"datasets":[{}]}}"#, datasets.join(","));
    let decoded = decode_in_parts(ORGANIZATION, response.as_bytes(), response.len());
    let facts = decoded.facts.unwrap();
    let lengths = facts.organizations[&1].datasets.as_ref().unwrap().rows.iter().map(|row| row.name.len());
    assert_eq!(lengths.clone().filter(|length| *length == 1023).count(), 18, "16 KiB of long text");
    assert_eq!(lengths.filter(|length| *length == 63).count(), 82);
    assert_eq!(decoded.truncated, [("dataset", 100)].into());
}

#[test]
fn lists_are_kept_up_to_their_limits() {
    type Kept = fn(&Facts) -> usize;
    let organizations: Kept = |facts| facts.organizations.len();
    let trials: Kept = |facts| facts.trials.len();
    let whitelabel_organizations = Call::whitelabel(Collector::WhitelabelOrganizations, 1);
    let whitelabel_user = Call::whitelabel_user(1, 2);
    let id = r#""id":1"#;
    let organization = r#""organization":{"id":1}"#;
    for (call, before, name, element, limit, kept) in [
        (Call::user(), id, "organizations", r#"{"id":#}"#, 10_000, organizations),
        (Call::organizations(), id, "organizations", r#"{"id":#}"#, 10_000, organizations),
        (whitelabel_organizations, id, "organizations", r#"{"id":#}"#, 10_000, organizations),
        (Call::user(), id, "trials", r#"{"id":#,"organizationId":1}"#, 1000, trials),
        (Call::of_user(Collector::Trials, 1), id, "trials", r#"{"id":#,"organizationId":1}"#, 1000, trials),
        (Call::user(), id, "whitelabels", r#"{"ownerOrganizationId":#,"isAdmin":true}"#, 100, |facts| {
            facts.whitelabels.len()
        }),
        (ORGANIZATION, organization, "datasets", r##"{"dataset":"#"}"##, 1000, |facts| {
            facts.organizations[&1].datasets.as_ref().unwrap().rows.len()
        }),
        (Call::of_organization(Collector::Buckets, 1), id, "buckets", r#"{"id":#}"#, 1000, |facts| {
            facts.organizations[&1].buckets.as_ref().unwrap().rows.len()
        }),
        (Call::of_organization(Collector::Pipelines, 1), id, "pipelines", r#"{"id":#}"#, 1000, |facts| {
            facts.organizations[&1].pipelines.as_ref().unwrap().rows.len()
        }),
        (
            Call::of_organization(Collector::ApiKeys, 1),
            id,
            "apiKeys",
            r#"{"id":#,"expires":"2020-01-01T00:00:00Z"}"#,
            1000,
            |facts| facts.organizations[&1].expiring_api_keys.as_ref().unwrap().rows.len(),
        ),
        (ORGANIZATION, organization, "experiments", r##"{"type":"#","enabled":true}"##, 200, |facts| {
            facts.organizations[&1].experiments.as_ref().unwrap().len()
        }),
        (ORGANIZATION, r#""success":true"#, "projects", r#"{"id":#}"#, 10_000, |facts| {
            facts.organizations[&1].projects.as_ref().unwrap().rows.len()
        }),
        (
            whitelabel_user,
            r#""success":true"#,
            "dailyMetrics",
            r#"{"date":"2020-01-01T00:00:00Z"}"#,
            10_000,
            |facts| facts.users[&2].days.as_ref().unwrap().len(),
        ),
    ] {
        let elements: Vec<_> = (0..limit + 7).map(|number| element.replace('#', &number.to_string())).collect();
        let mut response = format!(r#"{before},"{name}":[{}]"#, elements.join(","));
        match name {
            "projects" => response = format!(r#""success":true,"organization":{{{response}}}"#),
            "dailyMetrics" => response = format!(r#""user":{{{response}}}"#),
            _ => {}
        }
        let response = format!(r#"{{"success":true,{response}}}"#);
        let decoded = decode_in_parts(call, response.as_bytes(), PART);
        assert_eq!(kept(&decoded.facts.unwrap()), limit, "{name}");
        assert_eq!(decoded.truncated, [(name, 7)].into());
    }
}

#[test]
fn a_large_element_is_read_like_a_small_one() {
    let element = r#"{"role":"guest","role":"adm\u0069n","pending":false,"photo":"#;
    for (size, peak_size) in [(1024, 512 * 1024), (1 << 20, 512 * 1024)] {
        let begin = format!(r#"{SUCCESS},"users":[{element}""#);
        let end = r#"","activated":true,"mfaConfigured":false,"idps":[1],"lastAccessToOrganization":"odd"}]}}"#;
        let part = Bytes::from("x".repeat(size));
        let parts = [Bytes::from(begin), part, Bytes::from_static(end.as_bytes())];
        let parts: Vec<_> =
            parts.iter().flat_map(|part| part.chunks(PART)).map(Bytes::copy_from_slice).collect();
        let mut decoded = None;
        let measured = allocation_counter::measure(|| {
            let parts = futures_util::stream::iter(parts).map(Ok);
            decoded = decode(parts, &ORGANIZATION, &OPTIONS, Share::default(), "").now_or_never();
        });
        let Decoded { facts, errors, .. } = decoded.unwrap();
        let organization = &facts.unwrap().organizations[&1];
        assert_eq!(organization.users_by_role, Some([1, 0, 0, 0]), "{size}");
        assert_eq!(organization.users_pending, Some(0), "{size}");
        assert_eq!(organization.users_by_sign_in, Some([0, 1, 0]), "{size}");
        assert_eq!(errors, [("lastAccessToOrganization", 1)].into(), "{size}");
        assert!(measured.bytes_max < peak_size, "{} bytes", measured.bytes_max);
    }
}
