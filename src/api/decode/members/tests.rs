use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::FutureExt;
use serde_json::{Map, Value as Json, json};

use super::{ENVELOPE, Member, Value, members};
use crate::api::{DecodeOptions, Decoded, decode};
use crate::model::{Call, Collector};

const DOCUMENT: &str = include_str!("../../../../tests/data/openapi.json");

/// Everything that reading an answer leads to.
fn read(collector: Collector, answer: &Json) -> Decoded {
    const OPTIONS: DecodeOptions = DecodeOptions {
        now: 1_793_491_200.0,
        compute_time_unit: 1.0,
        memory_unit: 1.0,
        projects: true,
        most_datasets: 1000,
        days: true,
    };
    let call = Call { owner: Some(1), organization_id: Some(1), user_id: Some(1), ..Call::of(collector) };
    let parts = futures_util::stream::iter([Ok(Bytes::from(answer.to_string()))]);
    decode(parts, &call, &OPTIONS, "").now_or_never().expect("nothing is waited for")
}

fn is_same(one: &Decoded, other: &Decoded) -> bool {
    one.facts == other.facts && one.listed == other.listed && one.unusable == other.unusable
}

/// Makes values that differ from one another, as a document or the table describes them.
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

    /// Returns an answer with all that the document has, and what the table has besides.
    fn answer(&mut self, collector: Collector) -> Json {
        let path = collector.endpoint();
        let answer = &self.document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"];
        let schema = answer["schema"].clone();
        let mut answer = self.of_schema(&schema, 0);
        self.fill(&mut answer, ENVELOPE);
        self.fill(&mut answer, members(collector));
        answer
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
            // Of other datasets items are not read.
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

    /// Adds what the table has and the document has not.
    fn fill(&mut self, object: &mut Json, members: &[Member]) {
        for Member { name, value } in members {
            let made = object.as_object_mut().unwrap().entry(*name).or_insert(Json::Null);
            match value {
                Value::Object(_) if made.is_null() => *made = json!({}),
                Value::Boolean if made.is_null() => *made = json!(true),
                Value::Number if made.is_null() => *made = json!(self.number()),
                Value::Text if made.is_null() => *made = json!(format!("text {}", self.number())),
                Value::Date if made.is_null() => *made = self.date(),
                Value::Length | Value::List(_) if made.is_null() => *made = json!([{}]),
                _ => {}
            }
            match value {
                Value::Object(members) => self.fill(made, members),
                Value::List(members) => self.fill(&mut made[0], members),
                _ => {}
            }
        }
    }
}

/// Returns the places of all members in an answer: as a path of the table, and as a pointer.
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

/// Returns all that the table has of an endpoint, by path.
fn listed(members: &[Member], path: &str, found: &mut BTreeMap<String, Value>) {
    for Member { name, value } in members {
        let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        match value {
            Value::Object(members) => listed(members, &path, found),
            Value::List(members) => listed(members, &format!("{path}[]"), found),
            _ => {}
        }
        assert!(found.insert(path.clone(), *value).is_none(), "{path} comes once");
    }
}

#[test]
fn every_member_that_is_read_is_in_the_table_as_what_it_is_read_and_no_other() {
    let mut examples = Examples::new();
    for collector in Collector::ALL {
        let answer = examples.answer(collector);
        let whole = read(collector, &answer);
        assert!(whole.facts.is_ok() && whole.unusable.is_empty(), "{collector:?}: {whole:?}\n{answer:#}");
        let mut table = BTreeMap::new();
        listed(ENVELOPE, "", &mut table);
        listed(members(collector), "", &mut table);
        let mut found = Vec::new();
        places(&answer, "", "", &mut found);
        for (path, pointer) in found {
            let value = table.remove(&path);
            let odd = match value {
                Some(Value::Boolean | Value::Number) => vec![json!("text"), json!([])],
                Some(Value::Date) => vec![json!("text"), json!(7)],
                Some(Value::Text | Value::Length | Value::List(_)) => vec![json!(7), json!({})],
                Some(Value::Object(_)) => vec![json!(7), json!("text")],
                None => vec![json!(7), json!("text"), json!([]), json!({ "odd": [] }), json!(false)],
            };
            for odd in odd {
                let mut changed = answer.clone();
                *changed.pointer_mut(&pointer).unwrap() = odd.clone();
                let matters = !is_same(&read(collector, &changed), &whole);
                assert_eq!(matters, value.is_some(), "{collector:?}: {path} as {odd} is read, or in the table");
            }
        }
        assert!(table.is_empty(), "{collector:?}: not in the answer: {table:?}");
    }
}

/// What the document does not have, the test above cannot miss: this one looks where the names are written.
#[test]
fn every_name_in_the_code_that_reads_answers_is_in_the_table() {
    const VALUES: [&str; 7] = ["mfa", "sso", "password", "public", "private", "clinical", "a"];
    // Skipped without being read.
    const SKIPPED: [&str; 1] = ["billable"];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/decode");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files =
        files.filter(|file| file.is_file() && !file.ends_with("tests.rs") && !file.ends_with("members.rs"));
    let files: Vec<_> = files.collect();
    assert!(files.len() > 4, "{files:?}");
    let sources: Vec<_> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let mut known: BTreeSet<_> = VALUES.into_iter().chain(SKIPPED).map(str::to_owned).collect();
    for members in Collector::ALL.map(members).into_iter().chain([ENVELOPE]) {
        let mut table = BTreeMap::new();
        listed(members, "", &mut table);
        known.extend(table.keys().filter_map(|path| Some(path.rsplit('.').next()?.to_owned())));
    }
    let lines = sources.iter().flat_map(|source| source.lines());
    let literals = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    let is_name = |text: &&str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
    let unknown: BTreeSet<_> = literals.filter(is_name).filter(|text| !known.contains(*text)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
