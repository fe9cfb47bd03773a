//! Redaction of a response: its structure, and the numbers, dates and values that decoding depends on, are kept.
//!
//! Everything else is replaced, however harmless it looks: a text is kept only if it is in a list of this file, a number
//! or date only if it is the value of a member that is read.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::LazyLock;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::api::{self, ENVELOPE, Member, Schema};
use crate::model::{Collector, JOB_STATUSES, TIERS};

/// Fields with values that are kept, and these values.
const KEPT_VALUES: [(&str, &[&str]); 6] = [
    ("role", &["admin", "member", "guest"]),
    ("tier", &TIERS),
    ("type", &["clinical", "files"]),
    ("status", &JOB_STATUSES),
    ("transformJobStatus", &JOB_STATUSES),
    ("uploadJobStatus", &JOB_STATUSES),
];

/// The names of all members that are read.
static NAMES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    fn add(members: &[Member], names: &mut BTreeSet<&'static str>) {
        for Member { name, schema } in members {
            names.insert(name);
            if let Schema::Object(members) | Schema::List(members) = schema {
                add(members, names);
            }
        }
    }
    let mut names = BTreeSet::new();
    let of_calls = Collector::ALL.into_iter().map(api::members);
    of_calls.chain([ENVELOPE]).for_each(|members| add(members, &mut names));
    names
});

/// Maximum nesting, above which values become null. The API's responses have less than ten levels.
const MAX_DEPTH: usize = 64;

/// Replaces texts by placeholders, equal texts by the same placeholder.
#[derive(Default)]
pub(super) struct Redaction(HashMap<String, String>);

impl fmt::Debug for Redaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Redaction({} texts)", self.0.len())
    }
}

impl Redaction {
    /// Returns a redacted response, or `None` if it is not JSON.
    pub(super) fn document(&mut self, body: &[u8]) -> Option<String> {
        let body = body.strip_prefix(api::BYTE_ORDER_MARK).unwrap_or(body);
        let json: &RawValue = serde_json::from_slice(body).ok()?;
        let mut text = String::with_capacity(body.len());
        self.value(Some(""), json, 0, &mut text).ok()?;
        Some(text)
    }

