//! Single values: converted if they are valid, counted by field name if they are not.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::Error;
use super::budget::Share;
use super::fields::{Object, Schema, Slot};
use super::limits::{MAX_SHORT_TEXT, MAX_TEXT};
use super::stream::{JsonStream, Parts};
use crate::model::UnixTime;

/// How many bytes the texts of a response may have beyond [`MAX_SHORT_TEXT`] each, in total.
const MAX_LONG_TEXT: usize = 16 * 1024;

/// What could not be read of a response, by field, and what limits it.
#[derive(Debug, Default)]
pub(super) struct DecodeErrors {
    /// What the response may take of the limits of its account.
    pub(super) share: Share,
    /// How often a field held an invalid value.
    pub(super) invalid: BTreeMap<&'static str, u64>,
    /// How many texts of a field were shortened, or elements left out because of a limit.
    pub(super) truncated: BTreeMap<&'static str, u64>,
    /// How many bytes the texts have beyond [`MAX_SHORT_TEXT`] each.
    long_text: usize,
}

impl DecodeErrors {
    /// Returns no errors of a response that may take what `share` has.
    pub(super) fn new(share: Share) -> Self {
        Self { share, ..Self::default() }
    }

    /// Counts one invalid value of `field`.
    pub(super) fn count(&mut self, field: &'static str) {
        *self.invalid.entry(field).or_default() += 1;
    }

    /// Counts elements of the list `field` that were left out.
    pub(super) fn left_out(&mut self, field: &'static str, elements: u64) {
        if elements > 0 {
            *self.truncated.entry(field).or_default() += elements;
        }
    }

    /// Returns how many of `rows` of this size fit into the limit of the account.
    pub(super) fn fitting(&self, rows: usize, size: usize) -> usize {
        (0..rows).take_while(|_| self.share.take_bytes(size)).count()
    }

    /// Leaves out the last of the rows of a list that do not fit into the limit of the account.
    pub(super) fn fit<T>(&mut self, field: &'static str, rows: &mut Vec<T>, size: usize) {
        let fitting = self.fitting(rows.len(), size);
        self.left_out(field, (rows.len() - fitting) as u64);
        rows.truncate(fitting);
    }

    /// Shortens a text of `field` that is too long, at the boundary of a character, and counts it.
    fn shorten(&mut self, field: &'static str, text: &mut String) {
        let beyond_short = text.len().min(MAX_TEXT).saturating_sub(MAX_SHORT_TEXT);
        let may_be_long = self.long_text < MAX_LONG_TEXT && self.share.take_bytes(beyond_short);
        let end = text.floor_char_boundary(if may_be_long { MAX_TEXT } else { MAX_SHORT_TEXT });
        self.long_text += end.saturating_sub(MAX_SHORT_TEXT);
        if end < text.len() {
            text.truncate(end);
            text.shrink_to_fit();
            *self.truncated.entry(field).or_default() += 1;
        }
    }
}

/// A converted value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Value<T> {
    /// Absent or null.
    #[default]
    Missing,
    /// Of a wrong type, or out of range.
    Invalid,
    /// Valid.
    Valid(T),
}

impl<T> Value<T> {
    /// Returns the value if it is valid.
    pub(super) fn valid(self) -> Option<T> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Missing | Self::Invalid => None,
        }
    }

    /// Converts the value if it is valid.
    pub(super) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Value<U> {
        match self {
            Self::Missing => Value::Missing,
            Self::Invalid => Value::Invalid,
            Self::Valid(value) => Value::Valid(convert(value)),
        }
    }

    /// Returns the value, or that it is invalid if it depends on another one that is.
    pub(super) fn given(self, is_valid: bool) -> Self {
        if is_valid { self } else { Self::Invalid }
    }
}

/// An object in another one, of which the response may also say that there is none.
impl<T: Object> Slot for Value<T> {
    const SCHEMA: Schema = Schema::Object(T::MEMBERS);

    fn new(_: &'static str) -> Self {
        Self::default()
    }

    async fn read<S: Parts>(&mut self, name: &'static str, json: &mut JsonStream<S>) -> Result<(), Error> {
        *self = json.enter(b'{', name).await?.map(|()| T::default());
        if let Self::Valid(object) = self {
            json.members(object).await?;
        }
        Ok(())
    }
}

