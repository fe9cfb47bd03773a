//! What JSON means, as serde_json reads it: the last of repeated members counts, and an escape is its character.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::value::RawValue;

/// Members of an object, the last of each name.
pub(super) type Members<'a> = BTreeMap<String, &'a RawValue>;

/// A value that no member has in every list and object, so that one of them is always of the wrong kind.
const OTHERS: [&str; 7] = ["null", "{}", "[]", "[{}]", r#"{"id":7}"#, "7", r#""x""#];

/// Returns the text with each member once, sorted, and without escapes. `None` if it is not JSON, or the name of a member
/// has half of a surrogate pair, which serde_json refuses.
pub(super) fn plain(json: &str) -> Option<String> {
    Some(match json.bytes().next()? {
        b'{' => {
            let members: Members<'_> = serde_json::from_str(json).ok()?;
            let member = |(name, value): (&String, &&RawValue)| {
                Some(format!("{}:{}", quoted(name), plain(value.get())?))
            };
            format!("{{{}}}", members.iter().map(member).collect::<Option<Vec<_>>>()?.join(","))
        }
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let elements = elements.iter().map(|element| plain(element.get()));
            format!("[{}]", elements.collect::<Option<Vec<_>>>()?.join(","))
        }
        // Half of a surrogate pair stays.
        b'"' => serde_json::from_str(json).map_or_else(|_| json.to_owned(), |text: String| quoted(&text)),
        _ => json.to_owned(),
    })
}

/// Returns another text that means the same as a plain one: in each object, another value comes before that of each
/// member, and a member whose name is half of a surrogate pair; and each character is an escape.
pub(super) fn disguised(plain: &str) -> String {
    match plain.bytes().next() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(plain).unwrap();
            let member = |(number, (name, value)): (usize, (&String, &&RawValue))| {
                let (name, other) = (escaped(name), OTHERS[(number + plain.len()) % OTHERS.len()]);
                format!(r#""\ud800":{other} , {name}:{other},{name} :{}"#, disguised(value.get()))
            };
            let members: Vec<_> = members.iter().enumerate().map(member).collect();
            format!("{{ {} }}", members.join(",\n"))
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(plain).unwrap();
            let elements: Vec<_> = elements.iter().map(|element| disguised(element.get())).collect();
            format!("[\t{}]", elements.join(" ,\r"))
        }
        Some(b'"') => {
            serde_json::from_str(plain).map_or_else(|_| plain.to_owned(), |text: String| escaped(&text))
        }
        _ => plain.to_owned(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::from('"');
    for unit in text.encode_utf16() {
        write!(escaped, "\\u{unit:04X}").unwrap();
    }
    escaped + "\""
}
