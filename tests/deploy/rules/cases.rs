//! Cases that every rule must stand, made from samples with which it fires: see `cases.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use edgeimpulse_exporter::model::Collector;
use serde_json::{Value, json};

use super::all;
use crate::support::catalogue::described;
use crate::support::file;
use crate::support::peers::PROMETHEUS;
use crate::support::promql;
use crate::support::repository::{read, succeed};

/// Minutes between samples.
const STEP: u32 = 5;

/// The values of one series.
#[derive(Clone)]
struct Values {
    first: f64,
    step: f64,
    /// The number of the last sample, if the series vanishes.
    last: Option<u32>,
    /// The number of the first sample, if the series appears later.
    from: u32,
}

impl Values {
    fn constant(first: f64) -> Self {
        Self { first, step: 0.0, last: None, from: 0 }
    }

    fn parse(value: &Value) -> Self {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let number = |text: &str| text.trim().parse::<f64>().unwrap_or_else(|_| panic!("not a number: {text}"));
        if let Some((first, until)) = text.split_once(" until ") {
            Self { last: Some(until.parse::<u32>().unwrap() / STEP), ..Self::constant(number(first)) }
        } else if let Some((first, step)) = text.split_once('+') {
            Self { step: number(step), ..Self::constant(number(first)) }
        } else {
            Self::constant(number(&text))
        }
    }

    /// Returns the values as promtool reads them. A missed scrape ends every series for one sample, and `up` is 0.
    fn written(&self, length: u32, missed: Option<u32>, missing: &str) -> String {
        let part = |from: u32, to: u32| match to.checked_sub(from + 1) {
            None => String::new(),
            Some(more) => format!("{}+{}x{more} ", self.first + self.step * f64::from(from), self.step),
        };
        let end = self.last.map_or(length, |last| last + 1);
        let before = if self.from > 0 { format!("_x{} ", self.from - 1) } else { String::new() };
        let values = match missed.filter(|at| (self.from..end).contains(at)) {
            Some(at) => part(self.from, at) + missing + " " + &part(at + 1, end),
            None => part(self.from, end),
        };
        (before + &values).trim_end().to_owned()
    }
}

/// Series without labels of the target, and their values.
type Samples = BTreeMap<String, Values>;

/// One entry of `cases.yaml`, with its rule.
struct Entry {
    rule: Value,
    /// The number of the sample at which the condition becomes true, and for how many it must be true.
    since: u32,
    wait: u32,
    per: String,
    samples: Samples,
    with_key: Option<Samples>,
}

impl Entry {
    /// Returns the minutes between evaluations: few enough that half of the rule's `for` would be seen.
    fn evaluation(&self) -> u32 {
        if self.wait > 3 { STEP } else { 1 }
    }
}

fn minutes(duration: &str) -> u32 {
    let (number, unit) = duration.split_at(duration.len() - 1);
    number.parse::<u32>().unwrap()
        * [("m", 1), ("h", 60), ("d", 1440)].iter().find(|it| it.0 == unit).unwrap().1
}

/// Returns the entries of `cases.yaml`, in order.
fn entries() -> Vec<Entry> {
    let list: Value = serde_saphyr::from_str(&read("tests/deploy/rules/cases.yaml")).unwrap();
    let samples = |object: &Value| -> Samples {
        let one = |(series, values): (&String, &Value)| (series.clone(), Values::parse(values));
        object.as_object().unwrap().iter().map(one).collect()
    };
    let entry = |it: &Value| {
        let is_it =
            |rule: &&Value| rule["alert"] == it["alert"] && rule["labels"]["severity"] == it["severity"];
        let rule = all().iter().find(is_it).cloned().unwrap_or_else(|| panic!("no such rule: {it}"));
        Entry {
            since: u32::try_from(it["since"].as_u64().unwrap_or(0)).unwrap() / STEP,
            wait: minutes(it["for"].as_str().expect("for")) / STEP,
            per: it["per"].as_str().unwrap_or_default().to_owned(),
            samples: samples(&it["samples"]),
            with_key: it["with_key"].is_object().then(|| samples(&it["with_key"])),
            rule,
        }
    };
    list.as_array().unwrap().iter().map(entry).collect()
}

