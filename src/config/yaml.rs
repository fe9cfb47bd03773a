//! Reads YAML files, and turns the parser's errors into messages for the author of the file.

use std::path::{Path, PathBuf};

use super::redact;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path as FieldPath, Segment};
use serde_saphyr::{Error as ParserError, Location, Spanned};

/// Why a file cannot be used: the file, line and column if known, and what is expected. The message contains no value
/// that may be secret.
#[derive(Debug, thiserror::Error)]
#[error("{}", redact(&format!("{}: {}", place(path, error.location), error.what)))]
pub struct Error {
    path: PathBuf,
    error: LineError,
}

/// An [`Error`] without the path of the file.
#[derive(Debug)]
pub(crate) struct LineError {
    location: Option<Location>,
    what: String,
}

impl LineError {
    /// Returns an error about a value.
    pub(crate) fn at<T>(value: &Spanned<T>, what: impl Into<String>) -> Self {
        Self::at_location(value.referenced, what)
    }

    /// Returns an error at a location.
    pub(crate) fn at_location(location: Location, what: impl Into<String>) -> Self {
        Self { location: Some(location), what: what.into() }
    }

    /// Returns an error about the whole file.
    pub(crate) fn without_line(what: impl Into<String>) -> Self {
        Self { location: None, what: what.into() }
    }

    /// Adds the path of the file.
    pub(crate) fn in_file(self, path: &Path) -> Error {
        Error { path: path.to_owned(), error: self }
    }
}

/// Returns a place in a file as `PATH:LINE:COLUMN`, or the path alone.
pub(super) fn place(path: &Path, location: Option<Location>) -> String {
    match location.filter(|location| *location != Location::UNKNOWN) {
        Some(location) => format!("{}:{}:{}", path.display(), location.line(), location.column()),
        None => path.display().to_string(),
    }
}

/// Whether `yes` and `on` are true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Booleans {
    /// No, as in YAML 1.2.
    Strict,
    /// Yes, as in YAML 1.1, which the exporter-toolkit of Prometheus reads.
    Lenient,
}

/// Parses a YAML document.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, booleans: Booleans) -> Result<T, LineError> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        strict_booleans: booleans == Booleans::Strict,
    };
    let mut field = String::new();
    let parsed = serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            field = name(error.path());
            error.into_inner()
        })
    });
    parsed.map_err(|error| {
        let is_syntax = matches!(error, ParserError::ExternalMessage { .. });
        let what = describe(&error);
        let what = if field.is_empty() || is_syntax { what } else { format!("{field}: {what}") };
        LineError { location: error.location(), what }
    })
}

/// Returns the name of a field, e.g. `accounts[0].name`.
fn name(path: &FieldPath) -> String {
    let mut name = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => name.extend(["[", &index.to_string(), "]"]),
            // `Spanned` adds a segment `value`; no field of a file has this name.
            Segment::Map { key } if key != "value" => {
                name.extend([if name.is_empty() { "" } else { "." }, key]);
            }
            _ => {}
        }
    }
    name
}

/// Describes an error of the parser. Its own texts contain values, and names of types and functions.
fn describe(error: &ParserError) -> String {
    match error {
        // Our own parsers of values, in [`super::values`].
        ParserError::Message { msg, .. } => msg.clone(),
        ParserError::SerdeUnknownField { expected, .. } => {
            format!("unknown field: expected one of {}", expected.join(", "))
        }
        ParserError::SerdeUnknownVariant { variant, expected, .. } => {
            format!("unknown value {variant:?}: expected one of {}", expected.join(", "))
        }
        ParserError::SerdeMissingField { field, .. } => format!("field {field:?} is missing"),
        ParserError::DuplicateMappingKey { key: Some(key), .. } => format!("field {key:?} is set twice"),
        ParserError::SerdeInvalidType { unexpected, expected, .. }
        | ParserError::SerdeInvalidValue { unexpected, expected, .. } => match given(unexpected) {
            Some(given) => format!("expected {}, got {given}", in_words(expected)),
            None => format!("expected {}", in_words(expected)),
        },
        ParserError::Unexpected { expected, .. } => format!("expected {}", in_words(expected)),
        ParserError::InvalidScalar { ty, .. } => format!("expected {}", in_words(ty)),
        ParserError::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => "expected text".to_owned(),
        ParserError::UnknownAnchor { .. } => "there is no anchor of this name".to_owned(),
        ParserError::InvalidBooleanStrict { .. } => "expected true or false".to_owned(),
        ParserError::NullIntoString { .. } => "expected text, got nothing".to_owned(),
        ParserError::MultipleDocuments { .. } => "expected one YAML document, found a second one".to_owned(),
        ParserError::Eof { .. } => "the file ends too early".to_owned(),
        // These texts are about syntax and contain nothing of the file.
        ParserError::ExternalMessage { msg, .. } => format!("invalid YAML: {msg}"),
        ParserError::AliasError { error, .. } => describe(error),
        _ => "this YAML cannot be used here".to_owned(),
    }
}

/// Returns the kind of value that the parser expected.
fn in_words(expected: &str) -> &'static str {
    match expected {
        "a map" | "mapping start" => "a mapping",
        _ if expected.starts_with("struct ") => "a mapping",
        "a sequence" | "sequence start" => "a list",
        "boolean" | "a boolean" => "true or false",
        "u16" | "u32" | "u64" | "usize" => "a whole number",
        "duration" => "a duration such as 1s or 100ms",
        "a string" | "string scalar" | "scalar" | "path string" | "text" => "text",
        _ => "a value of another type",
    }
}

/// Returns the kind of value that was given, without the value.
fn given(unexpected: &str) -> Option<&'static str> {
    Some(match unexpected.split(' ').next()? {
        "string" | "character" => "text",
        "integer" | "floating" => "a number",
        "boolean" => "true or false",
        "map" => "a mapping",
        "sequence" => "a list",
        "unit" | "Option" => "nothing",
        _ => return None,
    })
}
