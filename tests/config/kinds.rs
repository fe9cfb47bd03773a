//! Every option of the configuration file with a value of every kind.

use serde_json::Value;

use super::{read, schema};

/// Values of each kind, the types of JSON schema that have them, and what errors call them.
const KINDS: [(&str, &[&str], &str); 9] = [
    ("canary", &["string"], "text"),
    ("5", &["integer", "string"], "a number"),
    ("-5", &["string"], "a negative number"),
    ("1.5", &["string"], "a number with a fraction"),
    ("99999999999999999999", &["string"], "a number that is too large"),
    ("true", &["boolean", "string"], "true or false"),
    ("null", &["null"], "nothing"),
    ("[canary]", &["array"], "a list"),
    ("{canary: x}", &["object"], "a mapping"),
];

/// An option: the names of its sections and its own, its types in the schema, and how errors begin that say what it has to
/// be.
struct Field {
    names: Vec<String>,
    types: Vec<String>,
    expected: String,
}

/// Adds the fields below a place of the schema.
fn find(schema: &Value, place: &Value, names: &[String], fields: &mut Vec<Field>) {
    let of_reference = |place: &Value| {
        let name = place["$ref"].as_str().or_else(|| place["anyOf"][0]["$ref"].as_str());
        name.map(|name| &schema["$defs"][name.trim_start_matches("#/$defs/")]).cloned()
    };
    let definition = of_reference(place).unwrap_or_else(|| place.clone());
    let mut types: Vec<_> = match &definition["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(single) => vec![single.clone()],
        // Texts of a fixed list.
        _ => vec!["string".to_owned()],
    };
    if place["anyOf"].is_array() {
        types.push("null".to_owned());
    }
    let expected = match types[0].as_str() {
        "boolean" => "expected true or false",
        "integer" => "expected a whole number",
        "array" => "expected a list",
        "object" => "expected a mapping",
        _ if definition["oneOf"].is_array() => "expected one of ",
        _ => "expected ",
    };
    if !names.is_empty() {
        fields.push(Field { names: names.to_vec(), types, expected: expected.to_owned() });
    }
    let of_elements = of_reference(&definition["items"]).unwrap_or(definition);
    for (name, place) in of_elements["properties"].as_object().into_iter().flatten() {
        find(schema, place, &[names, std::slice::from_ref(name)].concat(), fields);
    }
}

#[test]
fn a_value_of_a_wrong_kind_is_named_with_its_place_what_was_expected_and_what_was_found() {
    let mut fields = Vec::new();
    find(&schema(), &schema(), &[], &mut fields);
    let mut wrong = 0;
    for Field { names, types, expected } in &fields {
        let (name, sections) = names.split_last().unwrap();
        let (mut before, mut after, mut path) = (String::new(), String::new(), names.join("."));
        for section in sections {
            let (open, close) = if section == "accounts" { (": [{", "}]") } else { (": {", "}") };
            before.extend([section, open]);
            after.insert_str(0, close);
        }
        if !sections.is_empty() {
            path = path.replace("accounts.", "accounts[0].");
        }
        before.extend([name, ": "]);
        for (value, its_types, kind) in KINDS {
            if its_types.iter().any(|it| types.iter().any(|allowed| allowed == it)) {
                continue;
            }
            let text = format!("{before}{value}{after}");
            let error = read(&text).unwrap_err();
            let (_, error) = error.split_once("config.yaml:1:").unwrap_or_else(|| panic!("{text}: {error}"));
            let (column, error) = error.split_once(": ").unwrap();
            // Of a mapping, it may be the first field.
            let column: usize = column.parse().unwrap();
            assert!((1..=2).contains(&(column - before.len())), "{text}: column {column}: {error}");
            let said = error.strip_prefix(&format!("{path}: ")).unwrap_or_else(|| panic!("{text}: {error}"));
            assert!(said.starts_with(expected) && said.ends_with(&format!(", got {kind}")), "{text}: {said}");
            assert!(!said.contains("another type") && !said.contains("canary"), "{text}: {said}");
            wrong += 1;
        }
    }
    assert!(fields.len() > 40 && wrong > 150, "{wrong} of {}", fields.len());
}
