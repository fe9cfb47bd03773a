//! `check-api`: compares the members that are read with OpenAPI documents.

use edgeimpulse_exporter::cli::openapi::OpenApi;
use serde_json::{Value, json};

use crate::support::{Program, data, file};

/// Properties of users in the document: of organizations' users only, and of all.
const MEMBER: &str = "/components/schemas/OrganizationUser/allOf/1/properties";
const USER: &str = "/components/schemas/User/properties";

async fn checked(document: &str) -> (Option<i32>, String, String) {
    let path = file("openapi", document);
    let ended = Program::start(&["check-api", "--openapi", &path], &[]).end().await;
    (ended.code, ended.stdout, ended.stderr)
}

fn document() -> Value {
    serde_json::from_str(&data("openapi.json")).unwrap()
}

#[tokio::test]
async fn the_document_in_the_repository_describes_every_member_that_is_read() {
    let (code, said, _) = checked(&data("openapi.json")).await;
    assert_eq!(
        (code, said.as_str()),
        (Some(0), "No differences: the document describes every member that is read.\n")
    );
}

#[tokio::test]
async fn missing_members_and_other_types_are_reported() {
    let mut changed = document();
    let user = changed.pointer_mut(USER).unwrap().as_object_mut().unwrap();
    user.remove("activated").unwrap();
    user["pending"] = json!({ "type": "string" });
    let user = changed.pointer_mut(MEMBER).unwrap().as_object_mut().unwrap();
    user["role"] = json!({ "oneOf": [{ "type": "integer" }, { "type": "object" }] });
    user["lastAccessToOrganization"].as_object_mut().unwrap().remove("format").unwrap();
    let paths = changed["paths"].as_object_mut().unwrap();
    paths.remove("/api/users/{userId}/trials").unwrap();
    paths["/api/user"]["get"]["responses"] = json!({ "204": {} });
    let (code, said, _) = checked(&changed.to_string()).await;
    assert_eq!(code, Some(1));
    let about = "GET /api/organizations/{organizationId}: organization.users[]";
    for line in [
        format!("{about}.activated: not in the document"),
        format!("{about}.pending: read as boolean, described as string"),
        format!("{about}.role: read as string, described as integer or object"),
        format!("{about}.lastAccessToOrganization: read as date-time, described as string"),
        "GET /api/users/{userId}/trials: not in the document".to_owned(),
        "GET /api/user: no response schema".to_owned(),
    ] {
        assert!(said.lines().any(|found| found == line), "{line}\n{said}");
    }
    // Each of the three calls that send such users, and the two lines above.
    assert_eq!(said.lines().count(), 3 * 4 + 2, "{said}");
}

#[test]
fn equivalent_documents_have_no_differences() {
    let mut same = document();
    // Names of ids in a path.
    let paths = same["paths"].as_object_mut().unwrap();
    let call = paths.remove("/api/users/{userId}/trials").unwrap();
    paths.insert("/api/users/{id}/trials".to_owned(), call);
    // OpenAPI 3.1's nullable, a reference to a reference, a whole number.
    let schemas = same["components"]["schemas"].as_object_mut().unwrap();
    schemas["User"]["properties"]["pending"] = json!({ "type": ["boolean", "null"] });
    let limits = schemas.remove("EntitlementLimits").unwrap();
    schemas.insert("ConnectionLimits".to_owned(), json!({ "oneOf": [{ "type": "null" }, limits] }));
    schemas.insert("EntitlementLimits".to_owned(), json!({ "$ref": "#/components/schemas/ConnectionLimits" }));
    schemas["EnterpriseTrial"]["properties"]["id"] = json!({ "type": "number" });
    // A schema that leads to itself.
    schemas.insert("Circle".to_owned(), json!({ "$ref": "#/components/schemas/Circle" }));
    let parts = schemas["OrganizationUser"]["allOf"].as_array_mut().unwrap();
    parts.extend(
        ["OrganizationUser", "Circle"].map(|name| json!({ "$ref": format!("#/components/schemas/{name}") })),
    );
    assert_eq!(OpenApi::parse(&same.to_string()).unwrap().differences(), []);
}

#[tokio::test]
async fn a_document_may_be_yaml_and_anything_else_is_refused_in_one_line() {
    let yaml = "openapi: 3.0.0\npaths:\n  /api/users/{userId}/trials:\n    get:\n      responses:\n        '200': {}\n";
    let (code, said, _) = checked(yaml).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("GET /api/users/{userId}/trials: no response schema\n"), "{said}");
    for (text, why) in [("paths: [", "neither JSON"), ("{}", "no `paths`"), ("", "OpenAPI")] {
        let (code, said, error) = checked(text).await;
        assert_eq!((code, said.as_str(), error.lines().count()), (Some(2), "", 1), "{text}: {error}");
        assert!(error.contains(why) && error.contains("openapi"), "{text}: {error}");
    }
    let ended = Program::start(&["check-api", "--openapi", "/does/not/exist"], &[]).end().await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("/does/not/exist: cannot be read"), "{}", ended.stderr);
}
