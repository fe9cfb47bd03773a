//! Numbers and strings as RFC 8259 has them, in parts of any size.

use super::{ORGANIZATION, decode_in_parts};
use crate::api::Error;
use crate::model::{Call, Collector};

/// What becomes of a value.
#[derive(Debug, PartialEq)]
enum Verdict<T> {
    Value(T),
    /// Valid JSON that its field cannot have.
    Invalid,
    /// Not JSON.
    Malformed,
}
use Verdict::{Invalid, Malformed, Value};

/// Decodes the value of a storage, then that of a name, in all of the sizes.
fn verdicts<T: PartialEq + std::fmt::Debug>(
    cases: &[(&str, Verdict<T>)],
    response: impl Fn(&str) -> (Call, String),
    read: impl Fn(&crate::model::Organization) -> Option<T>,
) {
    for (json, expected) in cases {
        let (call, response) = response(json);
        for size in (1..=7).chain([response.len()]) {
            let decoded = decode_in_parts(call, response.as_bytes(), size);
            let verdict = match decoded.facts {
                Ok(facts) if decoded.errors.is_empty() => Value(read(&facts.organizations[&1]).unwrap()),
                Ok(facts) => {
                    assert_eq!(read(&facts.organizations[&1]), None, "{json}");
                    Invalid
                }
                Err(Error::Decode(_)) => Malformed,
                Err(error) => panic!("{json}: {error}"),
            };
            assert_eq!(verdict, *expected, "{json} by {size}");
        }
    }
}

#[test]
fn numbers_are_those_of_the_standard() {
    let mut cases = vec![
        ("0", Value(0.0)),
        ("-0", Value(0.0)),
        ("-0.0e-5", Value(0.0)),
        ("7", Value(7.0)),
        ("1.5", Value(1.5)),
        ("1e2", Value(100.0)),
        ("1E+2", Value(100.0)),
        ("12e-1", Value(1.2)),
        ("0.1e1", Value(1.0)),
        (" \t\r\n5 \n", Value(5.0)),
        ("0.10000000000000000000000000000000000000001", Value(0.1)),
        ("123456789012345678901234567890", Value(123_456_789_012_345_678_901_234_567_890.0)),
        ("9007199254740993", Value(9_007_199_254_740_992.0)),
        ("1e-400", Value(0.0)),
        ("1e300", Value(1e300)),
    ];
    cases.extend(["-1", "1e301", "1e400", r#""1""#, "true", "[]", "{}", "[1]"].map(|json| (json, Invalid)));
    cases.extend(
        [
            "01",
            "-01",
            "1.",
            "1.e1",
            ".5",
            "+1",
            "1e",
            "1e+",
            "0x1",
            "1_0",
            "1 2",
            "-",
            "--1",
            "NaN",
            "Infinity",
            "-Infinity",
            "tru",
            "True",
            "nul",
            "undefined",
            "1,,",
            "'1'",
            "[1",
            "{]",
            "\u{ff11}",
        ]
        .map(|json| (json, Malformed)),
    );
    verdicts(
        &cases,
        |json| {
            let call = Call::of_organization(Collector::Usage, 1);
            (call, format!(r#"{{"success":true,"metrics":{{"totalStorage":{json}}}}}"#))
        },
        |organization| organization.storage_used,
    );
}

#[test]
fn strings_are_those_of_the_standard() {
    let text = |text: &str| Value(text.to_owned());
    let mut cases = vec![
        (r#""""#, text("")),
        (r#""a b""#, text("a b")),
        (r#""\"\\\/\b\f\n\r\t""#, text("\"\\/\u{8}\u{c}\n\r\t")),
        (r#""\u00e9\u0045\u004F""#, text("\u{e9}EO")),
        ("\"\u{e9}\u{7f}\u{1f600}\u{2028}\"", text("\u{e9}\u{7f}\u{1f600}\u{2028}")),
        (r#""\ud83d\ude00""#, text("\u{1f600}")),
        (r#""\uD83D\uDE00x""#, text("\u{1f600}x")),
        (r#""\u0000""#, text("\0")),
        (r#""\\u0041""#, text("\\u0041")),
        (r#""}]\",{[""#, text("}]\",{[")),
    ];
    cases.extend(
        [
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\udc00\ud800""#,
            r#""\ud800\u0041""#,
            r#""\ud800\ud800""#,
            "1",
            "[]",
        ]
        .map(|json| (json, Invalid)),
    );
    cases.extend(
        [
            r#""\x41""#,
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\'""#,
            "\"a\nb\"",
            "\"a\tb\"",
            "\"\0\"",
            "'a'",
            "a",
            r#""a""b""#,
        ]
        .map(|json| (json, Malformed)),
    );
    verdicts(
        &cases,
        |json| (ORGANIZATION, format!(r#"{{"success":true,"organization":{{"name":{json}}}}}"#)),
        |organization| organization.info.name.clone(),
    );
}
