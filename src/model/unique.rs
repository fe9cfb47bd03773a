//! Rows with unique keys.

/// Rows that become one series each. Rows that are left out are kept apart, because they are counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Unique<T> {
    /// The first row of each key, sorted by key.
    pub rows: Vec<T>,
    /// Further rows with the same keys.
    pub repeated: Vec<T>,
    /// Rows above the maximum, those with the greatest keys.
    pub beyond: Vec<T>,
}

impl<T> Unique<T> {
    /// Sorts `rows` by `key` and keeps the first row of each key.
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

    /// Keeps the first `most` rows by key, so that every scrape shows the same ones.
    #[must_use]
    pub fn limited(mut self, most: usize) -> Self {
        self.beyond = self.rows.split_off(most.min(self.rows.len()));
        self
    }
}
