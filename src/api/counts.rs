//! Counts over the elements of a list, which become a sample only if they are true.

use super::values::Found;

/// Counts elements in `N` classes.
///
/// An element that does not carry the field is not counted. One that carries something unusable makes the whole
/// count unknown, since it would be too low; so does a list of which no element carries the field.
#[derive(Debug)]
pub(super) struct Counts<const N: usize> {
    elements: u64,
    carried: u64,
    spoiled: bool,
    counts: [u64; N],
}

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self { elements: 0, carried: 0, spoiled: false, counts: [0; N] }
    }
}

impl<const N: usize> Counts<N> {
    /// Takes in one element: `belongs` tells which classes a value belongs to.
    pub(super) fn add<T>(&mut self, found: &Found<T>, belongs: impl Fn(usize, &T) -> bool) {
        self.elements += 1;
        match found {
            Found::Nothing => {}
            Found::Odd => self.spoiled = true,
            Found::Value(value) => {
                self.carried += 1;
                for (class, count) in self.counts.iter_mut().enumerate() {
                    *count += u64::from(belongs(class, value));
                }
            }
        }
    }

    /// Takes in an element of which nothing is known.
    pub(super) fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// Returns the counts, if they are known.
    pub(super) fn finish(self) -> Option<[u64; N]> {
        let known = !self.spoiled && (self.elements == 0 || self.carried > 0);
        known.then_some(self.counts)
    }
}
