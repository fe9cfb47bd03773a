//! What the JSON members of a response are read as: made by the macros that read them, for `check-api`.

use std::marker::PhantomData;

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

/// A type that stands for what a value is read as.
pub(super) trait Typed {
    /// What `check-api` expects in the API's document.
    const SCHEMA: Schema;
}

/// An object of the API of which some members are read.
pub(super) trait Object {
    /// These members.
    const MEMBERS: &'static [Member];
}

/// Makes the table of members from their names and types.
macro_rules! members {
    ($($key:literal: $value:ty),+) => {
        &[$($crate::api::schema::Member {
            name: $key,
            schema: <$value as $crate::api::schema::Typed>::SCHEMA,
        }),+]
    };
}
pub(super) use members;

impl<T: Object> Typed for T {
    const SCHEMA: Schema = Schema::Object(T::MEMBERS);
}

/// A list of objects.
#[derive(Debug)]
pub(super) struct List<T>(PhantomData<T>);

impl<T: Object> Typed for List<T> {
    const SCHEMA: Schema = Schema::List(T::MEMBERS);
}

/// A member's name with the type of its value.
#[derive(Debug)]
pub(super) struct Key<T> {
    pub(super) name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, value: PhantomData }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}
