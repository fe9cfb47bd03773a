//! Reads YAML files, and turns the parser's errors into messages for the author of the file.

use std::path::{Path, PathBuf};

use std::collections::BTreeMap;

use super::{redact, shown_path};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
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

impl Error {
    /// Returns true if it is about a line of the file.
    pub(crate) const fn has_line(&self) -> bool {
        self.error.location.is_some()
    }
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
        Some(location) => format!("{}:{}:{}", shown_path(path), location.line(), location.column()),
        None => shown_path(path),
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
    deserialize(text, booleans).map_err(|error| {
        let (error, field) = *error;
        let is_syntax = matches!(error, ParserError::ExternalMessage { .. });
        let given = error.location().and_then(|location| given_at(text, location));
        let mut what = describe(&error, given);
        if what.starts_with("expected text")
            && let Some(error) = error_of_text::<T>(text, &field, booleans)
        {
            what = describe(&error, given);
        }
        let what = if field.is_empty() || is_syntax { what } else { format!("{field}: {what}") };
        LineError { location: error.location(), what }
    })
}

/// Parses a YAML document. An error has the name of the field.
fn deserialize<T: DeserializeOwned>(text: &str, booleans: Booleans) -> Result<T, Box<(ParserError, String)>> {
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
    parsed.map_err(|error| Box::new((error, field)))
}

/// Returns the error of an empty text in the place of a list or a mapping: of these, the parser says that it expected
/// text, whatever type the field has.
fn error_of_text<T: DeserializeOwned>(text: &str, field: &str, booleans: Booleans) -> Option<ParserError> {
    let mut document: serde_json::Value = serde_saphyr::from_str(text).ok()?;
    let pointer = format!("/{}", field.replace(']', "").replace(['.', '['], "/"));
    *document.pointer_mut(&pointer)? = serde_json::Value::from("");
    // JSON is YAML too.
    let (error, found) = *deserialize::<T>(&document.to_string(), booleans).err()?;
    (found == field).then_some(error)
}

/// Returns the locations of the options of the configuration file that can be wrong although they were parsed.
pub(super) fn fields(text: &str) -> BTreeMap<String, Location> {
    type Section = BTreeMap<String, Spanned<IgnoredAny>>;
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Sections {
        api: Section,
        web: Section,
    }
    let Sections { api, web } = serde_saphyr::from_str(text).unwrap_or_default();
    let of_section = |name: &'static str, section: Section| {
        section.into_iter().map(move |(field, value)| (format!("{name}.{field}"), value.referenced))
    };
    of_section("api", api).chain(of_section("web", web)).collect()
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

/// Describes an error of the parser about a value of the kind `given`. Its own texts contain values, and names of types
/// and functions.
fn describe(error: &ParserError, given: Option<&str>) -> String {
    let expected = |expected: &str| match given {
        Some(given) if given != expected => format!("expected {expected}, got {given}"),
        _ => format!("expected {expected}"),
    };
    match error {
        // Our own parsers of values, in [`super::values`].
        ParserError::Message { msg, .. } => match given {
            // A text or number that is of the right kind has another fault.
            Some("text") if !msg.contains("number") => msg.clone(),
            Some("a number") if msg.contains("number") => msg.clone(),
            Some(given) if msg.starts_with("expected ") => format!("{msg}, got {given}"),
            _ => msg.clone(),
        },
        ParserError::SerdeUnknownField { field, expected: names, .. } => {
            format!("unknown field: {}", expected_one_of(field, names))
        }
        ParserError::SerdeUnknownVariant { expected: names, .. } if given != Some("text") => {
            expected(&format!("one of {}", names.join(", ")))
        }
        ParserError::SerdeUnknownVariant { variant, expected: names, .. } => {
            format!("unknown value {variant:?}: {}", expected_one_of(variant, names))
        }
        ParserError::SerdeMissingField { field, .. } => format!("field {field:?} is missing"),
        ParserError::DuplicateMappingKey { key: Some(key), .. } => format!("field {key:?} is set twice"),
        ParserError::SerdeInvalidType { unexpected, expected: kind, .. } => match kind_of(unexpected).or(given)
        {
            Some(given) => format!("expected {}, got {given}", in_words(kind)),
            None => format!("expected {}", in_words(kind)),
        },
        ParserError::SerdeInvalidValue { expected: kind, .. } => expected(in_words(kind)),
        ParserError::Unexpected { expected: kind, .. } => expected(in_words(kind)),
        ParserError::InvalidScalar { ty, .. } => expected(in_words(ty)),
        ParserError::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => expected("text"),
        ParserError::InvalidBooleanStrict { .. } => expected("true or false"),
        ParserError::NullIntoString { .. } => "expected text, got nothing".to_owned(),
        ParserError::UnknownAnchor { .. } => "there is no anchor of this name".to_owned(),
        ParserError::MultipleDocuments { .. } => "expected one YAML document, found a second one".to_owned(),
        ParserError::Eof { .. } => "the file ends too early".to_owned(),
        // These texts are about syntax and contain nothing of the file.
        ParserError::ExternalMessage { msg, .. } => format!("invalid YAML: {msg}"),
        ParserError::AliasError { error, .. } => describe(error, given),
        _ => "this YAML cannot be used here".to_owned(),
    }
}

