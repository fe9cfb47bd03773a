//! Numbers, as cells of a Markdown table.

use std::cell::RefCell;
use std::time::Duration;

/// Repeated measurements of one quantity.
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

    /// Returns the ratio of the medians.
    pub(crate) fn over(&self, floor: &Self) -> f64 {
        self.median() / floor.median()
    }

    /// Returns minimum, median and maximum as text.
    pub(crate) fn spread(&self) -> String {
        let values = self.sorted();
        format!("{} / {} / {}", number(values[0]), number(self.median()), number(values[values.len() - 1]))
    }
}

/// Returns a number with three significant digits.
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

/// Goals that the measured parts have, with their results.
#[derive(Default)]
pub(crate) struct Goals(RefCell<Vec<[String; 4]>>);

impl Goals {
    /// Adds a goal: the measured value should not be above the limit.
    pub(crate) fn add(&self, name: &str, limit: f64, measured: f64) {
        let is_met = if measured <= limit { "yes" } else { "no" };
        let row = [name.to_owned(), number(limit), number(measured), is_met.to_owned()];
        self.0.borrow_mut().push(row);
    }

    pub(crate) fn print(&self) {
        head(["goal", "limit", "measured", "met"]);
        for [name, limit, measured, is_met] in self.0.borrow().iter() {
            row([name, limit, measured, is_met]);
        }
    }
}
