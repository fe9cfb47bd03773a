//! The members that are read of the API's responses, compared with an OpenAPI document.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value as Json;

use crate::api::{ENVELOPE, Member, Schema, members};
use crate::model::Collector;

/// Maximum length of a chain of references: a longer one is a cycle.
const MAX_REFERENCES: usize = 32;

/// Members that are read though the vendor's document lacks them, by endpoint and path: its pages name them, or
/// another endpoint sends the same object with them.
const UNDOCUMENTED: &[(Collector, &[&str])] = &[
    (Collector::User, &["trials", "dailyMetrics"]),
    (Collector::ApiKeys, &["apiKeys[].expires", "apiKeys[].lastUsed"]),
    (Collector::WhitelabelOrganizations, &["organizations[].isDeveloperProfile"]),
    (
        Collector::WhitelabelUser,
        &[
            "user.privatePersonalProjectsUsed",
            "user.subscriptionDowngradeDate",
            "user.subscriptionTerminationDate",
            "user.activeEnterpriseTrial",
            "user.whitelabels",
        ],
    ),
];

fn is_undocumented(collector: Collector, path: &str) -> bool {
    UNDOCUMENTED.iter().any(|(of, paths)| *of == collector && paths.contains(&path))
}

/// A member that the document lacks, or describes with another type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Path of the endpoint.
    pub endpoint: &'static str,
    /// Path of the member in the response, such as `organization.users[].role`; empty for the whole response.
    pub path: String,
    /// The difference.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, path, what } = self;
        let colon = if path.is_empty() { "" } else { ": " };
        write!(formatter, "GET {endpoint}: {path}{colon}{what}")
    }
}

/// An OpenAPI document.
#[derive(Debug)]
pub struct OpenApi(Json);

