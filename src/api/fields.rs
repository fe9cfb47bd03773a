//! Objects of the API: which members are read of them, as what, and where their values go.
//!
//! [`fields!`](fields) declares an object that is read from contiguous bytes in one pass, [`streamed!`](streamed) one
//! that is read member by member while it arrives. Both make the table of members for `check-api`.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize as _, Deserializer as _};
use serde_json::value::RawValue;

use super::Error;
use super::decode::DecodeOptions;
use super::stream::{JsonStream, Parts};
use super::values::{DecodeErrors, Parse, Value, parse};

/// A member of an object of the API.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What its value is read as.
    pub schema: Schema,
}

/// What a value is read as. Null and missing values are always valid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schema {
    /// True or false.
    Boolean,
    /// A quantity or an id.
    Number,
    /// A string.
    Text,
    /// A string in the format `date-time`.
    Date,
    /// A list of which only the length is used.
    Length,
    /// An object of which these members are read.
    Object(&'static [Member]),
    /// A list of such objects.
    List(&'static [Member]),
}

/// An object of the API of which some members are read.
pub(super) trait Object: Default {
    /// These members.
    const MEMBERS: &'static [Member];

    /// Returns the name of a member if it is read.
    fn find(name: &str) -> Option<&'static str> {
        Self::MEMBERS.iter().map(|member| member.name).find(|known| *known == name)
    }

    /// Reads the value that comes next, of the member that [`Self::find`] returned. The last one of repeated members
    /// counts, as in JavaScript, which the API and its own clients are written in.
    async fn member<S: Parts>(&mut self, name: &'static str, json: &mut JsonStream<S>) -> Result<(), Error>;
}

/// Where the value of a member goes.
pub(super) trait Slot {
    /// What `check-api` expects in the API's document.
    const SCHEMA: Schema;

    /// Makes the slot of a member without its value.
    fn new(name: &'static str) -> Self;

    /// Reads the value that comes next.
    async fn read<S: Parts>(&mut self, name: &'static str, json: &mut JsonStream<S>) -> Result<(), Error>;
}

/// A single value: its JSON text is kept, and converted when it is used.
#[derive(Debug)]
pub(super) struct Field<'a, T> {
    name: &'static str,
    pub(super) json: Option<Cow<'a, str>>,
    value: PhantomData<fn() -> T>,
}

/// A single value of an object that is read member by member.
pub(super) type Single<T> = Field<'static, T>;

impl<T: Parse> Field<'_, T> {
    /// Converts the value, and counts it if it is invalid.
    pub(super) fn get(&self, errors: &mut DecodeErrors) -> Value<T::Output<'_>> {
        parse::<T>(self.name, self.json.as_deref(), errors)
    }

    /// Returns the value if it is valid.
    pub(super) fn read(&self, errors: &mut DecodeErrors) -> Option<T::Output<'_>> {
        self.get(errors).valid()
    }

    /// Returns the value of a field without which its object is useless: a missing one is counted too.
    pub(super) fn require(&self, errors: &mut DecodeErrors) -> Option<T::Output<'_>> {
        let value = self.get(errors);
        if let Value::Missing = value {
            errors.count(self.name);
        }
        value.valid()
    }
}

impl<T: Parse> Slot for Field<'_, T> {
    const SCHEMA: Schema = T::SCHEMA;

    fn new(name: &'static str) -> Self {
        Self { name, json: None, value: PhantomData }
    }

    async fn read<S: Parts>(&mut self, _: &'static str, json: &mut JsonStream<S>) -> Result<(), Error> {
        self.json = Some(Cow::Owned(json.text(T::SCHEMA).await?));
        Ok(())
    }
}

/// An object in another one.
impl<T: Object> Slot for Option<T> {
    const SCHEMA: Schema = Schema::Object(T::MEMBERS);

    fn new(_: &'static str) -> Self {
        None
    }

    async fn read<S: Parts>(&mut self, name: &'static str, json: &mut JsonStream<S>) -> Result<(), Error> {
        let mut value = Value::default();
        value.read(name, json).await?;
        *self = value.valid();
        Ok(())
    }
}

