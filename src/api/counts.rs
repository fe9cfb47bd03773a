//! Counts of the elements of a list.

use super::values::Value;

/// Counts elements in `N` classes.
///
/// An element without the field is not counted. The counts are unknown if an element has an invalid value, since they
/// would be too low, and if no element has the field.
#[derive(Debug)]
pub(super) struct Counts<const N: usize> {
    elements: u64,
    valid: u64,
    is_unknown: bool,
    per_class: [u32; N],
}

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self { elements: 0, valid: 0, is_unknown: false, per_class: [0; N] }
    }
}

impl<const N: usize> Counts<N> {
    /// Adds one element; `is_in` tells whether a value is in a class.
    pub(super) fn add<T>(&mut self, value: &Value<T>, is_in: impl Fn(usize, &T) -> bool) {
        self.elements += 1;
        match value {
            Value::Missing => {}
            Value::Invalid => self.is_unknown = true,
            Value::Valid(value) => {
                self.valid += 1;
                for (class, count) in self.per_class.iter_mut().enumerate() {
                    *count += u32::from(is_in(class, value));
                }
            }
        }
    }

    /// Returns the counts if they are known.
    pub(super) fn finish(self) -> Option<[u32; N]> {
        let is_known = !self.is_unknown && (self.elements == 0 || self.valid > 0);
        is_known.then_some(self.per_class)
    }
}
