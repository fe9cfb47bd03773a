//! Facts do not depend on how a response arrives, nor on what is not read.

use super::{ORGANIZATION, decode_in_parts, facts};
use crate::api::Error;
use crate::model::{Call, Collector, Facts, Limit};

macro_rules! sample {
    ($file:literal) => {
        include_str!(concat!("../../../../tests/data/", $file, ".json"))
    };
}

#[test]
fn facts_do_not_depend_on_the_parts_of_the_response() {
    let samples: [(Call, &str); 16] = [
        (ORGANIZATION, sample!("typical/organization-1")),
        (Call::user(), sample!("typical/current-user")),
        (Call::organizations(), sample!("typical/list-organizations")),
        (Call::whitelabel(Collector::Whitelabel, 1), sample!("typical/white-label")),
        (Call::whitelabel(Collector::WhitelabelOrganizations, 1), sample!("typical/white-label-organizations")),
        (Call::whitelabel_organization(1, 31), sample!("typical/white-label-organization")),
        (Call::whitelabel(Collector::WhitelabelUsers, 1), sample!("typical/white-label-users")),
        (Call::whitelabel(Collector::WhitelabelActivity, 1), sample!("typical/white-label-projects")),
        (Call::whitelabel_user(1, 2), sample!("typical/white-label-user")),
        (Call::of_organization(Collector::ApiKeys, 1), sample!("typical/api-keys-of-organization-1")),
        (Call::of_user(Collector::Plan, 1), sample!("typical/subscription-metrics")),
        (Call::of_organization(Collector::Usage, 1), sample!("typical/organization-1-metrics")),
        (Call::of_organization(Collector::Buckets, 1), sample!("typical/buckets-of-organization-1")),
        (Call::of_organization(Collector::Jobs, 1), sample!("typical/jobs-of-organization-1")),
        (Call::of_organization(Collector::Pipelines, 1), sample!("typical/pipelines-of-organization-1")),
        (
            Call::of_organization(Collector::TransformationJobs, 1),
            sample!("typical/transformation-jobs-of-organization-1"),
        ),
    ];
    for (call, response) in samples {
        let whole = facts(call, response);
        let compact = serde_json::from_str::<serde_json::Value>(response).unwrap().to_string();
        assert_eq!(facts(call, &compact), whole, "without white space");
        for size in (1..64).chain([1000, 16_384]) {
            let decoded = decode_in_parts(call, response.as_bytes(), size);
            assert_eq!(decoded.facts.as_ref(), Ok(&whole), "{call} by {size}");
        }
    }
}

#[test]
fn a_response_cut_short_anywhere_is_an_error() {
    let response = sample!("bare/organization-1").as_bytes();
    let end = response.iter().rposition(|byte| *byte == b'}').unwrap();
    for length in 0..=end {
        let cut = decode_in_parts(ORGANIZATION, &response[..length], 1000).facts;
        let Err(Error::Decode(text)) = cut else { panic!("after {length} bytes: {cut:?}") };
        assert!(text == "the body is empty" || text.contains("ends too early"), "after {length} bytes: {text}");
    }
    assert!(decode_in_parts(ORGANIZATION, &response[..=end], 1000).facts.is_ok());
}

#[test]
fn a_number_at_the_end_of_a_part_is_read_to_its_end() {
    let response = br#"{"success":true,"total":1234567,"metrics":{"totalStorage":12.5e3,"userCount":7}}"#;
    for size in 1..response.len() {
        let usage = decode_in_parts(Call::of_organization(Collector::Usage, 1), response, size).facts.unwrap();
        assert_eq!(usage.organizations[&1].storage_used, Some(12_500.0), "by {size}");
        let users = decode_in_parts(Call::whitelabel(Collector::WhitelabelUsers, 1), response, size);
        assert_eq!(users.page.total, Some(1_234_567), "by {size}");
    }
}

