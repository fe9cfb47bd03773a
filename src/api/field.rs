//! Single values: converted if they can be used, counted if they cannot.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::value::RawValue;

use crate::snapshot::UnixTime;

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
    pub(super) value: Option<&'a RawValue>,
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
        match self.value.map(RawValue::get) {
            None | Some("null") => Found::Nothing,
            Some(text) => T::convert(text).map_or_else(
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
    fn convert(json: &'a str) -> Option<Self>;
}

/// A quantity: finite and not negative.
impl Convert<'_> for f64 {
    fn convert(json: &str) -> Option<Self> {
        // Everything else that `f64::from_str` would accept, such as `inf`, is no JSON and cannot arrive here.
        let number =
            json.starts_with(|c: char| c.is_ascii_digit() || c == '-').then(|| Self::from_str(json).ok())??;
        (number.is_finite() && number >= 0.0).then_some(number)
    }
}

/// An id: a whole number. The document has `trialId` as a `number`, so `7.0` is one.
impl Convert<'_> for u64 {
    fn convert(json: &str) -> Option<Self> {
        const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
        json.parse().ok().or_else(|| {
            let number = f64::convert(json)?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
            (number.fract() == 0.0 && number <= LARGEST_EXACT).then_some(number as Self)
        })
    }
}

impl Convert<'_> for bool {
    fn convert(json: &str) -> Option<Self> {
        json.parse().ok()
    }
}

impl Convert<'_> for String {
    fn convert(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

/// A `date-time` with its offset.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Date(pub(super) UnixTime);

impl Convert<'_> for Date {
    fn convert(json: &str) -> Option<Self> {
        let text = json.strip_prefix('"')?.strip_suffix('"')?;
        let moment = jiff::Timestamp::from_str(text).ok()?;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of the years 0 to 9999 fit")]
        Some(Self(moment.as_millisecond() as UnixTime / 1000.0))
    }
}

/// A list of which only the length matters.
pub(super) struct Length(pub(super) u64);

impl Convert<'_> for Length {
    fn convert(json: &str) -> Option<Self> {
        let elements: Vec<serde::de::IgnoredAny> = serde_json::from_str(json).ok()?;
        Some(Self(elements.len() as u64))
    }
}

/// A list, its elements yet to be converted.
impl<'a> Convert<'a> for Vec<&'a RawValue> {
    fn convert(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

/// Objects of the API of which some members are read.
pub(super) trait Fields {
    /// The same fields, borrowed from an answer.
    type Of<'a>: serde::Deserialize<'a>;
}

/// The name of a member, borrowed where it has no escapes.
pub(super) struct Name<'a>(pub(super) std::borrow::Cow<'a, str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Name<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Name<'de>;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(name.into()))
            }
            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(name.to_owned().into()))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Declares a struct of [`Field`]s: which members of an API object are read, and under what name.
///
/// Members that are not named are skipped without being built. A member that comes twice counts with its last
/// value, as it does for JavaScript, in which the API and its own clients are written; serde's derive would refuse
/// the whole object.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $key:literal),+ $(,)? }) => {
        $(#[$doc])*
        pub(super) struct $name<'a> { $($field: $crate::api::field::Field<'a>),+ }

        impl $crate::api::field::Fields for $name<'_> {
            type Of<'a> = $name<'a>;
        }

        impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $name<'de>;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        formatter.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name<'de>, A::Error> {
                        let mut fields = $name {
                            $($field: $crate::api::field::Field { name: $key, value: None }),+
                        };
                        while let Some(name) = map.next_key::<$crate::api::field::Name<'de>>()? {
                            match &*name.0 {
                                $($key => fields.$field.value = map.next_value()?,)+
                                _ => { map.next_value::<serde::de::IgnoredAny>()?; }
                            }
                        }
                        Ok(fields)
                    }
                }
                deserializer.deserialize_map(Visitor)
            }
        }

        impl<'a> $crate::api::field::Convert<'a> for $name<'a> {
            fn convert(json: &'a str) -> Option<Self> {
                serde_json::from_str(json).ok()
            }
        }
    };
}
pub(super) use fields;

#[cfg(test)]
mod tests {
    use super::*;

    fn found<T: for<'a> Convert<'a>>(json: &str) -> (Found<T>, u64) {
        let mut unusable = Unusable::default();
        let value: &RawValue = serde_json::from_str(json).unwrap();
        let found = Field { name: "field", value: Some(value) }.find(&mut unusable);
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

    #[test]
    fn a_lone_surrogate_costs_the_string_that_holds_it() {
        assert_eq!(found::<String>(r#""\ud800""#), (Found::Odd, 1));
        assert_eq!(found::<String>(r#""a\u0000\"b""#), (Found::Value("a\0\"b".to_owned()), 0));
    }

    #[test]
    fn of_a_member_that_comes_twice_the_last_one_counts() {
        fields!(Pair { one: "one", two: "two" });
        let pair: Pair<'_> =
            serde_json::from_str(r#"{"one":1,"skipped":{"one":9},"two":"a","\u006fne":2}"#).unwrap();
        let mut unusable = Unusable::default();
        assert_eq!(pair.one.read::<f64>(&mut unusable), Some(2.0));
        assert_eq!(pair.two.read::<f64>(&mut unusable), None);
        assert_eq!(unusable.0, BTreeMap::from([("two", 1)]));
    }
}
