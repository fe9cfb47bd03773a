//! The known members of an object, found by serde_json in one pass and converted when they are used.

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize as _, Deserializer as _};
use serde_json::value::RawValue;

use super::schema::{Key, Object};
use super::values::{DecodeErrors, Parse, Value, parse};

/// Largest value that is kept of a response, in bytes: far more than any name, date or number has.
pub(super) const MAX_VALUE_SIZE: usize = 1 << 20;

/// Why no value was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The bytes are not JSON, or the value goes on after them.
    Syntax,
    /// A kept value is larger than [`MAX_VALUE_SIZE`].
    TooLarge,
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        // The only error that is raised here and not by serde_json is the one about the size.
        if error.is_data() { Self::TooLarge } else { Self::Syntax }
    }
}

/// What was read from the beginning of a text, and where it ends.
pub(super) type Prefix<T> = Result<(T, usize), Failure>;

/// A known member of an object: its JSON text is kept, and converted when it is used.
#[derive(Debug)]
pub(super) struct Field<'a, T> {
    pub(super) key: Key<T>,
    pub(super) json: Option<&'a str>,
}

impl<'a, T: Parse> Field<'a, T> {
    /// Converts the value, and counts it if it is invalid.
    pub(super) fn get(&self, errors: &mut DecodeErrors) -> Value<T::Output<'a>> {
        parse(self.key, self.json, errors)
    }

    /// Returns the value if it is valid.
    pub(super) fn read(&self, errors: &mut DecodeErrors) -> Option<T::Output<'a>> {
        self.get(errors).valid()
    }

    /// Returns the value of a field without which its object is useless: a missing one is counted too.
    pub(super) fn require(&self, errors: &mut DecodeErrors) -> Option<T::Output<'a>> {
        self.get(errors).require(self.key.name, errors)
    }
}

/// The known members of an object.
pub(super) trait Fields<'a>: Default {
    /// Returns where the text of a member's value belongs, if the member is known.
    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<&'a str>>;
}

/// A type of object of which [`Fields`] are read.
pub(super) trait FieldsObject: Object {
    type Fields<'a>: Fields<'a>;
}

/// Reads the object that `text` begins with. The last one of repeated members counts, as in JavaScript, which the API
/// and its own clients are written in.
pub(super) fn read_fields<'a, F: Fields<'a>>(text: &'a [u8]) -> Prefix<F> {
    prefix(text, |json| {
        let mut fields = F::default();
        json.deserialize_map(FieldsVisitor(&mut fields))?;
        Ok(fields)
    })
}

/// Returns the text of the value that `text` begins with.
pub(super) fn read_raw(text: &[u8]) -> Prefix<&str> {
    let (value, end) = prefix(text, |json| <&RawValue>::deserialize(json))?;
    let json = value.get();
    if json.len() > MAX_VALUE_SIZE { Err(Failure::TooLarge) } else { Ok((json, end)) }
}

/// Hands the unescaped member name that `text` begins with to `find`. Half of a surrogate pair is no error here: it
/// makes an unknown name.
pub(super) fn read_name<T>(text: &[u8], find: impl FnOnce(&[u8]) -> T) -> Prefix<T> {
    prefix(text, |json| Name::new(find).deserialize(json))
}

/// Reads one value from the beginning of `text` with serde_json.
fn prefix<'a, T>(
    text: &'a [u8],
    read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::SliceRead<'a>>) -> serde_json::Result<T>,
) -> Prefix<T> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = read(&mut json)?;
    let end = json.into_iter::<IgnoredAny>().byte_offset();
    // A number that ends with the text may go on.
    let may_go_on = end == text.len() && text.last().is_some_and(u8::is_ascii_digit);
    if may_go_on { Err(Failure::Syntax) } else { Ok((value, end)) }
}

struct FieldsVisitor<'f, F>(&'f mut F);

impl<'a, F: Fields<'a>> Visitor<'a> for FieldsVisitor<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        loop {
            let fields = &mut *self.0;
            match map.next_key_seed(Name::new(move |name| fields.slot(name)))? {
                Some(Some(slot)) => {
                    let value = map.next_value::<&RawValue>()?.get();
                    if value.len() > MAX_VALUE_SIZE {
                        return Err(A::Error::custom("larger than the limit"));
                    }
                    *slot = Some(value);
                }
                Some(None) => drop(map.next_value::<IgnoredAny>()?),
                None => return Ok(()),
            }
        }
    }
}

/// A member name. It is read as bytes, since serde_json refuses half of a surrogate pair in a string.
struct Name<F>(F);

