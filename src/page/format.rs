//! Formats numbers, sizes, durations and dates for the page.

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};

use crate::model::UnixTime;

/// Keeps a number and its unit on one line.
const SPACE: char = '\u{a0}';

/// The format of `datetime` attributes.
const DATETIME: &str = "%Y-%m-%dT%H:%M:%SZ";

/// From here on, numbers are written with a power of ten; no real value is that large.
const HUGE: f64 = 1e15;

/// Formats a number with commas between thousands.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() || value.abs() >= HUGE {
        return format!("{value:.1e}");
    }
    let text = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
    let digits = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    for (index, c) in text.char_indices() {
        if index > 0 && index < digits && (digits - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped
}

/// Formats a number of things, with the noun in singular or plural.
pub(super) fn quantity(count: usize, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{}{SPACE}{noun}", integer(count))
}

/// Formats an integer with commas between thousands.
pub(super) fn integer(value: usize) -> String {
    number(u64::try_from(value).map_or(f64::INFINITY, real))
}

/// Converts an integer.
pub(super) const fn real(integer: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are less than 2^53")]
    let value = integer as f64;
    value
}

/// Formats a size in decimal units, as Studio does.
pub(super) fn bytes(value: f64) -> String {
    let mut scaled = value;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB", "PB"] {
        if scaled < 1000.0 {
            break;
        }
        scaled /= 1000.0;
        unit = larger;
    }
    format!("{}{SPACE}{unit}", rounded(scaled))
}

/// Formats seconds of compute time as hours.
pub(super) fn hours(seconds: f64) -> String {
    format!("{}{SPACE}h", rounded(seconds / 3600.0))
}

/// Formats a number, with one decimal if it is less than 10.
fn rounded(value: f64) -> String {
    let decimals = if value < 10.0 { 10.0 } else { 1.0 };
    number((value * decimals).round() / decimals)
}

/// Formats a share in percent. Rounding never yields 0 % or 100 % for any other share.
pub(super) fn percent(share: f64) -> String {
    let percent = (share * 100.0).round();
    let percent = match share {
        share if share > 0.0 && percent < 1.0 => return format!("under 1{SPACE}%"),
        share if share < 1.0 => percent.min(99.0),
        share if share > 1.0 => percent.max(101.0),
        _ => percent,
    };
    format!("{}{SPACE}%", number(percent))
}

/// Longer durations are not written in full, in seconds.
const CENTURY: u64 = 36_525 * 86_400;

/// Formats a duration in its largest unit, rounded down, so that remaining time is not overstated.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (number, unit) = match seconds {
        CENTURY.. => return format!("over 100{SPACE}years"),
        0..60 => (seconds, "s"),
        60..3600 => (seconds / 60, "min"),
        3600..172_800 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{}{SPACE}{unit}", integer(usize::try_from(number).unwrap_or(usize::MAX)))
}

/// Returns the duration between two times, or zero if `to` is the earlier one.
pub(super) fn between(from: UnixTime, to: UnixTime) -> Duration {
    Duration::try_from_secs_f64((to - from).max(0.0)).unwrap_or(Duration::MAX)
}

/// Renders the distance of a time, e.g. `in 5 days`.
pub(super) fn distance(at: UnixTime, now: UnixTime) -> Markup {
    let text = if at > now {
        format!("in {}", duration(between(now, at)))
    } else {
        format!("{} ago", duration(between(at, now)))
    };
    html! {
        @match timestamp(at) {
            Some(time) => time datetime=(time.strftime(DATETIME)) { (text) },
            None => (text),
        }
    }
}

/// Renders the distance of a time and its date.
pub(super) fn when(at: UnixTime, now: UnixTime) -> Markup {
    html! {
        (distance(at, now))
        @if let Some(time) = timestamp(at) { " " span.date { (time.strftime("%Y-%m-%d")) } }
    }
}

/// Renders a time to the second.
pub(super) fn moment(at: UnixTime) -> Markup {
    html! {
        @if let Some(time) = timestamp(at) {
            time datetime=(time.strftime(DATETIME)) { (time.strftime("%Y-%m-%d %H:%M:%S")) " UTC" }
        }
    }
}

/// Returns the calendar date of a time, if the calendar has it.
fn timestamp(at: UnixTime) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and the calendar ends earlier")]
    let seconds = at as i64;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_and_sizes_have_decimal_units() {
        assert_eq!(
            [0.0, 7.5, 999.0, 1000.0, 1_234_567.0].map(number),
            ["0", "7.5", "999", "1,000", "1,234,567"]
        );
        assert_eq!([f64::MAX, 1e15].map(number), ["1.8e308", "1.0e15"]);
        assert_eq!(
            [0.0, 950.0, 8.94e12, 5e11, 1e13, 1e300].map(bytes),
            ["0 B", "950 B", "8.9 TB", "500 GB", "10 TB", "1.0e285 PB"].map(|text| text.replace(' ', "\u{a0}"))
        );
        assert_eq!(
            [0.0, 1800.0, 14_400_000.0].map(hours),
            ["0 h", "0.5 h", "4,000 h"].map(|text| text.replace(' ', "\u{a0}"))
        );
    }

    #[test]
    fn only_a_full_share_is_100_percent() {
        let written = [0.0, 0.001, 0.89, 0.9999, 1.0, 1.0001, 1.15, f64::INFINITY].map(percent);
        let expected = ["0 %", "under 1 %", "89 %", "99 %", "100 %", "101 %", "115 %", "inf %"];
        assert_eq!(written, expected.map(|text| text.replace(" %", "\u{a0}%")));
    }

    #[test]
    fn times_of_any_size_are_formatted() {
        let far = |at: f64| when(at, 0.0).into_string();
        assert!(far(86_400.0 * 12.5).contains(">in 12\u{a0}days</time>"));
        assert_eq!(far(1e300), "in over 100\u{a0}years");
        assert!(far(-1e300).ends_with("ago"));
        assert_eq!(duration(Duration::from_secs(172_799)), "47\u{a0}h");
    }
}
