//! Single values: converted if they can be used, counted if they cannot.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::scan::{self, Stop};
use crate::model::UnixTime;

/// How often each field of an answer held a value that cannot be used.
#[derive(Debug, Default)]
pub(super) struct Unusable(pub(super) BTreeMap<&'static str, u64>);

impl Unusable {
    /// Counts one value of `field`.
    pub(super) fn count(&mut self, field: &'static str) {
        *self.0.entry(field).or_default() += 1;
    }
}

/// What the API sent for one field. Names come from the code, never from the answer, so that their list is closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    /// The text of a JSON value, whole and checked.
    pub(super) value: Option<&'a [u8]>,
}

/// What became of a field's value.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Found<T> {
    /// Absent or null.
    #[default]
    Nothing,
    /// Of a type or size that cannot be used.
    Odd,
    /// A value.
    Value(T),
}

impl<'a> Field<'a> {
    /// Converts the value, and counts it where it cannot be used.
    pub(super) fn find<T: Convert<'a>>(self, unusable: &mut Unusable) -> Found<T> {
        match self.value {
            None | Some(b"null") => Found::Nothing,
            Some(json) => T::convert(json).map_or_else(
                || {
                    unusable.count(self.name);
                    Found::Odd
                },
                Found::Value,
            ),
        }
    }

    /// Like [`Self::read`], for a field without which its object is of no use: that it is missing counts too.
    pub(super) fn require<T: Convert<'a>>(self, unusable: &mut Unusable) -> Option<T> {
        self.find(unusable).require(self.name, unusable)
    }

    /// Like [`Self::find`], for a fact that is either known or not.
    pub(super) fn read<T: Convert<'a>>(self, unusable: &mut Unusable) -> Option<T> {
        self.find(unusable).value()
    }
}

impl<T> Found<T> {
    /// Returns the value; counts that it is missing, unless it was counted already as odd.
    pub(super) fn require(self, name: &'static str, unusable: &mut Unusable) -> Option<T> {
        if let Self::Nothing = self {
            unusable.count(name);
        }
        self.value()
    }

    /// Returns the value, if there is one.
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Odd => None,
        }
    }
}

/// A type that can be made from the text of a JSON value.
pub(super) trait Convert<'a>: Sized {
    /// Returns `None` if the value cannot be used.
    fn convert(json: &'a [u8]) -> Option<Self>;
}

/// A quantity: finite and not negative.
impl Convert<'_> for f64 {
    fn convert(json: &[u8]) -> Option<Self> {
        // Everything else that `f64::from_str` would accept, such as `inf`, is no JSON and cannot arrive here.
        let is_number = json.first().is_some_and(|first| first.is_ascii_digit() || *first == b'-');
        let number = is_number.then(|| Self::from_str(str::from_utf8(json).ok()?).ok())??;
        (number.is_finite() && number >= 0.0).then_some(number)
    }
}

/// An id: a whole number. The document has `trialId` as a `number`, so `7.0` is one.
impl Convert<'_> for u64 {
    fn convert(json: &[u8]) -> Option<Self> {
        const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
        str::from_utf8(json).ok()?.parse().ok().or_else(|| {
            let number = f64::convert(json)?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
            (number.fract() == 0.0 && number <= LARGEST_EXACT).then_some(number as Self)
        })
    }
}

impl Convert<'_> for bool {
    fn convert(json: &[u8]) -> Option<Self> {
        match json {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }
}

impl Convert<'_> for String {
    fn convert(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

/// A `date-time` with its offset.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Date(pub(super) UnixTime);

impl Convert<'_> for Date {
    fn convert(json: &[u8]) -> Option<Self> {
        let text = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Self::usual(text).or_else(|| {
            let moment = jiff::Timestamp::from_str(str::from_utf8(text).ok()?).ok()?;
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of the years 0 to 9999 fit")]
            Some(Self(moment.as_millisecond() as UnixTime / 1000.0))
        })
    }
}