/// A type that JSON is converted to.
pub(super) trait Parse {
    /// What comes of it.
    type Output<'a>;

    /// What `check-api` expects in the API's document.
    const SCHEMA: Schema;

    /// Converts one well-formed JSON value. Returns `None` if it is invalid.
    fn parse(json: &str) -> Option<Self::Output<'_>>;

    /// Limits the size of a value of the field `name`.
    fn limit(_: &mut Self::Output<'_>, _name: &'static str, _: &mut DecodeErrors) {}
}

/// Converts a value of the field `name`, and counts it if it is invalid.
pub(super) fn parse<'a, T: Parse>(
    name: &'static str,
    json: Option<&'a str>,
    errors: &mut DecodeErrors,
) -> Value<T::Output<'a>> {
    let is_missing = |json: &str| {
        json == "null" || T::SCHEMA == Schema::Date && text(json).is_some_and(|text| is_no_date(&text))
    };
    let Some(json) = json.filter(|json| !is_missing(json)) else { return Value::Missing };
    let Some(mut value) = T::parse(json) else {
        errors.count(name);
        return Value::Invalid;
    };
    T::limit(&mut value, name, errors);
    Value::Valid(value)
}

/// Declares a type that JSON is converted to.
macro_rules! value {
    ($(#[$doc:meta])* $name:ident: $schema:ident, |$json:ident| -> $output:ty $parse:block) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::api) struct $name;

        impl $crate::api::values::Parse for $name {
            type Output<'a> = $output;

            const SCHEMA: $crate::api::fields::Schema = $crate::api::fields::Schema::$schema;

            fn parse($json: &str) -> Option<$output> $parse
        }
    };
}
pub(super) use value;

value!(
    /// True or false.
    Boolean: Boolean, |json| -> bool { json.parse().ok() }
);

value!(
    /// A quantity: not negative, and at most 1e300.
    Number: Number, |json| -> f64 {
        // Sums and conversions of units stay finite.
        const LARGEST: f64 = 1e300;
        // `f64::from_str` accepts `inf` and `nan` too, which are not JSON; strings begin with a quote.
        json.parse().ok().filter(|number| (0.0..=LARGEST).contains(number))
    }
);

value!(
    /// An id: a whole number. The API's document has `trialId` as a `number`, so `7.0` is valid.
    Id: Number, |json| -> u64 {
        const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
        json.parse().ok().or_else(|| {
            let number = Number::parse(json)?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
            (number.fract() == 0.0 && number <= LARGEST_EXACT).then_some(number as u64)
        })
    }
);

/// A string of at most [`MAX_TEXT`] bytes; a longer one is shortened.
#[derive(Debug)]
pub(super) struct Text;

impl Parse for Text {
    type Output<'a> = String;

    const SCHEMA: Schema = Schema::Text;

    fn parse(json: &str) -> Option<String> {
        text(json).map(Cow::into_owned)
    }

    fn limit(text: &mut String, name: &'static str, errors: &mut DecodeErrors) {
        errors.shorten(name, text);
    }
}

value!(
    /// Whether a string says anything. The string itself is not kept.
    NonEmpty: Text, |json| -> bool { text(json).map(|text| !text.is_empty()) }
);

value!(
    /// A date and time with its offset.
    Date: Date, |json| -> UnixTime {
        let moment: jiff::Timestamp = text(json)?.parse().ok()?;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of the years 0 to 9999 fit")]
        Some(moment.as_millisecond() as UnixTime / 1000.0)
    }
);

/// Comes before the number of elements of a list that was not kept. No JSON value begins with it.
pub(super) const COUNTED: char = '#';

value!(
    /// The length of a list.
    Length: Length, |json| -> u64 {
        if let Some(elements) = json.strip_prefix(COUNTED) {
            return elements.parse().ok();
        }
        let list: Vec<IgnoredAny> = serde_json::from_str(json).ok()?;
        Some(list.len() as u64)
    }
);

/// Returns true for the first and the last day of calendars, which other systems write for "none" and "never".
pub(crate) fn is_no_date(text: &str) -> bool {
    text.starts_with("0001-01-01") || text.starts_with("9999-12-31")
}

/// Returns a string without its escapes; `None` for anything else, and for half of a surrogate pair.
pub(super) fn text(json: &str) -> Option<Cow<'_, str>> {
    let content = json.strip_prefix('"')?.strip_suffix('"')?;
    if content.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed<T: Parse>(json: &str) -> (Value<T::Output<'_>>, u64) {
        let mut errors = DecodeErrors::default();
        let value = parse::<T>("field", Some(json), &mut errors);
        (value, errors.invalid.values().sum())
    }

    #[test]
    fn numbers_and_their_sums_are_finite_and_not_negative() {
        assert_eq!(parsed::<Number>("0"), (Value::Valid(0.0), 0));
        assert_eq!(parsed::<Number>("1.5e3"), (Value::Valid(1500.0), 0));
        assert_eq!(parsed::<Number>("18446744073709551616"), (Value::Valid(18_446_744_073_709_551_616.0), 0));
        assert_eq!(parsed::<Number>("null"), (Value::Missing, 0));
        assert_eq!(parsed::<Number>("1e300"), (Value::Valid(1e300), 0));
        for invalid in ["-1", "1e400", "1e301", "1.7e308", "\"12\"", "true", "[]", "{}"] {
            assert_eq!(parsed::<Number>(invalid), (Value::Invalid, 1), "{invalid}");
        }
    }

    #[test]
    fn ids_are_whole_numbers() {
        assert_eq!(parsed::<Id>("18446744073709551615"), (Value::Valid(u64::MAX), 0));
        assert_eq!(parsed::<Id>("7.0"), (Value::Valid(7), 0));
        for invalid in ["7.5", "-7", "1e300", "\"7\""] {
            assert_eq!(parsed::<Id>(invalid), (Value::Invalid, 1), "{invalid}");
        }
    }

    #[test]
    fn dates_are_right_to_the_millisecond_whatever_their_offset() {
        for same in [
            r#""2019-08-31T17:32:28Z""#,
            r#""2019-08-31T17:32:28.000Z""#,
            r#""2019-08-31T19:32:28+02:00""#,
            r#""2019-08-31T12:02:28-05:30""#,
            r#""2019-09-01T07:32:28.000000+14:00""#,
            r#""2019-08-31T17:32:28\u005a""#,
        ] {
            assert_eq!(parsed::<Date>(same), (Value::Valid(1_567_272_748.0), 0), "{same}");
        }
        assert_eq!(parsed::<Date>(r#""2019-08-31T17:32:28.25Z""#), (Value::Valid(1_567_272_748.25), 0));
        assert_eq!(parsed::<Date>(r#""1969-12-31T23:59:59Z""#), (Value::Valid(-1.0), 0));
        for invalid in [r#""yesterday""#, r#""2019-08-31""#, r#""2019-08-31T17:32:28""#, "1567272748", r#""""#]
        {
            assert_eq!(parsed::<Date>(invalid), (Value::Invalid, 1), "{invalid}");
        }
        for none in [
            r#""0001-01-01T00:00:00Z""#,
            r#""0001-01-01T00:00:00+00:00""#,
            r#""0001-01-01T00:00:00""#,
            r#""9999-12-31T23:59:59Z""#,
            r#""9999-12-31T23:59:59.9999999Z""#,
            r#""9999\u002d12-31T23:59:59.999-05:00""#,
        ] {
            assert_eq!(parsed::<Date>(none), (Value::Missing, 0), "{none}");
        }
        assert_eq!(parsed::<Text>(r#""0001-01-01T00:00:00Z""#).1, 0);
    }

    #[test]
    fn a_lone_surrogate_makes_its_string_invalid() {
        assert_eq!(parsed::<Text>(r#""\ud800""#), (Value::Invalid, 1));
        assert_eq!(parsed::<Text>(r#""a\u0000\"b""#), (Value::Valid("a\0\"b".to_owned()), 0));
    }

    #[test]
    fn the_elements_of_a_list_are_counted_whatever_they_are() {
        for (list, count) in [("[]", 0), ("[ ]", 0), ("[1]", 1), (r#"[ [1,2] , {"a":1e999}, "\ud800" ]"#, 3)] {
            assert_eq!(parsed::<Length>(list), (Value::Valid(count), 0), "{list}");
        }
        assert_eq!(parsed::<Length>("{}"), (Value::Invalid, 1));
    }
}
