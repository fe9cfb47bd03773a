//! Strict readers of the two exposition formats: whatever a format forbids, fails the test that reads it.

use std::collections::{BTreeMap, BTreeSet};

/// A sample: name, labels, value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// What was read.
#[derive(Debug)]
pub struct Exposition {
    pub text: String,
    pub samples: Vec<Sample>,
    /// Type and help by family.
    pub families: BTreeMap<String, (String, String)>,
}

impl Exposition {
    /// Reads OpenMetrics 1.0 text.
    pub fn of_open_metrics(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("OpenMetrics text ends with EOF");
        Self::read(body, text, true)
    }

    /// Reads the Prometheus text format 0.0.4.
    pub fn of_prometheus_text(text: &str) -> Self {
        assert!(!text.lines().any(|line| line == "# EOF"), "the text format marks no end: {text}");
        Self::read(text, text, false)
    }

    fn read(body: &str, text: &str, open_metrics: bool) -> Self {
        let mut exposition = Self { text: text.to_owned(), samples: Vec::new(), families: BTreeMap::new() };
        let mut current = String::new();
        let mut help = None;
        let mut seen = BTreeSet::new();
        assert!(body.is_empty() || body.ends_with('\n'), "the last line ends");
        for line in body.split_terminator('\n') {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                assert!(help.is_none(), "a HELP without its TYPE before {line}");
                let (name, words) = rest.split_once(' ').expect("HELP has a text");
                assert!(!words.contains(['\\', '"']), "HELP needs no escapes: {line}");
                help = Some((name.to_owned(), words.to_owned()));
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("TYPE has a type");
                assert!(["gauge", "counter", "histogram"].contains(&kind), "{line}");
                let (of, words) = help.take().expect("TYPE follows HELP");
                assert_eq!(of, name, "HELP and TYPE are of one family");
                let known = exposition.families.insert(name.to_owned(), (kind.to_owned(), words));
                assert!(known.is_none(), "{name} comes once");
                name.clone_into(&mut current);
            } else if let Some(rest) = line.strip_prefix("# UNIT ").filter(|_| open_metrics) {
                let (name, unit) = rest.split_once(' ').expect("UNIT has a unit");
                assert!(name == current && name.ends_with(&format!("_{unit}")), "{line}");
            } else {
                let sample = Self::sample(line);
                let (kind, _) =
                    exposition.families.get(&current).unwrap_or_else(|| panic!("no TYPE before {line}"));
                let suffixes: &[&str] = match (kind.as_str(), open_metrics) {
                    ("counter", true) => &["_total"],
                    ("histogram", _) => &["_bucket", "_sum", "_count"],
                    _ => &[""],
                };
                let belongs = suffixes.iter().any(|suffix| sample.name == format!("{current}{suffix}"));
                assert!(belongs, "{} is no sample of the {kind} {current}", sample.name);
                assert!(seen.insert((sample.name.clone(), sample.labels.clone())), "twice: {line}");
                exposition.samples.push(sample);
            }
        }
        assert!(help.is_none(), "every family has a TYPE");
        exposition
    }

    fn sample(line: &str) -> Sample {
        let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no sample: {line:?}"));
        let (name, mut rest) = line.split_at(end);
        let is_name = |name: &str| {
            !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        assert!(is_name(name), "{line}");
        let mut labels = BTreeMap::new();
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
            loop {
                let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line:?}"));
                assert!(is_name(label), "{line}");
                let mut value = String::new();
                let mut chars = after.char_indices();
                rest = loop {
                    match chars.next().unwrap_or_else(|| panic!("a label value does not end: {line:?}")) {
                        (at, '"') => break &after[at + 1..],
                        (_, '\\') => value.push(match chars.next() {
                            Some((_, 'n')) => '\n',
                            Some((_, escaped @ ('"' | '\\'))) => escaped,
                            other => panic!("no escape: {other:?} in {line:?}"),
                        }),
                        (_, plain) => value.push(plain),
                    }
                };
                assert!(labels.insert(label.to_owned(), value).is_none(), "a label comes once: {line}");
                if let Some(after) = rest.strip_prefix('}') {
                    rest = after;
                    break;
                }
                rest = rest.strip_prefix(',').unwrap_or_else(|| panic!("no comma: {line:?}"));
            }
        }
        // An empty label is no label.
        labels.retain(|_, value| !value.is_empty());
        let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no value: {line:?}"));
        let value = value.parse().unwrap_or_else(|_| panic!("no number: {line:?}"));
        Sample { name: name.to_owned(), labels, value }
    }

    /// Returns the value of the one series of that name with at least those labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let series = self.series(name, labels);
        assert!(series.len() < 2, "{name} with {labels:?} is not one series: {series:?}");
        series.first().map(|sample| sample.value)
    }

    /// Returns the series of that name with at least those labels.
    pub fn series(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let has = |sample: &&Sample| {
            sample.name == name
                && labels
                    .iter()
                    .all(|(label, value)| sample.labels.get(*label).is_some_and(|found| found == value))
        };
        self.samples.iter().filter(has).collect()
    }

    /// Returns the values of the series of that name with at least those labels.
    pub fn values(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        self.series(name, labels).into_iter().map(|sample| sample.value).collect()
    }

    /// Returns the value of a label in each series of that name.
    pub fn labels(&self, name: &str, label: &str) -> Vec<&str> {
        self.series(name, &[]).into_iter().map(|sample| sample.labels[label].as_str()).collect()
    }

    /// Returns the reasons for which calls failed, and how often.
    pub fn failures(&self) -> Vec<(&str, f64)> {
        let errors = self.series("edgeimpulse_exporter_api_errors_total", &[]).into_iter();
        let failed = errors.filter(|sample| sample.value > 0.0);
        failed.map(|sample| (sample.labels["reason"].as_str(), sample.value)).collect()
    }

    /// Returns the text without what depends on this run of this process: the exporter's own metrics and times.
    pub fn stable_text(&self) -> String {
        let changes = ["edgeimpulse_exporter_", "process_"];
        let times = ["collector_duration_seconds", "collector_last_success_timestamp_seconds"];
        let mut text = String::new();
        for line in self.text.lines() {
            let name =
                line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").trim_start_matches("# UNIT ");
            if changes.iter().any(|prefix| name.starts_with(prefix)) {
                continue;
            }
            let is_time = !line.starts_with('#') && times.iter().any(|time| line.contains(time));
            text.push_str(if is_time { line.rsplit_once(' ').unwrap().0 } else { line });
            text.push_str(if is_time { " [time]\n" } else { "\n" });
        }
        text
    }
}
