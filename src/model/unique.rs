//! Rows with unique keys.

/// Rows that become one series each. Of rows that are left out only the number of series is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Unique<T> {
    /// The first row of each key. Sorted by key after [`Self::limit`].
    pub rows: Vec<T>,
    /// Series of further rows with the same keys.
    pub repeated: u64,
    /// Series of rows above the maximum, those with the greatest keys.
    pub beyond: u64,
}

impl<T> Default for Unique<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), repeated: 0, beyond: 0 }
    }
}

impl<T> Unique<T> {
    /// Adds a row. Keeps at most twice as many as `most`; returns how many rows above the maximum were left out. `series`
    /// returns the number of series of a row.
    pub fn add<K: Ord + ?Sized>(
        &mut self,
        row: T,
        most: usize,
        key: impl Fn(&T) -> &K,
        series: impl Fn(&T) -> u64,
    ) -> u64 {
        self.rows.push(row);
        if self.rows.len() > most.saturating_mul(2) { self.limit(most, key, series) } else { 0 }
    }

    /// Keeps the first row of each key, and the first `most` rows by key, so that every scrape shows the same ones.
    /// Returns how many rows above the maximum were left out.
    pub fn limit<K: Ord + ?Sized>(
        &mut self,
        most: usize,
        key: impl Fn(&T) -> &K,
        series: impl Fn(&T) -> u64,
    ) -> u64 {
        self.rows.sort_by(|a, b| key(a).cmp(key(b)));
        self.rows.dedup_by(|row, first| {
            let is_repeated = key(row) == key(first);
            self.repeated += if is_repeated { series(row) } else { 0 };
            is_repeated
        });
        let beyond = self.rows.drain(most.min(self.rows.len())..);
        let left_out = beyond.map(|row| self.beyond += series(&row)).count();
        // The rows are kept until the next response, for thousands of organizations.
        self.rows.shrink_to_fit();
        left_out as u64
    }
}
