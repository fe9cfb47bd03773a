//! Values of random answers, valid by the API's document, compared with those that a program in Python reads independently.

use std::collections::{BTreeMap, BTreeSet};

use edgeimpulse_exporter::model::Collector;
use serde::Deserialize;
use serde_json::json;
use wiremock::{Request, ResponseTemplate};

use crate::support::catalogue::CATALOGUE;
use crate::support::exposition::Sample;
use crate::support::repository::succeed;
use crate::support::running::NOW;
use crate::support::{Exposition, FakeApi, Running, file};

/// Answers of an API, and the options with which they are read.
#[derive(Debug, Deserialize)]
struct Case {
    seed: u64,
    kind: String,
    is_jwt: bool,
    options: Vec<String>,
    /// JSON by path; that of a path with a query is the answer to requests with these parameters. `None` for status 404.
    answers: BTreeMap<String, Option<String>>,
}

/// Name, labels and value.
type Row = (String, BTreeMap<String, String>, f64);

/// Returns the output of a program in Python, a line for each case.
fn python(program: &str, arguments: &[String]) -> String {
    let program = format!("tests/api/independent/{program}.py");
    // -B: leaves no compiled files behind.
    let arguments = ["-B", &program].into_iter().chain(arguments.iter().map(String::as_str));
    succeed("python3", &arguments.collect::<Vec<_>>())
}

/// Returns the response to a request: that with the most parameters, all of which the request has.
fn response(answers: &[(String, Option<String>)], request: &Request) -> ResponseTemplate {
    let has =
        |parameter: &str| request.url.query().is_some_and(|query| query.split('&').any(|it| it == parameter));
    let fitting = answers.iter().filter(|(query, _)| query.split('&').all(|it| it.is_empty() || has(it)));
    match fitting.max_by_key(|(query, _)| query.len()) {
        Some((_, Some(body))) => ResponseTemplate::new(200).set_body_raw(&**body, "application/json"),
        _ => ResponseTemplate::new(404).set_body_json(json!({ "success": false, "error": "Not found" })),
    }
}

async fn serve(answers: &BTreeMap<String, Option<String>>) -> FakeApi {
    let api = FakeApi::start().await;
    let mut by_path: BTreeMap<&str, Vec<(String, Option<String>)>> = BTreeMap::new();
    for (request, body) in answers {
        let (path, query) = request.split_once('?').unwrap_or((request, ""));
        by_path.entry(path).or_default().push((query.to_owned(), body.clone()));
    }
    for (path, answers) in by_path {
        api.responds(path, move |request: &Request| response(&answers, request)).await;
    }
    api
}

async fn scrape(case: &Case) -> Exposition {
    let api = serve(&case.answers).await;
    let options: Vec<_> = case.options.iter().map(String::as_str).collect();
    let exporter = match case.is_jwt {
        true => Running::with_jwt(&api, &options).await,
        false => Running::with_key(&api, &options).await,
    };
    exporter.scrape_within("600").await
}

/// Whether a metric is about the answers, not about calls or the exporter.
fn is_of_answers(name: &str) -> bool {
    let others = ["edgeimpulse_exporter_", "edgeimpulse_scrape_", "edgeimpulse_up", "process_"];
    name == "edgeimpulse_exporter_compute_time_unit_mismatch"
        || !others.iter().any(|other| name.starts_with(other))
}

/// Returns the samples that only one of the two has, or that have different values.
fn differences(metrics: &Exposition, expected: Vec<Row>) -> Vec<String> {
    let key = |name: &str, labels: &BTreeMap<String, String>| format!("{name}{labels:?}");
    let mut differences = Vec::new();
    let mut rest = BTreeMap::new();
    for (name, labels, value) in expected {
        if rest.insert(key(&name, &labels), value).is_some() {
            differences.push(format!("read twice by Python: {name}{labels:?}"));
        }
    }
    for Sample { name, labels, value } in metrics.samples.iter().filter(|sample| is_of_answers(&sample.name)) {
        match rest.remove(&key(name, labels)) {
            // Sums may differ in their last digit, and dates within a millisecond.
            Some(expected) if (value - expected).abs() <= 1e-12 * expected.abs() => {}
            Some(expected) => differences.push(format!("{name}{labels:?} is {value}, not {expected}")),
            None => differences.push(format!("{name}{labels:?} is {value}, not missing")),
        }
    }
    differences.extend(rest.into_iter().map(|(series, value)| format!("{series} is missing, not {value}")));
    differences
}

#[tokio::test]
#[ignore = "needs python3"]
async fn values_of_random_answers_are_those_of_an_independent_reading() {
    // Another first seed makes other answers.
    let first: u32 = std::env::var("FIRST_SEED").map_or(0, |seed| seed.parse().unwrap());
    let seeds = (first..first + 64).map(|seed| seed.to_string());
    let cases = python("generate", &std::iter::once(NOW.to_string()).chain(seeds).collect::<Vec<_>>());
    let expected = python("read", &[file("cases", &cases)]);
    let (mut successes, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (case, expected) in cases.lines().zip(expected.lines()) {
        let case: Case = serde_json::from_str(case).unwrap();
        let metrics = scrape(&case).await;
        let differences = differences(&metrics, serde_json::from_str(expected).unwrap());
        let Case { seed, kind, options, .. } = &case;
        let some = &differences[..differences.len().min(20)];
        assert!(
            some.is_empty(),
            "seed {seed} ({kind}, {options:?}): {} differences: {some:#?}",
            differences.len()
        );
        assert_eq!(metrics.value("edgeimpulse_exporter_panics_total", &[]), Some(0.0), "seed {seed}");
        let results = metrics.series("edgeimpulse_scrape_collector_success", &[]).into_iter();
        successes.extend(results.filter(|it| it.value == 1.0).map(|it| it.labels["collector"].clone()));
        names.extend(metrics.samples.into_iter().map(|sample| sample.name));
    }
    assert_eq!(
        successes,
        BTreeSet::from(Collector::ALL.map(|collector| collector.name().to_owned())),
        "all have succeeded"
    );
    let missing = CATALOGUE.keys().filter(|name| is_of_answers(name) && !names.contains(**name));
    assert_eq!(missing.collect::<Vec<_>>(), [&""; 0], "metrics that no answer has");
}
