//! Rows with a key each.

/// Rows that become series of their own, one per key; rows whose key came again are kept aside, to be counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Unique<T> {
    /// The first row of each key, in the order of the keys.
    pub rows: Vec<T>,
    /// Further rows of the same keys.
    pub repeated: Vec<T>,
    /// Rows beyond a limit, the last by key.
    pub beyond: Vec<T>,
}

impl<T> Unique<T> {
    /// Sorts `rows` by `key`; of those that share a key the first stays.
    #[must_use]
    pub fn by<K: Ord>(mut rows: Vec<T>, key: impl Fn(&T) -> &K) -> Self {
        rows.sort_by(|a, b| key(a).cmp(key(b)));
        let mut unique =
            Self { rows: Vec::with_capacity(rows.len()), repeated: Vec::new(), beyond: Vec::new() };
        for row in rows {
            let again = unique.rows.last().is_some_and(|last| key(last) == key(&row));
            if again { unique.repeated.push(row) } else { unique.rows.push(row) }
        }
        unique
    }

    /// Keeps the first `most` rows; by key, so that the same ones stay from scrape to scrape.
    #[must_use]
    pub fn limited(mut self, most: usize) -> Self {
        self.beyond = self.rows.split_off(most.min(self.rows.len()));
        self
    }
}