impl OpenApi {
    /// Reads a document in JSON or YAML.
    ///
    /// # Errors
    /// If it is neither, or has no `paths`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let json = match serde_json::from_str(text) {
            Ok(json) => json,
            Err(json_error) => serde_saphyr::from_str::<Json>(text).map_err(|error| {
                format!("it is neither JSON ({json_error}) nor YAML ({})", error.without_snippet())
            })?,
        };
        match json.get("paths").is_some_and(Json::is_object) {
            true => Ok(Self(json)),
            false => Err("it has no `paths`: expected an OpenAPI document".to_owned()),
        }
    }

    /// Returns the differences of all responses, without members that are known to be undocumented.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        let unknown = |collector| {
            let differences = self.differences_of(collector).into_iter();
            differences.filter(move |difference| {
                !(difference.what == MISSING && is_undocumented(collector, &difference.path))
            })
        };
        Collector::ALL.into_iter().flat_map(unknown).collect()
    }

    /// Returns all differences of the response to a call.
    fn differences_of(&self, collector: Collector) -> Vec<Difference> {
        let endpoint = collector.endpoint();
        let mut found = Vec::new();
        let mut differs =
            |path: &str, what: String| found.push(Difference { endpoint, path: path.to_owned(), what });
        match self.call(endpoint).map(|call| self.response(call)) {
            None => differs("", MISSING.to_owned()),
            Some(None) => differs("", "no response schema".to_owned()),
            Some(Some(response)) => {
                self.compare(&response, ENVELOPE, "", &mut differs);
                self.compare(&response, members(collector), "", &mut differs);
            }
        }
        found
    }

    /// Returns the description of a call. The names of path parameters may differ.
    fn call(&self, endpoint: &str) -> Option<&Json> {
        let without_names = |path: &str| -> Vec<String> {
            path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }.to_owned()).collect()
        };
        let wanted = without_names(endpoint);
        let paths = self.0["paths"].as_object()?;
        paths.iter().find(|(path, _)| without_names(path) == wanted)?.1.get("get")
    }

    /// Returns the schemas of the response to a call.
    fn response<'a>(&'a self, call: &'a Json) -> Option<Vec<&'a Json>> {
        let response = self.follow(call["responses"].get("200")?)?;
        Some(self.parts(response["content"]["application/json"].get("schema")?))
    }

    /// Follows references to their target.
    fn follow<'a>(&'a self, mut schema: &'a Json) -> Option<&'a Json> {
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = schema["$ref"].as_str() else { return Some(schema) };
            schema = self.0.pointer(reference.strip_prefix('#')?)?;
        }
        None
    }

    /// Returns a schema and all schemas that it is combined from.
    fn parts<'a>(&'a self, schema: &'a Json) -> Vec<&'a Json> {
        let mut parts: Vec<&Json> = Vec::new();
        let mut open = vec![schema];
        while let Some(schema) = open.pop() {
            let Some(schema) = self.follow(schema) else { continue };
            // A schema may contain itself.
            if parts.iter().any(|part| std::ptr::eq(*part, schema)) {
                continue;
            }
            parts.push(schema);
            open.extend(["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema[*key].as_array()).flatten());
        }
        parts
    }

    /// Compares the schemas of an object with the members that are read of it.
    fn compare(&self, object: &[&Json], members: &[Member], at: &str, differs: &mut dyn FnMut(&str, String)) {
        for Member { name, schema } in members {
            let path = if at.is_empty() { (*name).to_owned() } else { format!("{at}.{name}") };
            let described = object.iter().filter_map(|part| part["properties"].get(name));
            let parts: Vec<_> = described.flat_map(|schema| self.parts(schema)).collect();
            if parts.is_empty() {
                differs(&path, MISSING.to_owned());
                continue;
            }
            let types = types(&parts);
            if !types.is_empty() && !expected(*schema).iter().any(|name| types.contains(name)) {
                let types: Vec<_> = types.into_iter().collect();
                differs(
                    &path,
                    format!("read as {}, described as {}", expected(*schema)[0], types.join(" or ")),
                );
                continue;
            }
            match schema {
                Schema::Object(members) => self.compare(&parts, members, &path, differs),
                Schema::List(members) => {
                    let items = parts.iter().filter_map(|part| part.get("items"));
                    let items: Vec<_> = items.flat_map(|schema| self.parts(schema)).collect();
                    self.compare(&items, members, &format!("{path}[]"), differs);
                }
                Schema::Boolean | Schema::Number | Schema::Text | Schema::Date | Schema::Length => {}
            }
        }
    }
}

const MISSING: &str = "not in the document";
const DATE: &str = "date-time";

/// Returns the types that can be read; the first is the expected one.
const fn expected(schema: Schema) -> &'static [&'static str] {
    match schema {
        Schema::Boolean => &["boolean"],
        Schema::Number => &["number", "integer"],
        Schema::Text => &["string", DATE],
        Schema::Date => &[DATE],
        Schema::Length | Schema::List(_) => &["array"],
        Schema::Object(_) => &["object"],
    }
}

/// Returns the types of schemas; a string with the format `date-time` is the type `date-time`.
fn types<'a>(parts: &[&'a Json]) -> BTreeSet<&'a str> {
    let mut types = BTreeSet::new();
    for part in parts {
        let named = part["type"].as_str().into_iter();
        // Since OpenAPI 3.1 it may be a list.
        let named = named.chain(part["type"].as_array().into_iter().flatten().filter_map(Json::as_str));
        types.extend(named.filter(|name| *name != "null").map(|name| match (name, part["format"].as_str()) {
            ("string", Some(DATE)) => DATE,
            _ => name,
        }));
        if part.get("properties").is_some() {
            types.insert("object");
        }
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undocumented_members_are_exactly_those_that_the_document_lacks() {
        let document = OpenApi::parse(include_str!("../../tests/data/openapi.json")).unwrap();
        for collector in Collector::ALL {
            let lacks: BTreeSet<_> =
                document.differences_of(collector).into_iter().map(|found| found.path).collect();
            let known = UNDOCUMENTED.iter().filter(|(of, _)| *of == collector);
            let known: BTreeSet<_> =
                known.flat_map(|(_, paths)| *paths).map(|path| (*path).to_owned()).collect();
            assert_eq!(lacks, known, "{collector:?}");
        }
    }
}
