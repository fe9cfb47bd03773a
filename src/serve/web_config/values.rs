//! Values that YAML libraries read in several ways, read as the library of exporter-toolkit does.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A boolean, which is not quoted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Boolean(pub(super) bool);

/// A whole number of at least 0, which is not quoted. A negative one counts as 0, and fractions are ignored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) u32);

/// A duration of at least 0: a text such as `1h30m` or `100ms`, or a number of nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct GoDuration(pub(super) Duration);

impl<'de> Deserialize<'de> for Boolean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BooleanVisitor;

        impl Visitor<'_> for BooleanVisitor {
            type Value = Boolean;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a boolean")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Boolean, E> {
                Ok(Boolean(value))
            }
        }

        // Only this tells `false` from `"false"`.
        deserializer.deserialize_any(BooleanVisitor)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = deserializer.deserialize_any(NumberVisitor { is_duration: false })?;
        // A greater burst is no limit either.
        Ok(Self(u32::try_from(number).unwrap_or(u32::MAX)))
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let nanoseconds = deserializer.deserialize_any(NumberVisitor { is_duration: true })?;
        Ok(Self(Duration::from_nanos(nanoseconds)))
    }
}

/// Reads a number, or a duration as nanoseconds.
struct NumberVisitor {
    is_duration: bool,
}

impl Visitor<'_> for NumberVisitor {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_duration { "duration" } else { "u32" })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u64, E> {
        i64::try_from(value).map_or_else(|_| Err(E::custom("the number is too large")), |_| Ok(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u64, E> {
        Ok(u64::try_from(value).unwrap_or(0))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "conversions from a float have no other form; they saturate"
    )]
    fn visit_f64<E: Error>(self, value: f64) -> Result<u64, E> {
        if value < i64::MAX as f64 { Ok(value as u64) } else { Err(E::custom("the number is too large")) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        if !self.is_duration {
            return Err(E::invalid_type(Unexpected::Str(text), &self));
        }
        let error = || E::custom(format!("{text:?} is no duration; expected one such as 1s or 100ms"));
        self.visit_f64(nanoseconds(text).ok_or_else(error)?)
    }
}

/// Parses a duration of Go.
fn nanoseconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0.0);
    }
    let is_of_number = |character: char| character.is_ascii_digit() || character == '.';
    let mut sum = 0.0;
    loop {
        let (number, with_unit) = rest.split_at(rest.find(|character| !is_of_number(character))?);
        let (unit, next) = with_unit.split_at(with_unit.find(is_of_number).unwrap_or(with_unit.len()));
        let unit = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * unit;
        rest = next;
        if rest.is_empty() {
            return Some(sign * sum);
        }
    }
}