impl Date {
    /// Reads a date as JavaScript writes it, `2026-11-22T01:02:03.004Z`: so does the API, and there are two in every
    /// element of its long lists. What is not quite so is left to others.
    fn usual(text: &[u8]) -> Option<Self> {
        const SEPARATORS: [(usize, u8); 7] =
            [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
        const DAYS_BEFORE: [u32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let text: &[u8; 24] = text.try_into().ok()?;
        if SEPARATORS.iter().any(|(at, byte)| text[*at] != *byte) {
            return None;
        }
        let number = |begin: usize, end: usize| {
            let digits =
                text[begin..end].iter().map(|digit| Some(u32::from(*digit)).filter(|_| digit.is_ascii_digit()));
            digits.into_iter().try_fold(0, |number, digit| Some(number * 10 + digit? - u32::from(b'0')))
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second, millisecond) =
            (number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 23)?);
        // Every month has 28 days; the rest, with leap seconds and the time before 1970, is for who knows calendars.
        let is_plain = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=28).contains(&day);
        if !is_plain || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let leap_days = |years: u32| years / 4 - years / 100 + years / 400;
        let days = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
            + DAYS_BEFORE[month as usize - 1]
            + u32::from(is_leap && month > 2)
            + (day - 1);
        let seconds = u64::from(days) * 86_400 + u64::from(hour * 3600 + minute * 60 + second);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of the years 1970 to 9999 fit")]
        Some(Self((seconds * 1000 + u64::from(millisecond)) as UnixTime / 1000.0))
    }
}

/// A list of which only the length matters.
pub(super) struct Length(pub(super) u64);

impl Convert<'_> for Length {
    fn convert(json: &[u8]) -> Option<Self> {
        json.starts_with(b"[").then(|| scan::length(json).ok().map(Self))?
    }
}

/// Objects of the API of which some members are read.
pub(super) trait Fields {
    /// The same fields, borrowed from an answer.
    type Of<'a>;

    /// Returns the fields of the object that the text begins with, and where it ends.
    fn read(text: &[u8]) -> Result<(Self::Of<'_>, usize), Stop>;
}

/// Declares a struct of [`Field`]s: which members of an API object are read, and under what name.
///
/// Members that are not named are skipped without being built. A member that comes twice counts with its last
/// value, as it does for JavaScript, in which the API and its own clients are written; serde's derive would refuse
/// the whole object.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $key:literal),+ $(,)? }) => {
        $(#[$doc])*
        pub(super) struct $name<'a> { $($field: $crate::api::values::Field<'a>),+ }

        impl $crate::api::values::Fields for $name<'_> {
            type Of<'a> = $name<'a>;

            fn read(text: &[u8]) -> Result<($name<'_>, usize), $crate::api::scan::Stop> {
                let mut fields = $name {
                    $($field: $crate::api::values::Field { name: $key, value: None }),+
                };
                let end = $crate::api::scan::object(text, |name, value| {
                    $(if *name == *$key.as_bytes() {
                        fields.$field.value = Some(value);
                        return;
                    })+
                })?;
                Ok((fields, end))
            }
        }

        impl<'a> $crate::api::values::Convert<'a> for $name<'a> {
            fn convert(json: &'a [u8]) -> Option<Self> {
                use $crate::api::values::Fields as _;
                json.starts_with(b"{").then(|| Self::read(json).ok())?.map(|(fields, _)| fields)
            }
        }
    };
}
pub(super) use fields;

#[cfg(test)]
mod tests {
    use super::*;

    fn found<T: for<'a> Convert<'a>>(json: &'static str) -> (Found<T>, u64) {
        let mut unusable = Unusable::default();
        let found = Field { name: "field", value: Some(json.as_bytes()) }.find(&mut unusable);
        (found, unusable.0.values().sum())
    }