/// Returns the names that are expected instead of `name`, and the one that was probably meant.
pub(super) fn expected_one_of(name: &str, names: &[&str]) -> String {
    let nearest = nearest(name, names.iter().copied()).map(|name| format!("; did you mean {name}?"));
    format!("expected one of {}{}", names.join(", "), nearest.unwrap_or_default())
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

/// Returns the kind of a value that the parser did not expect. The location of one that may be of several types is that of
/// its mapping.
fn kind_of(unexpected: &str) -> Option<&'static str> {
    Some(match unexpected.split([' ', '`']).next()? {
        "string" => "text",
        "sequence" => "a list",
        "map" => "a mapping",
        "integer" => "a number",
        "boolean" => "true or false",
        _ => return None,
    })
}

/// Returns the kind of the value at a location, without the value: the parser does not report it.
fn given_at(text: &str, location: Location) -> Option<&'static str> {
    let [line, column] =
        [location.line(), location.column()].map(|place| usize::try_from(place).ok()?.checked_sub(1));
    let (column, mut lines) = (column?, text.lines().skip(line?.saturating_sub(1)));
    let before = if line? == 0 { "" } else { lines.next()? };
    let (start, rest): (Vec<_>, Vec<_>) = lines.next()?.chars().enumerate().partition(|(at, _)| *at < column);
    let [start, rest] = [start, rest].map(|part| part.into_iter().map(|(_, c)| c).collect::<String>());
    // No mapping begins after a key on the same line, and in the lines after `|` and `>` there is only text.
    let is_text = match start.trim_end().chars().next_back() {
        None => before.trim_end_matches(['-', '+', ' ']).ends_with(['|', '>']),
        Some(last) => !['-', '[', ',', '{', '?'].contains(&last),
    };
    // The location of a value that is missing is that of the colon before it.
    let rest =
        rest.strip_prefix(':').filter(|rest| !rest.starts_with(|c: char| !c.is_whitespace())).unwrap_or(&rest);
    let value = rest.split([',', ']', '}', '#']).next().unwrap_or_default().trim();
    Some(match value {
        _ if rest.starts_with('[') || rest.starts_with("- ") => "a list",
        _ if rest.starts_with('{') => "a mapping",
        _ if rest.starts_with(['"', '\'']) => "text",
        _ if !is_text && (value.ends_with(':') || value.contains(": ")) => "a mapping",
        "" | "~" | "null" => "nothing",
        "true" | "false" => "true or false",
        _ if value.parse::<i128>().is_ok_and(|number| number < 0) => "a negative number",
        _ if value.parse::<i128>().is_ok_and(|number| number > i128::from(u64::MAX)) => {
            "a number that is too large"
        }
        _ if value.parse::<i128>().is_err() && value.parse::<f64>().is_ok() => "a number with a fraction",
        _ if value.parse::<f64>().is_ok() => "a number",
        _ => "text",
    })
}

/// Returns the name that `name` is most likely a misspelling of.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |known: &str| strsim::damerau_levenshtein(name, known);
    let nearest = known.into_iter().min_by_key(|known| distance(known))?;
    // A name of which more than half is different is another name.
    (distance(nearest) * 2 <= name.len().max(nearest.len())).then_some(nearest)
}