#[test]
fn members_that_are_not_read_may_have_any_name_and_value() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let response = format!(
        r#"{{"new":{deep},"number":1e400,"text":"\ud800","\ud800":0,"organization":{{"id":1,"odd":{deep},
        "users":[{{"role":"admin","odd":{deep},"\udfff":1,"huge":-1e999}}]}},"success":true}}"#
    );
    for size in [1000, response.len()] {
        let decoded = decode_in_parts(ORGANIZATION, response.as_bytes(), size);
        assert_eq!(decoded.facts.unwrap().organizations[&1].users_by_role, Some([1, 0, 0, 0]));
        assert_eq!(decoded.errors, [].into());
    }
}

#[test]
fn an_invalid_value_costs_its_own_field_only() {
    let facts = decode_in_parts(
        ORGANIZATION,
        br#"{"success":true,"organization":{"id":1,"name":"\ud800","created":"2026-10-31T00:00:00Z"},
        "datasets":[{"dataset":"a","totalFileSize":1e400,"totalFileCount":7}]}"#,
        20,
    );
    assert_eq!(facts.errors, [("name", 1), ("totalFileSize", 1)].into());
    let organization = &facts.facts.unwrap().organizations[&1];
    assert_eq!((&organization.info.name, organization.created), (&None, Some(1_793_404_800.0)));
    let datasets = organization.datasets.as_ref().unwrap();
    assert_eq!((datasets.rows[0].size, datasets.rows[0].files), (None, Some(7.0)));
}

#[test]
fn names_roles_and_dates_may_have_escapes() {
    let response = r#"{"success":true,"organization":{"\u0069d":1,"us\u0065rs":[{"r\u006fle":"\u0061dmin",
        "lastAccessToOrganization":"2026-10-31T02:00:00\u002B02:00"}],"created":"2026-10-31T00:00:00\u005a"}}"#;
    let organization = &facts(ORGANIZATION, response).organizations[&1];
    assert_eq!(organization.users_by_role, Some([1, 0, 0, 0]));
    assert_eq!(
        (organization.last_access, organization.created),
        (Some(1_793_404_800.0), Some(1_793_404_800.0))
    );
}

#[test]
fn a_lone_surrogate_in_the_name_of_a_member_costs_that_member_at_any_depth() {
    let odd = r#""\ud800":{"\udfff":["\ud800"]},"\udc00":"\ud800","#;
    let response = format!(
        r#"{{{odd}"success":true,"id":9,"organizations":[{{{odd}"id":1,"entitlementLimits":{{{odd}"totalStorage":5}}}}],
        "activeEnterpriseTrial":{{{odd}"id":2,"organizationId":1}},"dailyMetrics":[{{{odd}"date":"2026-10-31T00:00:00Z"}}]}}"#
    );
    for size in [1, 10, response.len()] {
        let decoded = decode_in_parts(Call::user(), response.as_bytes(), size);
        let facts = decoded.facts.unwrap();
        let limits = facts.organizations[&1].limits.clone().unwrap();
        assert_eq!((limits.storage, facts.trials.len()), (Limit::At(5.0), 1), "by {size}");
        assert!(facts.users[&9].daily.is_some(), "by {size}");
        assert_eq!(decoded.errors, [].into(), "by {size}");
    }
}

#[test]
fn the_last_of_repeated_members_counts() {
    let response = r#"{"success":false,"organization":{"name":"a","name":"b"},"success":true,
        "performance":{"jobLimitM":1,"jobLimitM":2}}"#;
    let organization = &facts(ORGANIZATION, response).organizations[&1];
    assert_eq!(organization.info.name.as_deref(), Some("b"));
    assert_eq!(organization.job_time_limit, Some(120.0));
}