    #[test]
    fn numbers_are_finite_and_not_negative() {
        assert_eq!(found::<f64>("0"), (Found::Value(0.0), 0));
        assert_eq!(found::<f64>("1.5e3"), (Found::Value(1500.0), 0));
        assert_eq!(found::<f64>("18446744073709551616"), (Found::Value(18_446_744_073_709_551_616.0), 0));
        assert_eq!(found::<f64>("null"), (Found::Nothing, 0));
        for odd in ["-1", "1e400", "\"12\"", "true", "[]", "{}"] {
            assert_eq!(found::<f64>(odd), (Found::Odd, 1), "{odd}");
        }
    }

    #[test]
    fn ids_are_whole_numbers() {
        assert_eq!(found::<u64>("18446744073709551615"), (Found::Value(u64::MAX), 0));
        assert_eq!(found::<u64>("7.0"), (Found::Value(7), 0));
        for odd in ["7.5", "-7", "1e300", "\"7\""] {
            assert_eq!(found::<u64>(odd), (Found::Odd, 1), "{odd}");
        }
    }

    #[test]
    fn dates_are_right_to_the_second_whatever_their_offset() {
        let second = Found::Value(Date(1_567_272_748.0));
        for same in [
            "\"2019-08-31T17:32:28Z\"",
            "\"2019-08-31T17:32:28.000Z\"",
            "\"2019-08-31T19:32:28+02:00\"",
            "\"2019-08-31T12:02:28-05:30\"",
            "\"2019-09-01T07:32:28.000000+14:00\"",
        ] {
            assert_eq!(found::<Date>(same), (Found::Value(Date(1_567_272_748.0)), 0), "{same}");
        }
        assert_eq!(second, Found::Value(Date(1_567_272_748.0)));
        assert_eq!(found::<Date>("\"2019-08-31T17:32:28.25Z\""), (Found::Value(Date(1_567_272_748.25)), 0));
        assert_eq!(found::<Date>("\"1969-12-31T23:59:59Z\""), (Found::Value(Date(-1.0)), 0));
        for odd in ["\"yesterday\"", "\"2019-08-31\"", "\"2019-08-31T17:32:28\"", "1567272748", "\"\""] {
            assert_eq!(found::<Date>(odd), (Found::Odd, 1), "{odd}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_usual_date_is_what_the_calendar_says(year in 1960_u32..2500, month in 0_u32..14, day in 0_u32..33, time in 0_u32..90_000_000) {
            let (second, millisecond) = (time / 1000, time % 1000);
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            let text = format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z");
            let expected = text.parse::<jiff::Timestamp>().ok();
            #[expect(clippy::cast_precision_loss, reason = "these years fit")]
            let expected = expected.map(|moment| Date(moment.as_millisecond() as UnixTime / 1000.0));
            if let Some(usual) = Date::usual(text.as_bytes()) {
                proptest::prop_assert_eq!(Some(usual), expected);
            }
            proptest::prop_assert_eq!(Date::convert(format!("\"{text}\"").as_bytes()), expected);
        }
    }

    #[test]
    fn a_lone_surrogate_costs_the_string_that_holds_it() {
        assert_eq!(found::<String>(r#""\ud800""#), (Found::Odd, 1));
        assert_eq!(found::<String>(r#""a\u0000\"b""#), (Found::Value("a\0\"b".to_owned()), 0));
    }

    #[test]
    fn of_a_member_that_comes_twice_the_last_one_counts() {
        fields!(Pair { one: "one", two: "two" });
        let pair = Pair::convert(br#"{"one":1,"skipped":{"one":9},"two":"a","\u006fne":2}"#).unwrap();
        let mut unusable = Unusable::default();
        assert_eq!(pair.one.read::<f64>(&mut unusable), Some(2.0));
        assert_eq!(pair.two.read::<f64>(&mut unusable), None);
        assert_eq!(unusable.0, BTreeMap::from([("two", 1)]));
    }
}