impl<F> Name<F> {
    fn new<T>(find: F) -> Self
    where
        F: FnOnce(&[u8]) -> T,
    {
        Self(find)
    }
}

impl<'de, T, F: FnOnce(&[u8]) -> T> DeserializeSeed<'de> for Name<F> {
    type Value = T;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<T, F: FnOnce(&[u8]) -> T> Visitor<'_> for Name<F> {
    type Value = T;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a member name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<T, E> {
        Ok((self.0)(name))
    }
}

/// Declares the members that are read of an object of the API, each with its type: a struct of [`Field`]s.
///
/// Use it for objects that are elements of lists or small. Other members are skipped.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $value:ty = $key:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name<'a> { $($field: $crate::api::fields::Field<'a, $value>),+ }

        impl Default for $name<'_> {
            fn default() -> Self {
                use $crate::api::{fields::Field, schema::Key};
                Self { $($field: Field { key: Key::new($key), json: None }),+ }
            }
        }

        impl<'a> $crate::api::fields::Fields<'a> for $name<'a> {
            fn slot(&mut self, name: &[u8]) -> Option<&mut Option<&'a str>> {
                $(if name == $key.as_bytes() { return Some(&mut self.$field.json) })+
                None
            }
        }

        impl $crate::api::fields::FieldsObject for $name<'_> {
            type Fields<'a> = $name<'a>;
        }

        impl $crate::api::schema::Object for $name<'_> {
            const MEMBERS: &'static [$crate::api::schema::Member] =
                $crate::api::schema::members!($($key: $value),+);
        }

        impl $crate::api::values::Parse for $name<'_> {
            type Output<'a> = $name<'a>;

            fn parse(json: &str) -> Option<$name<'_>> {
                json.starts_with('{').then(|| $crate::api::fields::read_fields(json.as_bytes()).ok())?.map(|(fields, _)| fields)
            }
        }
    };
}
pub(super) use fields;

/// Declares the members that are read of an object of the API, each with its type: an enum of [`Key`]s.
///
/// Use it for objects that may be large: they are read member by member with `JsonStream::member`.
macro_rules! streamed {
    ($(#[$doc:meta])* $name:ident { $($member:ident: $value:ty = $key:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) enum $name { $($member($crate::api::schema::Key<$value>)),+ }

        impl $crate::api::fields::StreamedObject for $name {
            fn find(name: &[u8]) -> Option<Self> {
                $(if name == $key.as_bytes() { return Some(Self::$member($crate::api::schema::Key::new($key))) })+
                None
            }
        }

        impl $crate::api::schema::Object for $name {
            const MEMBERS: &'static [$crate::api::schema::Member] =
                $crate::api::schema::members!($($key: $value),+);
        }
    };
}
pub(super) use streamed;

/// A type of object that is read member by member.
pub(super) trait StreamedObject: Object + Sized {
    /// Returns the member of that name, if it is known.
    fn find(name: &[u8]) -> Option<Self>;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::api::values::{Number, Text};

    fields!(Pair { one: Number = "one", two: Text = "two" });

    #[test]
    fn the_last_of_repeated_members_counts_and_names_may_have_escapes() {
        let text = br#"{"one":1,"skipped":{"one":9},"t\ud800":7,"two":"a","\u006fne":2,"two":5} rest"#;
        let (pair, end) = read_fields::<Pair<'_>>(text).unwrap();
        let mut errors = DecodeErrors::default();
        assert_eq!(pair.one.read(&mut errors), Some(2.0));
        assert_eq!(pair.two.read(&mut errors), None);
        assert_eq!(errors.0, BTreeMap::from([("two", 1)]));
        assert_eq!(&text[end..], b" rest");
    }

    #[test]
    fn a_number_at_the_end_may_go_on() {
        assert_eq!(read_raw(b"12").unwrap_err(), Failure::Syntax);
        assert_eq!(read_raw(b"12,").unwrap(), ("12", 2));
        assert_eq!(read_raw(b"true").unwrap(), ("true", 4));
    }

    #[test]
    fn a_kept_value_has_a_limit_and_a_skipped_one_has_none() {
        let long = "x".repeat(MAX_VALUE_SIZE);
        assert!(read_fields::<Pair<'_>>(format!(r#"{{"skipped":"{long}","one":1}}"#).as_bytes()).is_ok());
        let kept = format!(r#"{{"two":"{long}"}}"#);
        assert_eq!(read_fields::<Pair<'_>>(kept.as_bytes()).unwrap_err(), Failure::TooLarge);
        assert_eq!(read_raw(format!("\"{long}\"").as_bytes()).unwrap_err(), Failure::TooLarge);
    }
}