    /// Writes the redacted `json`, which is the value of the field `member` or an element of it; `None` if it is not read.
    fn value(
        &mut self,
        member: Option<&str>,
        json: &RawValue,
        depth: usize,
        to: &mut String,
    ) -> serde_json::Result<()> {
        let json = json.get();
        match json.as_bytes().first() {
            _ if depth > MAX_DEPTH => to.push_str("null"),
            Some(b'{') => {
                let Members(members) = serde_json::from_str(json)?;
                to.push('{');
                for (index, (name, value)) in members.into_iter().enumerate() {
                    if index > 0 {
                        to.push(',');
                    }
                    // What a member is about that is not read may be told by its name.
                    let known = NAMES.get(name.as_str()).copied();
                    let shown = known.map_or_else(|| self.placeholder("name", &name), str::to_owned);
                    *to += &serde_json::to_string(&shown)?;
                    to.push(':');
                    self.value(member.and(known), value, depth + 1, to)?;
                }
                to.push('}');
            }
            Some(b'[') => {
                to.push('[');
                for (index, value) in serde_json::from_str::<Vec<&RawValue>>(json)?.into_iter().enumerate() {
                    if index > 0 {
                        to.push(',');
                    }
                    self.value(member, value, depth + 1, to)?;
                }
                to.push(']');
            }
            Some(b'"') => match serde_json::from_str::<String>(json) {
                Ok(text) => *to += &serde_json::to_string(&self.text(member, &text))?,
                // An unpaired surrogate cannot be decoded, and stays one.
                Err(_) => to.push_str(r#""\ud800""#),
            },
            Some(b't' | b'f') if member.is_none() => to.push_str("false"),
            Some(b'-' | b'0'..=b'9') if member.is_none() => to.push('0'),
            _ => to.push_str(json),
        }
        Ok(())
    }

    fn text(&mut self, member: Option<&str>, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let Some(member) = member else { return self.placeholder("text", text) };
        if member == "error" {
            return api::Error::redacted_text(text).to_owned();
        }
        if KEPT_VALUES.iter().any(|(of, words)| *of == member && words.contains(&text)) {
            return text.to_owned();
        }
        if api::is_no_date(text) {
            return text.chars().take(10).collect::<String>() + "T00:00:00Z";
        }
        match text.parse::<jiff::Timestamp>() {
            // Formatted again, because the parser accepts annotations besides the date.
            Ok(date) => date.to_string(),
            Err(_) => self.placeholder(member, text),
        }
    }

    fn placeholder(&mut self, kind: &str, text: &str) -> String {
        let number = self.0.len() + 1;
        self.0.entry(text.to_owned()).or_insert_with(|| format!("{kind}-{number}")).clone()
    }
}

/// The fields of an object in their order, repeated ones included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Members<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(json: &str) -> String {
        Redaction::default().document(json.as_bytes()).unwrap()
    }

    #[test]
    fn structure_numbers_and_dates_stay() {
        let json =
            r#"{"users":[1,2.50,1e400,18446744073709551616,-0,true,null,{},[],{"id":{}}],"users":{"name":""}}"#;
        assert_eq!(redacted(json), json, "to the digit, and what comes twice does so");
        assert_eq!(redacted(" { \"id\" : [ 1 , 2 ] } "), r#"{"id":[1,2]}"#);
        assert_eq!(
            redacted(r#"{"created":"2026-10-30T02:00:00+02:00"}"#),
            r#"{"created":"2026-10-30T00:00:00Z"}"#
        );
        assert_eq!(
            redacted(r#"{"created":"2026-10-30T00:00:00.250Z"}"#),
            r#"{"created":"2026-10-30T00:00:00.25Z"}"#
        );
        let never = r#"{"created":"9999-12-31T23:59:59.999Z Jan","deletedDate":"0001-01-01T00:00:00Z"}"#;
        assert_eq!(
            redacted(never),
            r#"{"created":"9999-12-31T00:00:00Z","deletedDate":"0001-01-01T00:00:00Z"}"#
        );
        for odd in ["2026-10-30", "2026-10-30T00:00:00", "2026-10-30T00:00:00Z Jan"] {
            assert_eq!(redacted(&format!(r#"{{"created":"{odd}"}}"#)), r#"{"created":"created-1"}"#);
        }
        assert!(!redacted(r#"{"created":"2026-10-30T00:00:00Z[u-ca=canary]"}"#).contains("canary"));
    }

    #[test]
    fn equal_texts_have_the_same_placeholder() {
        let json =
            r#"{"name":"Jan","dataset":"Jan","users":[{"name":"Ann"},"Jan"],"bucket":"jan@example.com"}"#;
        let expected =
            r#"{"name":"name-1","dataset":"name-1","users":[{"name":"name-2"},"name-1"],"bucket":"bucket-3"}"#;
        assert_eq!(redacted(json), expected);
    }

    #[test]
    fn values_of_the_api_are_kept_in_their_fields_only() {
        let json = r#"{"role":"admin","tier":"free","type":"clinical"}"#;
        assert_eq!(redacted(json), json);
        let json = r#"{"role":"owner","tier":"admin","type":"autolabel","name":"admin"}"#;
        assert_eq!(redacted(json), r#"{"role":"role-1","tier":"tier-2","type":"type-3","name":"tier-2"}"#);
    }

    #[test]
    fn field_names_that_people_choose_are_removed() {
        let json = r#"{"metadata":{"Jan":"x"},"parameters":[{"Jan":1}],"Jan Doe":{"jan@example.com":1}}"#;
        let expected = r#"{"name-1":{"name-2":"text-3"},"name-4":[{"name-2":0}],"name-5":{"name-6":0}}"#;
        assert_eq!(redacted(json), expected);
        // A name may look like a member's, in any object.
        let json = r#"{"success":true,"ownersByName":{"JanDoe":{"name":"Jan"}},"users":[{"JanDoe":"JanDoe"}]}"#;
        assert_eq!(
            redacted(json),
            r#"{"success":true,"name-1":{"name-2":{"name":"text-3"}},"users":[{"name-2":"name-2"}]}"#
        );
        // Nor is anything kept of the values, however deep.
        let json =
            r#"{"phone":4915112345678,"notes":[true,-1.5e3,null,{"id":7,"created":"2026-10-30T00:00:00Z"}]}"#;
        let expected = r#"{"name-1":0,"name-2":[false,0,null,{"id":0,"created":"text-3"}]}"#;
        assert_eq!(redacted(json), expected);
    }

    #[test]
    fn an_error_keeps_what_it_means() {
        let meant = |text: &str| redacted(&format!(r#"{{"success":false,"error":"{text}"}}"#));
        assert_eq!(meant("Invalid API key ei_1"), r#"{"success":false,"error":"Invalid API key"}"#);
        assert_eq!(meant("Jan has no access"), r#"{"success":false,"error":"You do not have permission"}"#);
        assert_eq!(meant("Jan is busy"), r#"{"success":false,"error":"An error"}"#);
    }

    #[test]
    fn invalid_json_is_refused_and_invalid_text_stays_invalid() {
        for text in ["", "<p>Jan</p>", r#"{"a":1"#, r#"{"a":1}Jan"#, "\u{feff}\u{feff}{}"] {
            assert_eq!(Redaction::default().document(text.as_bytes()), None, "{text}");
        }
        assert_eq!(redacted("\u{feff}{}"), "{}", "it is read with the mark, too");
        assert_eq!(Redaction::default().document(b"{\"a\":\"\xff\"}"), None);
        assert_eq!(redacted(r#"{"id":"\ud83d"}"#), r#"{"id":"\ud800"}"#);
        let deep = format!("{}\"Jan\"{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(!redacted(&deep).contains("Jan"));
    }
}