/// Returns the name of the metric of a series.
fn metric(series: &str) -> &str {
    series.split('{').next().unwrap()
}

/// Returns the metrics that an expression reads, also by rules that record.
fn read_by(expression: &str, rules: &[Value]) -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    for selector in promql::read(expression).unwrap().selectors {
        let recorded = rules.iter().filter(|rule| rule["record"] == *selector.metric);
        for rule in recorded {
            read.extend(read_by(rule["expr"].as_str().unwrap(), rules));
        }
        read.insert(selector.metric);
    }
    read
}

/// Returns true if a member of an organization can read the metric with the organization's API key.
fn is_read_with_a_key(name: &str) -> bool {
    let Some(metric) = described(name) else { return true };
    let reads = |name: &&str| {
        let collector = Collector::named(name).unwrap();
        !collector.needs_jwt() && !collector.needs().contains("white label")
    };
    let by_key = metric.collectors.is_empty() || metric.collectors.iter().any(reads);
    by_key && !metric.help.contains("absent for API keys")
}

/// A situation, and the number of alerts that fire in it.
struct Case {
    name: &'static str,
    samples: Samples,
    targets: &'static [&'static str],
    missed: Option<u32>,
    at: u32,
    /// Look at the evaluation before that.
    is_before: bool,
    fire: usize,
}

