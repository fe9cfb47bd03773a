//! What is read of the API, held against a document of it: what is gone, and what has another type.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value as Json;

use crate::api::members::{self, Member, Value};
use crate::model::Collector;

/// Longest chain of references that is followed: one that is longer leads in a circle.
const MOST_REFERENCES: usize = 32;

/// A member that the document does not have as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Path of the endpoint.
    pub endpoint: &'static str,
    /// Where the member is in the answer, such as `organization.users[].role`; empty for all of the answer.
    pub path: String,
    /// What is the matter.
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
    /// If it is neither, or describes no API.
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

    /// Returns what is read and is not so in the document.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        let of = |collector| {
            let differences = self.differences_of(collector).into_iter();
            differences.filter(move |difference| {
                !(difference.what == GONE && members::is_undocumented(collector, &difference.path))
            })
        };
        Collector::ALL.into_iter().flat_map(of).collect()
    }

    /// Returns where the answer to a call differs, even if that is known.
    fn differences_of(&self, collector: Collector) -> Vec<Difference> {
        let endpoint = collector.endpoint();
        let mut found = Vec::new();
        let mut differs =
            |path: &str, what: String| found.push(Difference { endpoint, path: path.to_owned(), what });
        match self.call(endpoint).map(|call| self.answer(call)) {
            None => differs("", "the call is gone".to_owned()),
            Some(None) => differs("", "its answer is not described".to_owned()),
            Some(Some(answer)) => {
                self.compare(&answer, members::ENVELOPE, "", &mut differs);
                self.compare(&answer, members::members(collector), "", &mut differs);
            }
        }
        found
    }

    /// Returns the description of a call. Its path may name ids otherwise than the exporter does.
    fn call(&self, endpoint: &str) -> Option<&Json> {
        let without_names = |path: &str| -> Vec<String> {
            path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }.to_owned()).collect()
        };
        let wanted = without_names(endpoint);
        let paths = self.0["paths"].as_object()?;
        paths.iter().find(|(path, _)| without_names(path) == wanted)?.1.get("get")
    }

    /// Returns the schemas that make up the answer to a call.
    fn answer<'a>(&'a self, call: &'a Json) -> Option<Vec<&'a Json>> {
        let response = self.follow(call["responses"].get("200")?)?;
        Some(self.parts(response["content"]["application/json"].get("schema")?))
    }

    /// Follows references to what they lead to.
    fn follow<'a>(&'a self, mut schema: &'a Json) -> Option<&'a Json> {
        for _ in 0..MOST_REFERENCES {
            let Some(reference) = schema["$ref"].as_str() else { return Some(schema) };
            schema = self.0.pointer(reference.strip_prefix('#')?)?;
        }
        None
    }

    /// Returns a schema, and all that it is combined from: together they say what a value may be.
    fn parts<'a>(&'a self, schema: &'a Json) -> Vec<&'a Json> {
        let mut parts: Vec<&Json> = Vec::new();
        let mut open = vec![schema];
        while let Some(schema) = open.pop() {
            let Some(schema) = self.follow(schema) else { continue };
            // A schema that is made of itself adds nothing.
            if parts.iter().any(|part| std::ptr::eq(*part, schema)) {
                continue;
            }
            parts.push(schema);
            open.extend(["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema[*key].as_array()).flatten());
        }
        parts
    }

    /// Compares the members of an object with what is read of them.
    fn compare(&self, object: &[&Json], members: &[Member], at: &str, differs: &mut dyn FnMut(&str, String)) {
        for Member { name, value } in members {
            let path = if at.is_empty() { (*name).to_owned() } else { format!("{at}.{name}") };
            let described = object.iter().filter_map(|part| part["properties"].get(name));
            let parts: Vec<_> = described.flat_map(|schema| self.parts(schema)).collect();
            if parts.is_empty() {
                differs(&path, GONE.to_owned());
                continue;
            }
            let types = types(&parts);
            if !types.is_empty() && !expected(*value).iter().any(|name| types.contains(name)) {
                let types: Vec<_> = types.into_iter().collect();
                differs(&path, format!("read as {}, described as {}", expected(*value)[0], types.join(" or ")));
                continue;
            }
            match value {
                Value::Object(members) => self.compare(&parts, members, &path, differs),
                Value::List(members) => {
                    let items = parts.iter().filter_map(|part| part.get("items"));
                    let items: Vec<_> = items.flat_map(|schema| self.parts(schema)).collect();
                    self.compare(&items, members, &format!("{path}[]"), differs);
                }
                Value::Boolean | Value::Number | Value::Text | Value::Date | Value::Length => {}
            }
        }
    }
}

const GONE: &str = "gone";
const DATE: &str = "date-time";

/// Returns the types that a value may have to be read; the first is the one that is meant.
const fn expected(value: Value) -> &'static [&'static str] {
    match value {
        Value::Boolean => &["boolean"],
        Value::Number => &["number", "integer"],
        Value::Text => &["string", DATE],
        Value::Date => &[DATE],
        Value::Length | Value::List(_) => &["array"],
        Value::Object(_) => &["object"],
    }
}

/// Returns the types that schemas name, with a format of text that matters as a type of its own.
fn types<'a>(parts: &[&'a Json]) -> BTreeSet<&'a str> {
    let mut types = BTreeSet::new();
    for part in parts {
        let named = part["type"].as_str().into_iter();
        // As of OpenAPI 3.1 there may be several.
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
    fn what_the_document_lacks_and_what_is_called_undocumented_are_the_same() {
        let document = OpenApi::parse(include_str!("../../tests/data/openapi.json")).unwrap();
        for collector in Collector::ALL {
            let lacks: BTreeSet<_> =
                document.differences_of(collector).into_iter().map(|found| found.path).collect();
            let known = members::UNDOCUMENTED.iter().filter(|(of, _)| *of == collector);
            let known: BTreeSet<_> =
                known.flat_map(|(_, paths)| *paths).map(|path| (*path).to_owned()).collect();
            assert_eq!(lacks, known, "{collector:?}");
        }
    }
}
