//! OpenMetrics text with timestamps, for `promtool tsdb create-blocks-from openmetrics`.
//!
//! It is made from the text that [`super::write`] returns for each point in time, so names and labels are the same as
//! in a scrape.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::UnixTime;

/// Samples with timestamps, by family. Families are in the order in which they were first added.
#[derive(Debug)]
pub struct Timestamped {
    /// Labels added in front of the labels of every sample.
    labels: String,
    order: Vec<String>,
    families: BTreeMap<String, String>,
}

impl Timestamped {
    /// Returns an empty exposition that adds `labels` to every sample, such as those that Prometheus adds to a scrape.
    /// Labels with an empty value are left out.
    #[must_use]
    pub fn with_labels<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let labels: Vec<_> = labels
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        Self { labels: labels.join(","), order: Vec::new(), families: BTreeMap::new() }
    }

    /// Adds the families of an exposition for which `is_wanted` returns true, with the timestamp `at`.
    pub fn add(&mut self, open_metrics: &str, at: UnixTime, is_wanted: impl Fn(&str) -> bool) {
        let mut family = String::new();
        let mut is_new = false;
        for line in open_metrics.lines().filter(|line| *line != "# EOF") {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                rest.split(' ').next().unwrap_or_default().clone_into(&mut family);
                is_new = !self.families.contains_key(&family) && is_wanted(&family);
                if is_new {
                    self.order.push(family.clone());
                    self.families.insert(family.clone(), String::new());
                }
            }
            let Some(samples) = self.families.get_mut(&family) else { continue };
            if line.starts_with('#') {
                // HELP, TYPE and UNIT are written once, before the first sample.
                if is_new {
                    let _ = writeln!(samples, "{line}");
                }
                continue;
            }
            let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap_or(line.len()));
            let (labels, value) = match rest.strip_prefix('{') {
                Some(labels) => labels.rsplit_once("} ").unwrap_or((labels, "")),
                None => ("", rest.trim_start()),
            };
            let separator = if self.labels.is_empty() || labels.is_empty() { "" } else { "," };
            // Writing to a `String` does not fail.
            let _ = writeln!(samples, "{name}{{{}{separator}{labels}}} {value} {at:.3}", self.labels);
        }
    }

    /// Returns true if no family was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Returns the text.
    #[must_use]
    pub fn finish(mut self) -> String {
        let mut text = String::new();
        for family in &self.order {
            text += &self.families.remove(family).unwrap_or_default();
        }
        text + "# EOF\n"
    }
}

/// Returns a label value with the escapes that OpenMetrics requires.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: &str = "# HELP a About a.\n# TYPE a gauge\na{id=\"1\"} 2\na{name=\"x} 5\"} 3\n# HELP b About b.\n\
                          # TYPE b gauge\nb 4\n# EOF\n";

    #[test]
    fn families_stay_together_and_every_sample_has_all_labels_and_its_time() {
        let mut past = Timestamped::with_labels([("job", "a\\\"b"), ("none", "")]);
        assert!(past.is_empty());
        past.add(MOMENT, 10.0, |_| true);
        past.add(MOMENT, 20.5, |_| true);
        let expected = "# HELP a About a.\n# TYPE a gauge\n\
                        a{job=\"a\\\\\\\"b\",id=\"1\"} 2 10.000\na{job=\"a\\\\\\\"b\",name=\"x} 5\"} 3 10.000\n\
                        a{job=\"a\\\\\\\"b\",id=\"1\"} 2 20.500\na{job=\"a\\\\\\\"b\",name=\"x} 5\"} 3 20.500\n\
                        # HELP b About b.\n# TYPE b gauge\nb{job=\"a\\\\\\\"b\"} 4 10.000\nb{job=\"a\\\\\\\"b\"} 4 20.500\n# EOF\n";
        assert_eq!(past.finish(), expected);
    }

    #[test]
    fn unwanted_families_are_left_out() {
        let mut past = Timestamped::with_labels([]);
        past.add(MOMENT, 10.0, |family| family == "b");
        assert_eq!(past.finish(), "# HELP b About b.\n# TYPE b gauge\nb{} 4 10.000\n# EOF\n");
    }
}