#[test]
fn the_last_of_repeated_objects_and_lists_counts_even_if_it_is_null_or_invalid() {
    let organization = |members: &str| {
        let response = format!(r#"{{"success":true,"organization":{{"id":1}},{members}}}"#);
        let organization =
            &decode_in_parts(ORGANIZATION, response.as_bytes(), 10).facts.unwrap().organizations[&1];
        (organization.limits.is_some(), organization.datasets.as_ref().map(|datasets| datasets.rows.len()))
    };
    let first = r#""entitlementLimits":{},"datasets":[{"dataset":"a"}]"#;
    assert_eq!(organization(first), (true, Some(1)));
    for (last, known) in [
        (r#""entitlementLimits":{},"datasets":[{"dataset":"b"},{"dataset":"c"}]"#, (true, Some(2))),
        (r#""entitlementLimits":null,"datasets":null"#, (false, None)),
        (r#""entitlementLimits":[],"datasets":{}"#, (false, None)),
    ] {
        assert_eq!(organization(&format!("{first},{last}")), known, "{last}");
    }
    for (lists, ids) in
        [(r#"[{"id":1}],"organizations":[{"id":2}]"#, &[2][..]), (r#"null,"organizations":[{"id":3}]"#, &[3])]
    {
        let response = format!(r#"{{"success":true,"id":9,"organizations":{lists}}}"#);
        for call in
            [Call::organizations(), Call::user(), Call::whitelabel(Collector::WhitelabelOrganizations, 1)]
        {
            let listed = facts(call, &response).organizations;
            assert_eq!(listed.keys().copied().collect::<Vec<_>>(), ids, "{call}");
        }
    }
    // Whatever came before, null is no white label and no subscription.
    let whitelabel = r#"{"success":true,"whitelabel":7,"whitelabel":null}"#;
    let decoded = decode_in_parts(Call::whitelabel(Collector::Whitelabel, 1), whitelabel.as_bytes(), 10);
    assert!(matches!(decoded.facts, Err(Error::NotFound(_))), "{decoded:?}");
    let plan = r#"{"success":true,"metrics":[],"metrics":null}"#;
    assert_eq!(facts(Call::of_user(Collector::Plan, 1), plan), Facts::default());
    let response = r#"{"success":true,"organizations":[{"id":1}],"organizations":null}"#;
    let decoded = decode_in_parts(Call::organizations(), response.as_bytes(), 10);
    assert_eq!(decoded.facts, Err(Error::Decode("no `organizations` member".to_owned())));
}

#[test]
fn facts_do_not_depend_on_the_order_of_members() {
    let before =
        r#"{"success":true,"datasets":[{"dataset":"a"}],"organization":{"projects":[],"name":"n","id":1}}"#;
    let after =
        r#"{"organization":{"id":1,"name":"n","projects":[]},"datasets":[{"dataset":"a"}],"success":true}"#;
    let organization = facts(ORGANIZATION, before).organizations.remove(&1).unwrap();
    assert_eq!(organization.info.name.as_deref(), Some("n"));
    assert_eq!(organization.datasets.as_ref().unwrap().rows.len(), 1);
    assert_eq!(facts(ORGANIZATION, after).organizations[&1], organization);
}

#[test]
fn malformed_json_and_other_formats_are_errors_that_say_what_came() {
    for (response, expected) in [
        ("<!DOCTYPE html>", "expected JSON, got HTML: is a proxy answering?"),
        ("[1]", "expected a JSON object, got `[` as the first character"),
        ("", "the body is empty"),
        (r#"{"organization":{}}"#, "no `success` member"),
        (r#"{"success":true}"#, "no `organization` member"),
        (r#"{"success":true,"organization":{"users":[{"role":tru}]}}"#, "malformed JSON after byte 41"),
        (r#"{"success":true,"organization":{"id":1.}}"#, "malformed JSON after byte 37"),
        (r#"{"success":true "#, "the body ends too early, after 16 bytes"),
        (r#"{"success" true}"#, "malformed JSON after byte 11"),
        (r#"{"success":true,}"#, "malformed JSON after byte 16"),
        (r#"{"success":true} 1"#, "malformed JSON after byte 17"),
    ] {
        for size in [1, 7, 100] {
            let facts = decode_in_parts(ORGANIZATION, response.as_bytes(), size).facts;
            assert_eq!(facts, Err(Error::Decode(expected.to_owned())), "{response} by {size}");
        }
    }
}
