//! The days of one subject as OpenMetrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Subject;
use crate::metrics::catalogue;
use crate::metrics::timestamped::Timestamped;
use crate::metrics::{self, Description, Format};
use crate::model::{DailyRecord, Facts, Snapshot, UnixTime};

/// How long before now the past ends: what is younger may still be in the head of Prometheus' database, which blocks
/// must not overlap.
pub const MARGIN: Duration = Duration::from_hours(3);

/// Length of a day, in seconds.
const DAY: f64 = 86_400.0;

/// Which moments of the past are written, and under which labels.
#[derive(Clone, Debug)]
pub struct Past {
    /// Labels that Prometheus would add to a scrape.
    pub labels: BTreeMap<String, String>,
    /// The last moment.
    pub end: UnixTime,
}

impl Past {
    /// Returns the samples of those days, `None` if there are none. A day has one record, whatever time it is dated:
    /// of several, the last one. It is stamped at the day's end.
    ///
    /// # Errors
    /// None: writing to a `String` does not fail.
    pub fn text(&self, subject: Subject, days: &[DailyRecord]) -> Result<Option<String>, std::fmt::Error> {
        #[expect(clippy::cast_possible_truncation, reason = "dates that the API can write")]
        let by_day: BTreeMap<i64, &DailyRecord> =
            days.iter().map(|record| ((record.date / DAY).floor() as i64, record)).collect();
        let sections = catalogue::sections();
        let with_past = sections.iter().flat_map(|section| &section.metrics).filter(|metric| metric.has_past);
        let with_past: BTreeSet<&str> = with_past.map(|Description { name, .. }| *name).collect();

        let labels = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut past = Timestamped::with_labels(labels);
        for (day, record) in by_day {
            #[expect(clippy::cast_precision_loss, reason = "days of the years 0 to 9999")]
            let end = (day + 1) as f64 * DAY;
            if end <= self.end {
                let facts = facts(subject, record);
                let text = metrics::write(
                    Format::OpenMetrics,
                    Arc::new(Snapshot { facts, ..Snapshot::default() }),
                    None,
                )?;
                past.add(&text, end, |family| with_past.contains(family));
            }
        }
        Ok((!past.is_empty()).then(|| past.finish()))
    }
}

fn facts(subject: Subject, record: &DailyRecord) -> Facts {
    let mut facts = Facts::default();
    match subject {
        Subject::Organization(id) => {
            facts.organizations.insert(id, record.organization(id).into());
        }
        Subject::User(id) => {
            facts.users.insert(id, record.user(id));
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(end: f64) -> Past {
        Past { labels: BTreeMap::from([("job".to_owned(), "j".to_owned())]), end: end * DAY }
    }

    fn record(date: f64, storage: f64) -> DailyRecord {
        DailyRecord { date: date * DAY, storage: Some(storage), ..DailyRecord::default() }
    }

    fn samples(text: &str) -> Vec<&str> {
        text.lines().filter(|line| !line.starts_with('#')).collect()
    }

    #[test]
    fn of_two_records_of_a_day_the_later_in_the_list_counts_once() {
        let days = [record(12.0, 3.0), record(10.0, 1.0), record(10.25, 2.0), record(11.0, 5.0)];
        let text = past(13.0).text(Subject::Organization(7), &days).unwrap().unwrap();
        let expected = [(2, 11), (5, 12), (3, 13)].map(|(value, day)| {
            let at = day * 86_400;
            format!("edgeimpulse_organization_storage_used_bytes{{job=\"j\",organization_id=\"7\"}} {value} {at}.000")
        });
        assert_eq!(samples(&text), expected);
    }

    #[test]
    fn a_record_counts_from_the_end_of_its_day_and_not_before() {
        let days = [record(10.0, 1.0), record(11.0, 2.0)];
        assert_eq!(samples(&past(11.9).text(Subject::User(1), &days).unwrap().unwrap()).len(), 1);
        assert_eq!(past(10.9).text(Subject::User(1), &days).unwrap(), None);
        assert_eq!(past(99.0).text(Subject::User(1), &[]).unwrap(), None);
    }

    #[test]
    fn compute_time_is_cpu_and_gpu_added_and_unknown_if_one_of_them_is() {
        let whole = DailyRecord {
            date: 0.0,
            users: Some(3.0),
            cpu_compute_time: Some(100.0),
            gpu_compute_time: Some(10.0),
            compute_since: Some(5.0),
            storage: None,
            projects: Some(2.0),
        };
        let half = DailyRecord { date: DAY, gpu_compute_time: None, users: None, ..whole };
        let text = past(9.0).text(Subject::Organization(7), &[whole, half]).unwrap().unwrap();
        let of = |name: &str| {
            let lines =
                samples(&text).into_iter().map(|line| line.replace("{job=\"j\",organization_id=\"7\"}", ""));
            let prefix = format!("edgeimpulse_organization_{name} ");
            lines.filter_map(|line| Some(line.strip_prefix(&prefix)?.to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(of("compute_time_used_seconds"), ["110 86400.000"]);
        assert_eq!(of("cpu_compute_time_used_seconds"), ["100 86400.000", "100 172800.000"]);
        assert_eq!(of("gpu_compute_time_used_seconds"), ["10 86400.000"]);
        assert_eq!(of("compute_period_start_timestamp_seconds"), ["5 86400.000", "5 172800.000"]);
        assert_eq!(of("projects_used"), ["2 86400.000", "2 172800.000"]);
        assert_eq!(of("users_used"), ["3 86400.000"]);
        assert_eq!(samples(&text).len(), 9, "and nothing else: {text}");
    }

    #[test]
    fn of_a_user_nothing_is_claimed_that_no_record_says() {
        let text = past(99.0).text(Subject::User(1), &[record(1.0, 2.0)]).unwrap().unwrap();
        assert_eq!(
            samples(&text),
            ["edgeimpulse_user_storage_used_bytes{job=\"j\",user_id=\"1\"} 2 172800.000"]
        );
    }
}
