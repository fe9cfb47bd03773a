//! Numbers, durations and dates as people write them.

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};

use crate::model::UnixTime;

/// Keeps a number and its unit on one line.
const SPACE: char = '\u{a0}';

/// How a time is written for machines.
const MACHINES: &str = "%Y-%m-%dT%H:%M:%SZ";

/// From here a number is written with a power of ten: nothing real is that large.
const ABSURD: f64 = 1e15;

/// Writes a count with commas between thousands.
pub(super) fn count(value: f64) -> String {
    if value.is_nan() || value.abs() >= ABSURD {
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

/// Writes how many there are of something.
pub(super) fn quantity(count: usize, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{}{SPACE}{noun}", whole(count))
}

/// Writes a whole number with commas between thousands.
pub(super) fn whole(number: usize) -> String {
    count(u64::try_from(number).map_or(f64::INFINITY, real))
}

/// Returns a count as a value.
pub(super) const fn real(number: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "there are less than 2^53 of anything")]
    let value = number as f64;
    value
}

/// Writes a size in decimal units, as the API's own pages do.
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

/// Writes a compute time, given in seconds, in hours.
pub(super) fn hours(seconds: f64) -> String {
    format!("{}{SPACE}h", rounded(seconds / 3600.0))
}

/// Writes a number with one decimal where that says something.
fn rounded(value: f64) -> String {
    let decimals = if value < 10.0 { 10.0 } else { 1.0 };
    count((value * decimals).round() / decimals)
}

/// Writes a share in percent. Only all of it is 100 %, and only nothing is 0 %.
pub(super) fn percent(share: f64) -> String {
    let percent = (share * 100.0).round();
    let percent = match share {
        share if share > 0.0 && percent < 1.0 => return format!("under 1{SPACE}%"),
        share if share < 1.0 => percent.min(99.0),
        share if share > 1.0 => percent.max(101.0),
        _ => percent,
    };
    format!("{}{SPACE}%", count(percent))
}

/// As good as for ever, in seconds.
const AGES: u64 = 36_525 * 86_400;

/// Writes a duration in its largest unit, rounded down: who has 1 day and 23 hours is told of 1 day at least.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (number, unit) = match seconds {
        AGES.. => return format!("over 100{SPACE}years"),
        0..60 => (seconds, "s"),
        60..3600 => (seconds / 60, "min"),
        3600..172_800 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{}{SPACE}{unit}", whole(usize::try_from(number).unwrap_or(usize::MAX)))
}

/// Returns the duration between two times, however far apart they are; none if `to` is the earlier one.
pub(super) fn between(from: UnixTime, to: UnixTime) -> Duration {
    Duration::try_from_secs_f64((to - from).max(0.0)).unwrap_or(Duration::MAX)
}

/// Writes how far off a time is.
pub(super) fn far(at: UnixTime, now: UnixTime) -> Markup {
    let text = if at > now {
        format!("in {}", span(between(now, at)))
    } else {
        format!("{} ago", span(between(at, now)))
    };
    html! {
        @match timestamp(at) {
            Some(time) => time datetime=(time.strftime(MACHINES)) { (text) },
            None => (text),
        }
    }
}

/// Writes how far off a time is, with its date.
pub(super) fn when(at: UnixTime, now: UnixTime) -> Markup {
    html! {
        (far(at, now))
        @if let Some(time) = timestamp(at) { " " span.date { (time.strftime("%Y-%m-%d")) } }
    }
}

/// Writes a moment to the second.
pub(super) fn moment(at: UnixTime) -> Markup {
    html! {
        @if let Some(time) = timestamp(at) {
            time datetime=(time.strftime(MACHINES)) { (time.strftime("%Y-%m-%d %H:%M:%S")) " UTC" }
        }
    }
}

/// Returns a date that a calendar has.
fn timestamp(at: UnixTime) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "what is beyond any calendar is beyond this one")]
    let seconds = at as i64;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_do() {
        assert_eq!(
            [0.0, 7.5, 999.0, 1000.0, 1_234_567.0].map(count),
            ["0", "7.5", "999", "1,000", "1,234,567"]
        );
        assert_eq!([f64::MAX, 1e15].map(count), ["1.8e308", "1.0e15"]);
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
    fn a_share_is_full_only_if_it_is() {
        let written = [0.0, 0.001, 0.89, 0.9999, 1.0, 1.0001, 1.15, f64::INFINITY].map(percent);
        let expected = ["0 %", "under 1 %", "89 %", "99 %", "100 %", "101 %", "115 %", "inf %"];
        assert_eq!(written, expected.map(|text| text.replace(" %", "\u{a0}%")));
    }

    #[test]
    fn a_time_of_any_size_is_written() {
        let far = |at: f64| when(at, 0.0).into_string();
        assert!(far(86_400.0 * 12.5).contains(">in 12\u{a0}days</time>"));
        assert_eq!(far(1e300), "in over 100\u{a0}years");
        assert!(far(-1e300).ends_with("ago"));
        assert_eq!(span(Duration::from_secs(172_799)), "47\u{a0}h");
    }
}
