//! Properties of every response and every snapshot. The fuzzers in `fuzz/` test them for longer.

use edgeimpulse_exporter::model::Collector;
use proptest::prelude::*;

use crate::support::data;
use crate::support::properties::{
    every_body_is_bounded, every_long_response_is_decoded_or_an_error,
    every_refusal_is_in_the_words_of_the_api, every_response_is_decoded_or_an_error,
    every_snapshot_is_readable,
};

/// Members that are read of some response.
const NAMES: &str = "
    success error id organization organizations metrics user trials name users projects datasets role pending
    activated mfaConfigured idps lastAccessToOrganization lastModified isPublic allowsLivePublicAccess
    created dataset type totalFileSize totalFileCount bucket entitlementLimits totalStorage numberOfUsers
    userCount adminCount organizationId expirationDate dailyMetrics date totalProjects experiments enabled
    whitelabels whitelabel organizationsLimit total privateProjectCount cpuComputeTime
    computeTimeCurrentContractSince totalUsers totalStaffUsers staffInfo isStaff deletedDate fullDeletionDate
    hasPublicVersion trialId billable buckets connected pipelines nextRun lastRun currentRun steps finished
    transformationJob status uploadJobStatus lastRunStartError itemCountImportIntoProjectFailed jobs started
    allowSignup hasPendingPayments computeMinutesTotal computeMinutesLimit computeResetDate apiKeys expires lastUsed
    isTransformationJobKey categoryKey computeTime finishedSuccessful totalJobCount transformJobStatus
";

fn name() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(NAMES.split_whitespace().collect::<Vec<_>>())
}

/// Valid and invalid values.
fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        (0_u32..100).prop_map(|value| value.to_string()),
        any::<f64>()
            .prop_filter("JSON has no such number", |value| value.is_finite())
            .prop_map(|value| format!("{value:e}")),
        prop::sample::select(
            r#"1e400 -0 18446744073709551616 1.0 "12" "\ud800" "\u0000""#.split(' ').collect::<Vec<_>>()
        )
        .prop_map(str::to_owned),
        prop::sample::select(vec![
            "admin",
            "clinical",
            "failed",
            "2026-10-31T12:00:00+02:00",
            "2026-10-31",
            "Invalid API key"
        ])
        .prop_map(|text| format!("\"{text}\"")),
        any::<String>().prop_map(|text| serde_json::Value::String(text).to_string()),
    ]
}

fn json() -> impl Strategy<Value = String> {
    scalar().prop_recursive(5, 60, 6, |inner| {
        let member = (name(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|elements| format!("[{}]", elements.join(","))),
            prop::collection::vec(member, 0..8).prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &[(&str, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", members.join(",\n"))
}

/// A response that is likely to be decoded: an object with `success` and members that may be read.
fn response() -> impl Strategy<Value = String> {
    let members = prop::collection::vec((name(), json()), 0..8);
    members.prop_map(|mut members| {
        members.push(("success", "true".to_owned()));
        object(&members)
    })
}

#[test]
fn the_longest_lists_have_their_limits() {
    for (collector, before, element, after) in [
        (Collector::Organizations, r#""organizations":["#, r#"{"id":#},"#, "]"),
        (Collector::UserOrganizations, r#""organizations":["#, r##"{"id":#,"name":"#"},"##, "]"),
        (Collector::WhitelabelOrganizations, r#""organizations":["#, r#"{"id":#},"#, "]"),
        (Collector::User, r#""id":1,"organizations":["#, r#"{"id":#},"#, "]"),
        (Collector::User, r#""id":1,"trials":["#, r#"{"id":#,"organizationId":1},"#, "]"),
        (Collector::User, r#""id":1,"whitelabels":["#, r#"{"isAdmin":true,"ownerOrganizationId":#},"#, "]"),
        (Collector::Organization, r#""organization":{"projects":["#, r#"{"id":#},"#, "]}"),
        (Collector::Organization, r#""organization":{},"datasets":["#, r##"{"dataset":"#"},"##, "]"),
        (
            Collector::Organization,
            r#""organization":{},"experiments":["#,
            r##"{"type":"#","enabled":true},"##,
            "]",
        ),
        (Collector::Buckets, r#""buckets":["#, r#"{"id":#,"bucket":"long name of number #"},"#, "]"),
        (Collector::Pipelines, r#""pipelines":["#, r#"{"id":#},"#, "]"),
        (Collector::ApiKeys, r#""apiKeys":["#, r#"{"id":#,"expires":"2027-01-01T00:00:00Z"},"#, "]"),
        (Collector::TransformationJobs, r#""jobs":["#, r#"{"transformJobStatus":"failed"},"#, "]"),
        (Collector::FinishedJobs, r#""jobs":["#, r#"{"id":#},"#, "]"),
        (Collector::WhitelabelUser, r#""user":{"dailyMetrics":["#, r#"{"date":"2026-01-01T00:00:00Z"},"#, "]}"),
    ] {
        let collector = Collector::ALL.iter().position(|known| *known == collector).unwrap();
        let before = format!(r#"{{"success":true,{before}{{}},"#);
        let header = [collector, before.len(), element.len()].map(|number| u8::try_from(number).unwrap());
        let response = format!("{before}{element}{{}}{after}}}");
        every_long_response_is_decoded_or_an_error(&[&header, response.as_bytes()].concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_json_response_is_decoded_or_an_error(collector in any::<u8>(), size in 1_u8..80, response in response()) {
        every_response_is_decoded_or_an_error(&[&[collector, size], response.as_bytes()].concat());
    }

    #[test]
    fn every_long_response_is_decoded(collector in any::<u8>(), begin in any::<u8>(), length in any::<u8>(), response in response()) {
        every_long_response_is_decoded_or_an_error(&[&[collector, begin, length], response.as_bytes()].concat());
    }

    #[test]
    fn every_error_status_is_a_refusal_only_in_the_words_of_the_api(status in any::<u8>(), body in prop_oneof![response(), json(), any::<String>()]) {
        every_refusal_is_in_the_words_of_the_api(&[&[status], body.as_bytes()].concat());
    }

    #[test]
    fn all_bytes_are_decoded_or_an_error(input in prop::collection::vec(any::<u8>(), 0..200)) {
        every_response_is_decoded_or_an_error(&input);
    }

    #[test]
    fn every_damaged_response_is_decoded_or_an_error(collector in any::<u8>(), size in 1_u8..80, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let files = ["organization-1-metrics", "organization-1", "buckets-of-organization-1", "pipelines-of-organization-1", "jobs-of-organization-1", "finished-jobs-of-organization-1",
            "transformation-jobs-of-organization-1", "current-user", "trials-of-user-1", "list-organizations",
            "white-label-organization", "white-label-organizations", "white-label-user", "white-label-users", "white-label",
            "list-organizations", "subscription-metrics", "white-label-projects",
            "api-keys-of-organization-1"];
        let collector = collector % u8::try_from(Collector::ALL.len()).unwrap();
        let mut response = data(&format!("typical/{}.json", files[usize::from(collector)])).into_bytes();
        let at = at.index(response.len());
        response[at] = byte;
        every_response_is_decoded_or_an_error(&[&[collector, size], &response[..]].concat());
    }

    #[test]
    fn every_body_has_a_bounded_size(input in prop::collection::vec(any::<u8>(), 0..300)) {
        every_body_is_bounded(&input);
    }

    #[test]
    fn every_snapshot_has_readable_expositions(input in prop::collection::vec(any::<u8>(), 0..3000)) {
        every_snapshot_is_readable(&input);
    }
}