const ONE: &[&str] = &[r#"job="edgeimpulse",instance="a""#];
const TWO_TARGETS: &[&str] = &[
    r#"job="edgeimpulse",instance="a",pod="a",namespace="one",service="one",node="one""#,
    r#"job="edgeimpulse",instance="b",pod="b",namespace="two",service="two",node="two""#,
];
const TWO_JOBS: &[&str] = &[r#"job="edgeimpulse",instance="a""#, r#"job="second",instance="b""#];

/// Returns every case that can exist for a rule. Those that cannot: a missing limit of a rule that reads none, a deletion
/// of what is no organization, a failing collector of a rule that does not compare a date with the current time.
fn cases(entry: &Entry, rules: &[Value]) -> Vec<Case> {
    let fired = entry.since + entry.wait + 1;
    let case = |name, samples: &Samples, fire| Case {
        name,
        samples: samples.clone(),
        targets: ONE,
        missed: None,
        at: fired,
        is_before: false,
        fire,
    };
    let without = |remove: &dyn Fn(&str) -> bool| -> Samples {
        let kept = entry.samples.iter().filter(|(series, _)| !remove(series));
        kept.map(|(series, values)| (series.clone(), values.clone())).collect()
    };
    let per = |of: &[&str]| if of.contains(&&*entry.per) { 2 } else { 1 };
    let expression = entry.rule["expr"].as_str().unwrap();
    let reads = read_by(expression, rules);

    let mut cases = vec![
        case("fires", &entry.samples, 1),
        Case { at: fired - 1, is_before: true, ..case("not early", &entry.samples, 0) },
        Case { missed: Some(entry.since + 1), ..case("one missed scrape", &entry.samples, 1) },
        Case { targets: TWO_TARGETS, ..case("two targets", &entry.samples, per(&["target"])) },
        Case { targets: TWO_JOBS, ..case("two jobs", &entry.samples, per(&["target", "job"])) },
    ];
    // With a key only.
    let readable = without(&|series| !is_read_with_a_key(metric(series)));
    cases.push(match &entry.with_key {
        Some(samples) => case("API key only", samples, 1),
        None => case("API key only", &readable, usize::from(readable.len() == entry.samples.len())),
    });
    if reads.iter().any(|name| name.contains("_limit")) {
        let is_limit = |series: &str| metric(series).contains("_limit");
        let mut zero = entry.samples.clone();
        zero.iter_mut().filter(|(series, _)| is_limit(series)).for_each(|(_, values)| values.first = 0.0);
        cases.push(case("without a limit", &without(&is_limit), 0));
        cases.push(case("limit of zero", &zero, 0));
    }
    if entry.samples.keys().any(|series| series.contains("organization_id=\"1\"")) {
        let mut samples = entry.samples.clone();
        let deleted = Values { from: fired, ..Values::constant(0.0) };
        samples.insert(
            "edgeimpulse_organization_deleted_timestamp_seconds{organization_id=\"1\"}".into(),
            deleted,
        );
        // After `keep_firing_for`.
        cases.push(Case { at: fired + 15 / STEP + 2, ..case("deletion", &samples, 0) });
    }
    if expression.contains("edgeimpulse_scrape_collector_success{") {
        let is_success = |series: &str| metric(series) == "edgeimpulse_scrape_collector_success";
        let mut failing = entry.samples.clone();
        failing.iter_mut().filter(|(series, _)| is_success(series)).for_each(|(_, values)| values.first = 0.0);
        cases.push(case("failing collector", &failing, 0));
        cases.push(case("collector of unknown result", &without(&is_success), 0));
    }
    cases
}

/// Returns the test of one case, for promtool.
fn test(entry: &Entry, case: &Case) -> Value {
    let length = case.at + 1;
    let series = case.samples.iter().flat_map(|(series, values)| {
        let missing = if metric(series) == "up" { "0" } else { "stale" };
        let values = values.written(length, case.missed, missing);
        case.targets.iter().map(move |target| {
            let (name, labels) = series.strip_suffix('}').unwrap().split_once('{').unwrap();
            let separator = if labels.is_empty() { "" } else { "," };
            json!({"series": format!("{name}{{{labels}{separator}{target}}}"), "values": values})
        })
    });
    let (alert, severity) = (&entry.rule["alert"], &entry.rule["labels"]["severity"]);
    let expected = if case.fire == 0 { json!([]) } else { json!([{"labels": "{}", "value": case.fire}]) };
    json!({
        "name": case.name,
        "interval": format!("{STEP}m"),
        "input_series": series.collect::<Vec<_>>(),
        "promql_expr_test": [{
            // A failure shows the expression, but not the name of the test.
            "expr": format!("count(ALERTS{{alertname={alert},severity={severity},alertstate=\"firing\"}}) # {}", case.name),
            "eval_time": format!("{}m", case.at * STEP - if case.is_before { entry.evaluation() } else { 0 }),
            "exp_samples": expected,
        }],
    })
}

#[test]
fn every_rule_has_its_cases() {
    let key = |rule: &Value| {
        [&rule["alert"], &rule["labels"]["severity"]].map(|part| part.as_str().unwrap().to_owned())
    };
    let rules: Vec<_> = all().iter().filter(|rule| rule["alert"].is_string()).map(key).collect();
    let mut covered: Vec<_> = entries().iter().map(|entry| key(&entry.rule)).collect();
    covered.dedup();
    assert_eq!(covered, rules, "tests/deploy/rules/cases.yaml has each rule, in order");
}

#[test]
#[ignore = "needs promtool (Debian: prometheus)"]
fn every_rule_stands_every_case() {
    let rules = all();
    let entries = entries();
    let files: Vec<_> = entries
        .iter()
        .map(|entry| {
            // JSON is YAML. Only the rule and those that record what it reads, because each test evaluates all of a file.
            let reads = read_by(entry.rule["expr"].as_str().unwrap(), &rules);
            let is_read = |rule: &&Value| rule["record"].as_str().is_some_and(|name| reads.contains(name));
            let recording: Vec<_> = rules.iter().filter(is_read).cloned().collect();
            let group = |name, rules: &[Value]| json!({"name": name, "rules": rules});
            let groups =
                json!({"groups": [group("recording", &recording), group("alert", std::slice::from_ref(&entry.rule))]});
            let rules_file = file("rules.json", &groups.to_string());
            let tests: Vec<_> = cases(entry, &rules).iter().map(|case| test(entry, case)).collect();
            let tests = json!({
                "rule_files": [rules_file],
                "evaluation_interval": format!("{}m", entry.evaluation()),
                "group_eval_order": ["recording", "alert"],
                "tests": tests,
            });
            let alert = entry.rule["alert"].as_str().unwrap();
            file(&format!("{alert}.json"), &tests.to_string())
        })
        .collect();
    let arguments: Vec<_> = ["test", "rules"].into_iter().chain(files.iter().map(String::as_str)).collect();
    for release in PROMETHEUS.releases() {
        let _tested = release.tested("`promtool test rules`");
        succeed(&release.program("promtool"), &arguments);
    }
}