/// A list of objects, each of which is added to `F` when it has arrived.
#[derive(Debug, Default)]
pub(super) struct Each<F> {
    /// What the elements became; `None` without a list.
    pub(super) fold: Option<F>,
    /// Number of elements, including invalid ones.
    pub(super) elements: u64,
    /// Whether an element is not an object.
    pub(super) has_invalid: bool,
}

/// What the elements of a list become.
pub(super) trait Fold: Default {
    type Element<'a>: Element<'a>;

    /// Adds an element. Returns how many elements were left out because of a limit.
    fn add(&mut self, element: &Self::Element<'_>, options: &DecodeOptions, errors: &mut DecodeErrors) -> u64;
}

impl<F: Fold> Slot for Each<F> {
    const SCHEMA: Schema = Schema::List(<F::Element<'static> as Object>::MEMBERS);

    fn new(_: &'static str) -> Self {
        Self::default()
    }

    async fn read<S: Parts>(&mut self, name: &'static str, json: &mut JsonStream<S>) -> Result<(), Error> {
        *self = Self::default();
        if json.enter(b'[', name).await?.valid().is_some() {
            let fold = self.fold.insert(F::default());
            while json.advance(b']').await? {
                self.elements += 1;
                self.has_invalid |= !json.element(name, fold).await?;
            }
        }
        Ok(())
    }
}

/// A type that fields are converted to.
pub(super) trait Convert: Sized {
    /// Maximum number of elements of a list that are kept.
    const MAX: usize = usize::MAX;

    type Fields<'a>: Element<'a>;

    /// Converts the fields; `None` if a required one is missing or invalid.
    fn convert(fields: &Self::Fields<'_>, errors: &mut DecodeErrors) -> Option<Self>;
}

impl<T: Convert> Fold for Vec<T> {
    type Element<'a> = T::Fields<'a>;

    fn add(&mut self, element: &T::Fields<'_>, _: &DecodeOptions, errors: &mut DecodeErrors) -> u64 {
        if self.len() == T::MAX {
            return 1;
        }
        self.extend(T::convert(element, errors));
        0
    }
}

/// An object of single values, which may be read from contiguous bytes.
pub(super) trait Fields<'a>: Object {
    /// Returns where the text of a member's value belongs, if the member is known.
    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<Cow<'a, str>>>;
}

/// An element of a list.
pub(super) trait Element<'a>: Object {
    /// Reads the object that contiguous bytes begin with. Without this function, it is read member by member.
    const READ: Option<ReadPrefix<'a, Self>>;
}

impl<'a, F: Fields<'a>> Element<'a> for F {
    const READ: Option<ReadPrefix<'a, Self>> = Some(read_fields);
}

/// What was read from the beginning of a text, and where it ends. `None` if the text is not JSON, or the value goes on
/// after it.
pub(super) type Prefix<T> = Option<(T, usize)>;

/// Reads the value that contiguous bytes begin with.
pub(super) type ReadPrefix<'a, T> = fn(&'a [u8]) -> Prefix<T>;

/// Reads the object that `text` begins with.
pub(super) fn read_fields<'a, F: Fields<'a>>(text: &'a [u8]) -> Prefix<F> {
    prefix(text, |json| json.deserialize_map(FieldsVisitor(F::default())))
}

/// Returns the text of the value that `text` begins with.
pub(super) fn read_raw(text: &[u8]) -> Prefix<&str> {
    prefix(text, |json| <&RawValue>::deserialize(json).map(RawValue::get))
}

/// Reads one value from the beginning of `text` with serde_json.
fn prefix<'a, T>(
    text: &'a [u8],
    read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::SliceRead<'a>>) -> serde_json::Result<T>,
) -> Prefix<T> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = read(&mut json).ok()?;
    let end = json.into_iter::<IgnoredAny>().byte_offset();
    // A number that ends with the text may go on.
    let may_go_on = end == text.len() && text.last().is_some_and(u8::is_ascii_digit);
    (!may_go_on).then_some((value, end))
}

struct FieldsVisitor<F>(F);

