//! Merging of two records about the same thing.

/// Declares a record and its function `or`, which merges two records field by field. A field is the id, an `Option`,
/// another record of this kind, or has a function of its own after `=>`.
macro_rules! record {
    ($(#[$attribute:meta])* pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident: $type:ty $(=> $merge:path)?,)* }) => {
        $(#[$attribute])*
        pub struct $name { $($(#[$doc])* pub $field: $type,)* }

        impl $name {
            /// Returns `self` with missing fields taken from `other`, which is about the same thing. Arrays and lists are
            /// taken whole, so that their elements come from one response.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $($field: record!(@or self.$field, other.$field $(, $merge)?),)* }
            }
        }
    };
    (@or $one:expr, $other:expr) => { $one.or($other) };
    (@or $one:expr, $other:expr, $merge:path) => { $merge($one, $other) };
}
pub(super) use record;

/// An id, which is the same in both records.
pub(super) trait Id {
    fn or(self, other: Self) -> Self;
}

impl Id for u64 {
    fn or(self, _: Self) -> Self {
        self
    }
}
