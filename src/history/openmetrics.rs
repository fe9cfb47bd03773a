//! The daily records of one entity as OpenMetrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Entity, Export};
use crate::metrics::catalogue;
use crate::metrics::timestamped::Timestamped;
use crate::metrics::{self, Format};
use crate::model::{DailyRecord, Snapshot};

/// Length of a day, in seconds.
const DAY: f64 = 86_400.0;

impl Export {
    /// Returns one sample per day and metric at the end of the day, or `None` if there are none. If a day has several
    /// records, the last one is used.
    pub(super) fn open_metrics(&self, entity: Entity, days: &[DailyRecord]) -> Option<String> {
        #[expect(clippy::cast_possible_truncation, reason = "dates of the years 0 to 9999")]
        let by_day: BTreeMap<i64, &DailyRecord> =
            days.iter().map(|record| ((record.date / DAY).floor() as i64, record)).collect();
        let sections = catalogue::sections();
        let metrics = sections.iter().flat_map(|section| &section.metrics);
        let with_history: BTreeSet<&str> =
            metrics.filter(|metric| metric.has_past).map(|metric| metric.name).collect();

        let labels = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut history = Timestamped::with_labels(labels);
        for (day, record) in by_day {
            #[expect(clippy::cast_precision_loss, reason = "days of the years 0 to 9999")]
            let end = (day + 1) as f64 * DAY;
            if end <= self.end {
                let snapshot = Snapshot { facts: entity.facts(record), ..Snapshot::default() };
                let text = metrics::write(Format::OpenMetrics, Arc::new(snapshot), None);
                history.add(&text, end, |family| with_history.contains(family));
            }
        }
        (!history.is_empty()).then(|| history.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Returns the text of these days until `end`, a number of days.
    fn text(end: f64, entity: Entity, days: &[DailyRecord]) -> Option<String> {
        let labels = BTreeMap::from([("job".to_owned(), "j".to_owned())]);
        let export = Export { output: PathBuf::new(), labels, end: end * DAY, organizations: Vec::new() };
        export.open_metrics(entity, days)
    }

    fn record(date: f64, storage: f64) -> DailyRecord {
        DailyRecord { date: date * DAY, storage: Some(storage), ..DailyRecord::default() }
    }

    fn samples(text: &str) -> Vec<&str> {
        text.lines().filter(|line| !line.starts_with('#')).collect()
    }

    #[test]
    fn the_last_record_of_a_day_is_used() {
        let days = [record(12.0, 3.0), record(10.0, 1.0), record(10.25, 2.0), record(11.0, 5.0)];
        let text = text(13.0, Entity::Organization(7), &days).unwrap();
        let expected = [(2, 11), (5, 12), (3, 13)].map(|(value, day)| {
            let at = day * 86_400;
            format!("edgeimpulse_organization_storage_used_bytes{{job=\"j\",organization_id=\"7\"}} {value} {at}.000")
        });
        assert_eq!(samples(&text), expected);
    }

    #[test]
    fn a_sample_is_at_the_end_of_its_day() {
        let days = [record(10.0, 1.0), record(11.0, 2.0)];
        assert_eq!(samples(&text(11.9, Entity::User(1), &days).unwrap()).len(), 1);
        assert_eq!(text(10.9, Entity::User(1), &days), None);
        assert_eq!(text(99.0, Entity::User(1), &[]), None);
    }

    #[test]
    fn compute_time_is_cpu_plus_gpu_and_missing_if_one_is_missing() {
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
        let text = text(9.0, Entity::Organization(7), &[whole, half]).unwrap();
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
        assert_eq!(samples(&text).len(), 9, "no others: {text}");
    }

    #[test]
    fn a_user_has_no_samples_that_are_not_in_the_record() {
        let text = text(99.0, Entity::User(1), &[record(1.0, 2.0)]).unwrap();
        assert_eq!(
            samples(&text),
            ["edgeimpulse_user_storage_used_bytes{job=\"j\",user_id=\"1\"} 2 172800.000"]
        );
    }
}
