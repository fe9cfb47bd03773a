//! The members that are read are exactly those of the tables, which `check-api` compares with the API's document.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::decode_in_parts;
use crate::api::{Decoded, ENVELOPE, Member, Schema, members};
use crate::model::{Call, Collector};

const DOCUMENT: &str = include_str!("../../../../tests/data/openapi.json");

fn decoded(collector: Collector, response: &Json) -> Decoded {
    let call = Call { owner: Some(1), organization_id: Some(1), user_id: Some(1), ..Call::of(collector) };
    let response = response.to_string();
    decode_in_parts(call, response.as_bytes(), response.len())
}

fn is_same(one: &Decoded, other: &Decoded) -> bool {
    one.facts == other.facts && one.page == other.page && one.errors == other.errors
}

/// Makes values that differ from one another, from the schemas of a document or the tables.
struct Examples {
    document: Json,
    made: u32,
}

impl Examples {
    fn new() -> Self {
        Self { document: serde_json::from_str(DOCUMENT).unwrap(), made: 0 }
    }

    fn number(&mut self) -> u32 {
        self.made += 1;
        self.made
    }

    fn date(&mut self) -> Json {
        let number = self.number();
        json!(format!("2026-10-{:02}T{:02}:{:02}:00Z", 1 + number / 1440, number / 60 % 24, number % 60))
    }

    /// Returns a response with all members of the document and of the tables.
    fn response(&mut self, collector: Collector) -> Json {
        let path = collector.endpoint();
        let responses = &self.document["paths"][path]["get"]["responses"];
        let schema = responses["200"]["content"]["application/json"]["schema"].clone();
        let mut response = self.of_schema(&schema, 0);
        self.fill(&mut response, ENVELOPE);
        self.fill(&mut response, members(collector));
        response
    }

    fn of_schema(&mut self, schema: &Json, depth: u32) -> Json {
        if let Some(reference) = schema["$ref"].as_str() {
            let schema = self.document.pointer(&reference[1..]).unwrap().clone();
            return self.of_schema(&schema, depth + 1);
        }
        if depth > 16 {
            return Json::Null;
        }
        if let Some(all) = schema["allOf"].as_array() {
            let mut merged = Map::new();
            for part in all {
                match self.of_schema(part, depth + 1) {
                    Json::Object(members) => merged.extend(members),
                    single => return single,
                }
            }
            return Json::Object(merged);
        }
        if let Some(one) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
            return self.of_schema(&one[0], depth + 1);
        }
        if let Some(values) = schema["enum"].as_array() {
            // The items of other datasets are not read.
            return values.iter().find(|value| **value == "clinical").unwrap_or(&values[0]).clone();
        }
        match schema["type"].as_str() {
            Some("boolean") => json!(true),
            Some("integer" | "number") => json!(self.number()),
            Some("string") if schema["format"] == "date-time" => self.date(),
            Some("string") => json!(format!("text {}", self.number())),
            Some("array") => json!([self.of_schema(&schema["items"], depth + 1)]),
            _ => {
                let members = schema["properties"].as_object().into_iter().flatten();
                members.map(|(name, schema)| (name.clone(), self.of_schema(schema, depth + 1))).collect()
            }
        }
    }

    /// Adds the members that the tables have and the document lacks.
    fn fill(&mut self, object: &mut Json, members: &[Member]) {
        for Member { name, schema } in members {
            let made = object.as_object_mut().unwrap().entry(*name).or_insert(Json::Null);
            match schema {
                Schema::Object(_) if made.is_null() => *made = json!({}),
                Schema::Boolean if made.is_null() => *made = json!(true),
                Schema::Number if made.is_null() => *made = json!(self.number()),
                Schema::Text if made.is_null() => *made = json!(format!("text {}", self.number())),
                Schema::Date if made.is_null() => *made = self.date(),
                Schema::Length | Schema::List(_) if made.is_null() => *made = json!([{}]),
                _ => {}
            }
            match schema {
                Schema::Object(members) => self.fill(made, members),
                Schema::List(members) => self.fill(&mut made[0], members),
                _ => {}
            }
        }
    }
}

/// Returns all members of a response: as a path of the tables, and as a JSON pointer.
fn places(value: &Json, path: &str, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let pointer = format!("{pointer}/{name}");
                found.push((path.clone(), pointer.clone()));
                places(value, &path, &pointer, found);
            }
        }
        Json::Array(elements) => {
            if let Some(element) = elements.first() {
                places(element, &format!("{path}[]"), &format!("{pointer}/0"), found);
            }
        }
        _ => {}
    }
}

/// Returns all members of a table by path.
fn listed(members: &[Member], path: &str, found: &mut BTreeMap<String, Schema>) {
    for Member { name, schema } in members {
        let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        match schema {
            Schema::Object(members) => listed(members, &path, found),
            Schema::List(members) => listed(members, &format!("{path}[]"), found),
            _ => {}
        }
        assert!(found.insert(path.clone(), *schema).is_none(), "{path} comes once");
    }
}

#[test]
fn exactly_the_members_of_the_tables_affect_decoding() {
    let mut examples = Examples::new();
    for collector in Collector::ALL {
        let response = examples.response(collector);
        let whole = decoded(collector, &response);
        // Every comparison below is with facts, so that two equal errors cannot pass for no effect.
        assert!(whole.facts.is_ok() && whole.errors.is_empty(), "{collector:?}: {whole:?}\n{response:#}");
        let mut table = BTreeMap::new();
        listed(ENVELOPE, "", &mut table);
        listed(members(collector), "", &mut table);
        let mut found = Vec::new();
        places(&response, "", "", &mut found);
        for (path, pointer) in found {
            let schema = table.remove(&path);
            let invalid = match schema {
                Some(Schema::Boolean | Schema::Number) => vec![json!("text"), json!([])],
                Some(Schema::Date) => vec![json!("text"), json!(7)],
                Some(Schema::Text | Schema::Length | Schema::List(_)) => vec![json!(7), json!({})],
                Some(Schema::Object(_)) => vec![json!(7), json!("text")],
                None => vec![json!(7), json!("text"), json!([]), json!({ "new": [] }), json!(false)],
            };
            for invalid in invalid {
                let mut changed = response.clone();
                *changed.pointer_mut(&pointer).unwrap() = invalid.clone();
                let matters = !is_same(&decoded(collector, &changed), &whole);
                assert_eq!(matters, schema.is_some(), "{collector:?}: {path} as {invalid}");
            }
        }
        assert!(table.is_empty(), "{collector:?}: not in the response: {table:?}");
    }
}
