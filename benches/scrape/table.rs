//! Numbers, as cells of a Markdown table.

use std::time::Duration;

/// Several measurements of the same.
#[derive(Clone, Default)]
pub(crate) struct Series(pub(crate) Vec<f64>);

impl Series {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn push_time(&mut self, time: Duration) {
        self.push(time.as_secs_f64() * 1e3);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut values = self.0.clone();
        values.sort_by(f64::total_cmp);
        values
    }

    pub(crate) fn median(&self) -> f64 {
        let values = self.sorted();
        let (half, is_odd) = (values.len() / 2, values.len() % 2 == 1);
        if is_odd { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
    }

    /// Returns one ratio per pair: what was measured one after the other met the same machine.
    pub(crate) fn over(&self, floor: &Self) -> Self {
        Self(self.0.iter().zip(&floor.0).map(|(value, floor)| value / floor).collect())
    }

    /// Writes minimum, median and maximum.
    pub(crate) fn spread(&self) -> String {
        let values = self.sorted();
        format!("{} / {} / {}", number(values[0]), number(self.median()), number(values[values.len() - 1]))
    }
}

/// Writes a number with three digits that count.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Prints a row of a table.
pub(crate) fn row<const N: usize>(cells: [&str; N]) {
    println!("| {} |", cells.join(" | "));
}

/// Prints the head of a table.
pub(crate) fn head<const N: usize>(cells: [&str; N]) {
    println!();
    row(cells);
    row([" --- "; N].map(str::trim));
}