impl<'a, F: Fields<'a>> Visitor<'a> for FieldsVisitor<F> {
    type Value = F;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<F, A::Error> {
        while let Some(slot) = map.next_key_seed(SlotVisitor(&mut self.0))? {
            match slot {
                Some(slot) => *slot = Some(Cow::Borrowed(map.next_value::<&RawValue>()?.get())),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(self.0)
    }
}

/// Finds the slot of a member. Its name is read as bytes, since serde_json refuses half of a surrogate pair in a string.
struct SlotVisitor<'f, F>(&'f mut F);

impl<'f, 'a: 'f, F: Fields<'a>> DeserializeSeed<'a> for SlotVisitor<'f, F> {
    type Value = Option<&'f mut Option<Cow<'a, str>>>;

    fn deserialize<D: serde::Deserializer<'a>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_bytes(self)
    }
}

impl<'f, 'a: 'f, F: Fields<'a>> Visitor<'a> for SlotVisitor<'f, F> {
    type Value = Option<&'f mut Option<Cow<'a, str>>>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a member name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.slot(name))
    }
}

/// Implements [`Object`] for a struct of slots.
macro_rules! object {
    ($object:ty { $($field:ident: $slot:ty = $name:literal),+ }) => {
        impl Default for $object {
            fn default() -> Self {
                Self { $($field: $crate::api::fields::Slot::new($name)),+ }
            }
        }

        impl $crate::api::fields::Object for $object {
            const MEMBERS: &'static [$crate::api::fields::Member] = &[$($crate::api::fields::Member {
                name: $name,
                schema: <$slot as $crate::api::fields::Slot>::SCHEMA,
            }),+];

            async fn member<S: $crate::api::stream::Parts>(
                &mut self,
                name: &'static str,
                json: &mut $crate::api::stream::JsonStream<S>,
            ) -> Result<(), $crate::api::Error> {
                match name {
                    $($name => $crate::api::fields::Slot::read(&mut self.$field, name, json).await,)+
                    _ => json.skip().await,
                }
            }
        }
    };
}
pub(super) use object;

/// Declares the members that are read of an object of the API, each with its type: a struct of [`Field`]s.
///
/// Use it for objects that are elements of lists or small. Other members are skipped.
macro_rules! fields {
    ($(#[$doc:meta])* $object:ident { $($field:ident: $value:ty = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::api) struct $object<'a> { $(pub(in crate::api) $field: $crate::api::fields::Field<'a, $value>),+ }

        $crate::api::fields::object!($object<'_> { $($field: $crate::api::fields::Single<$value> = $name),+ });

        impl<'a> $crate::api::fields::Fields<'a> for $object<'a> {
            fn slot(&mut self, name: &[u8]) -> Option<&mut Option<std::borrow::Cow<'a, str>>> {
                $(if name == $name.as_bytes() { return Some(&mut self.$field.json) })+
                None
            }
        }

        impl $crate::api::values::Parse for $object<'_> {
            type Output<'a> = $object<'a>;

            const SCHEMA: $crate::api::fields::Schema =
                $crate::api::fields::Schema::Object(<Self as $crate::api::fields::Object>::MEMBERS);

            fn parse(json: &str) -> Option<$object<'_>> {
                json.starts_with('{').then(|| $crate::api::fields::read_fields(json.as_bytes()))?.map(|(fields, _)| fields)
            }
        }
    };
}
pub(super) use fields;

/// Declares the members that are read of an object of the API, each with its type: a struct of [`Slot`]s.
///
/// Use it for objects that may be large: they are read member by member, and each value goes to its slot.
macro_rules! streamed {
    ($(#[$doc:meta])* $object:ident { $($field:ident: $slot:ty = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::api) struct $object { $($field: $slot),+ }

        $crate::api::fields::object!($object { $($field: $slot = $name),+ });

        impl<'a> $crate::api::fields::Element<'a> for $object {
            const READ: Option<$crate::api::fields::ReadPrefix<'a, Self>> = None;
        }
    };
}
pub(super) use streamed;

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
        assert_eq!(errors.invalid, BTreeMap::from([("two", 1)]));
        assert_eq!(&text[end..], b" rest");
    }

    #[test]
    fn a_number_at_the_end_may_go_on() {
        assert_eq!(read_raw(b"12"), None);
        assert_eq!(read_raw(b"12,"), Some(("12", 2)));
        assert_eq!(read_raw(b"true"), Some(("true", 4)));
    }
}
