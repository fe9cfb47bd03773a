//! The rules of OpenMetrics 1.0, each as a check of the real output, with a text that breaks it.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::running::EVERYTHING;
use crate::support::{FakeApi, Program, Running};

/// A sample as it is written.
#[derive(Debug)]
struct Line<'a> {
    name: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    value: &'a str,
}

/// A family as it is written: its name, its metadata in order, and its samples.
#[derive(Debug, Default)]
struct Family<'a> {
    name: &'a str,
    metadata: Vec<(&'a str, &'a str)>,
    samples: Vec<Line<'a>>,
}

impl Family<'_> {
    fn metadata(&self, keyword: &str) -> Option<&str> {
        self.metadata.iter().find(|(found, _)| *found == keyword).map(|(_, text)| *text)
    }

    /// Returns the labels of a sample that tell metrics apart.
    fn identity<'l>(&self, sample: &Line<'l>) -> Vec<(&'l str, &'l str)> {
        let is_histogram = self.metadata("TYPE") == Some("histogram");
        sample.labels.iter().copied().filter(|(name, _)| !(is_histogram && *name == "le")).collect()
    }
}

/// Reads a text as families; one begins where its name is first in metadata.
fn families(text: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        let metadata = line.strip_prefix("# ").and_then(|rest| rest.split_once(' '));
        if let Some((keyword, (name, text))) =
            metadata.and_then(|(keyword, rest)| Some((keyword, rest.split_once(' ')?)))
        {
            if families.last().is_none_or(|family| family.name != name) {
                families.push(Family { name, ..Family::default() });
            }
            families.last_mut().unwrap().metadata.push((keyword, text));
            continue;
        }
        let end = line.find(['{', ' ']).unwrap_or(line.len());
        let (labels, value) =
            line[end..].rsplit_once("} ").unwrap_or(("", line[end..].trim_start_matches(' ')));
        let mut labels = labels.trim_start_matches('{');
        let mut found = Vec::new();
        while let Some((name, rest)) = labels.split_once("=\"") {
            let mut escaped = false;
            let end = rest.find(|c| {
                let is_end = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                is_end
            });
            let (value, rest) = rest.split_at(end.unwrap());
            found.push((name, value));
            labels = rest[1..].trim_start_matches(',');
        }
        let family = families.last_mut().unwrap_or_else(|| panic!("a sample before all metadata: {line}"));
        family.samples.push(Line { name: &line[..end], labels: found, value });
    }
    families
}

/// Returns a number as `le` must have it, for those that histograms here have.
fn canonical(number: &str) -> String {
    match number.parse::<f64>().unwrap() {
        infinite if infinite.is_infinite() => "+Inf".to_owned(),
        number => format!("{number:?}"),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// A rule: what it says, whether a text keeps it, and a text that does not.
type Rule = (&'static str, fn(&str) -> bool, &'static str);

const RULES: [Rule; 15] = [
    (
        "the text ends with one EOF and a line feed, and has no carriage return, byte order mark or empty line",
        |text| {
            let plain = !text.contains(['\r', '\u{feff}']) && text.lines().all(|line| !line.is_empty());
            plain && text.ends_with("# EOF\n") && text.lines().filter(|line| *line == "# EOF").count() == 1
        },
        "# TYPE a gauge\na 1\n# EOF\n# EOF\n",
    ),
    (
        "a line that begins with # is metadata",
        |text| {
            let known = ["# HELP ", "# TYPE ", "# UNIT "];
            let mut comments = text.lines().filter(|line| line.starts_with('#') && *line != "# EOF");
            comments.all(|line| known.iter().any(|known| line.starts_with(known)))
        },
        "# Metrics\n# TYPE a gauge\na 1\n# EOF\n",
    ),
    (
        "families are not interleaved, and each has its metadata once, before its samples",
        |text| {
            let names: Vec<_> = families(text).iter().map(|family| family.name.to_owned()).collect();
            let is_own =
                |family: &Family<'_>| family.samples.iter().all(|sample| sample.name.starts_with(family.name));
            let unique = |family: &Family<'_>| {
                family.metadata.iter().map(|(keyword, _)| keyword).collect::<BTreeSet<_>>().len()
                    == family.metadata.len()
            };
            names.len() == names.iter().collect::<BTreeSet<_>>().len()
                && families(text).iter().all(|family| is_own(family) && unique(family))
                // Metadata after a sample would be that of a family without samples.
                && families(text).iter().all(|family| !family.samples.is_empty())
        },
        "# TYPE a gauge\na{b=\"1\"} 1\n# TYPE c gauge\nc 1\n# TYPE a gauge\na{b=\"2\"} 1\n# EOF\n",
    ),
    (
        "every family has a type, and a help that is not empty",
        |text| {
            families(text).iter().all(|family| {
                let has_type = ["gauge", "counter", "histogram"].map(Some).contains(&family.metadata("TYPE"));
                has_type && family.metadata("HELP").is_some_and(|help| !help.trim().is_empty())
            })
        },
        "# TYPE a gauge\na 1\n# EOF\n",
    ),
    (
        "a name that ends with a unit has the unit, and no other name has one",
        |text| {
            families(text).iter().all(|family| {
                let units = ["seconds", "bytes", "cores"];
                let end = units.into_iter().find(|unit| family.name.ends_with(&format!("_{unit}")));
                family.metadata("UNIT") == end
            })
        },
        "# TYPE a_seconds gauge\na_seconds 1\n# EOF\n",
    ),
    (
        "names of families and labels are in snake case, and none begins with an underscore",
        |text| {
            families(text).iter().all(|family| {
                let labels = family.samples.iter().flat_map(|sample| &sample.labels);
                is_name(family.name) && labels.into_iter().all(|(name, _)| is_name(name))
            })
        },
        "# TYPE a gauge\na{organizationId=\"1\"} 1\n# EOF\n",
    ),
    (
        "no name is that of a sample of another family",
        |text| {
            let names: BTreeSet<_> = families(text).iter().map(|family| family.name.to_owned()).collect();
            let suffixes = ["total", "created", "bucket", "sum", "count", "info", "gsum", "gcount"];
            names.iter().all(|name| suffixes.iter().all(|suffix| !names.contains(&format!("{name}_{suffix}"))))
        },
        "# TYPE a counter\na_total 1\n# TYPE a_created gauge\na_created 1\n# EOF\n",
    ),
    (
        "the samples of a gauge have its name, those of a counter the suffix total, those of a histogram its parts",
        |text| {
            families(text).iter().all(|family| {
                let suffixes: &[&str] = match family.metadata("TYPE") {
                    Some("counter") => &["_total"],
                    Some("histogram") => &["_bucket", "_sum", "_count"],
                    _ => &[""],
                };
                let is_known =
                    |name: &str| suffixes.iter().any(|suffix| name == format!("{}{suffix}", family.name));
                family.samples.iter().all(|sample| is_known(sample.name))
            })
        },
        "# TYPE a counter\na 1\n# EOF\n",
    ),
    (
        "the metrics of a family have the same labels, in the same order",
        |text| {
            families(text).iter().all(|family| {
                let names = |sample| family.identity(sample).iter().map(|(name, _)| *name).collect::<Vec<_>>();
                family.samples.windows(2).all(|two| names(&two[0]) == names(&two[1]))
            })
        },
        "# TYPE a gauge\na{b=\"1\",c=\"2\"} 1\na{b=\"2\"} 1\n# EOF\n",
    ),
    (
        "no two metrics of a family are the same, also without their empty labels",
        |text| {
            families(text).iter().all(|family| {
                let key = |sample: &Line<'_>| {
                    let labels = sample.labels.iter().filter(|(_, value)| !value.is_empty());
                    format!("{} {:?}", sample.name, labels.collect::<BTreeSet<_>>())
                };
                family.samples.iter().map(key).collect::<BTreeSet<_>>().len() == family.samples.len()
            })
        },
        "# TYPE a gauge\na{b=\"1\",c=\"\"} 1\na{b=\"1\",c=\"\"} 2\n# EOF\n",
    ),
    (
        "a value is an integer or a float with a fraction or an exponent, and has no timestamp or exemplar",
        |text| {
            let is_number =
                |text: &str| text.chars().all(|c| "0123456789.-+e".contains(c)) && text.parse::<f64>().is_ok();
            families(text).iter().flat_map(|family| &family.samples).all(|sample| is_number(sample.value))
        },
        "# TYPE a gauge\na 1 1795690073\n# EOF\n",
    ),
    (
        "a counter is a finite number that is not negative",
        |text| {
            let families = families(text);
            let counters = families.iter().filter(|family| family.metadata("TYPE") == Some("counter"));
            counters
                .flat_map(|family| &family.samples)
                .all(|sample| sample.value.parse::<f64>().is_ok_and(|value| value.is_finite() && value >= 0.0))
        },
        "# TYPE a counter\na_total -1\n# EOF\n",
    ),
    (
        "the buckets of a histogram have canonical limits that increase to +Inf, count upwards, and end with its count",
        |text| {
            families(text).iter().filter(|family| family.metadata("TYPE") == Some("histogram")).all(are_buckets)
        },
        "# TYPE a histogram\na_sum 1\na_count 2\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 2\n# EOF\n",
    ),
    (
        "the samples of a metric are not interleaved with those of another one",
        |text| {
            families(text).iter().all(|family| {
                let mut groups: Vec<_> = family.samples.iter().map(|sample| family.identity(sample)).collect();
                groups.dedup();
                let count = groups.len();
                groups.sort();
                groups.dedup();
                count == groups.len()
            })
        },
        "# TYPE a histogram\na_sum{b=\"1\"} 1\na_sum{b=\"2\"} 1\na_count{b=\"1\"} 1\na_count{b=\"2\"} 1\n# EOF\n",
    ),
    (
        "no label is the same on all samples",
        |text| {
            let families = families(text);
            let mut samples = families.iter().flat_map(|family| &family.samples);
            let Some(first) = samples.next() else { return true };
            let mut common: BTreeSet<_> = first.labels.iter().collect();
            samples.for_each(|sample| common.retain(|label| sample.labels.contains(label)));
            common.is_empty()
        },
        "# TYPE a gauge\na{b=\"1\",c=\"1\"} 1\na{b=\"1\",c=\"2\"} 1\n# EOF\n",
    ),
];

/// Returns true if the buckets of a histogram are as they must be.
fn are_buckets(family: &Family<'_>) -> bool {
    let mut metrics: BTreeMap<_, (Vec<(&str, f64)>, f64)> = BTreeMap::new();
    for sample in &family.samples {
        let metric = metrics.entry(family.identity(sample)).or_default();
        let value = sample.value.parse().unwrap();
        if sample.name.ends_with("_count") {
            metric.1 = value;
        } else if let Some((_, limit)) = sample.labels.iter().find(|(name, _)| *name == "le") {
            metric.0.push((limit, value));
        }
    }
    metrics.values().all(|(buckets, count)| {
        let limit = |text: &str| text.parse::<f64>().unwrap();
        buckets.iter().all(|(limit, _)| canonical(limit) == *limit)
            && buckets.windows(2).all(|two| limit(two[0].0) < limit(two[1].0) && two[0].1 <= two[1].1)
            && buckets.last().is_some_and(|last| *last == ("+Inf", *count))
    })
}

#[tokio::test]
async fn every_exposition_keeps_the_rules_of_open_metrics() {
    let mut texts = Vec::new();
    for sample in ["typical", "bare"] {
        let api = FakeApi::with_samples(sample).await;
        let exporter = Running::with_jwt(&api, &EVERYTHING).await;
        // Telemetry has its counters after the first scrape.
        exporter.scrape_open_metrics().await;
        texts.push((sample, exporter.scrape_open_metrics().await.text));
        api.refuses("/api/organizations/1/metrics", 500, "Out of order").await;
        texts.push((sample, exporter.scrape_open_metrics().await.text));
    }
    let arguments = ["demo", "--web.listen-address=127.0.0.1:0", "--collector.projects"];
    let mut demo = Program::start(&arguments, &[]);
    let url = demo.prints("/metrics").await.split_whitespace().next().unwrap().to_owned();
    let request = crate::support::client().get(url).header("accept", "application/openmetrics-text");
    texts.push(("demo", request.send().await.unwrap().text().await.unwrap()));
    demo.stop().await;
    for (source, text) in &texts {
        assert!(families(text).len() > 40, "{source}: {text}");
        for (rule, is_kept, _) in RULES {
            assert!(is_kept(text), "{source}: {rule}: {text}");
        }
    }
    let all = texts.iter().map(|(_, text)| &**text).collect::<String>();
    assert!(all.contains("# UNIT ") && all.contains("=\"\"") && all.contains("le=\"+Inf\""), "all rules apply");
}

#[test]
fn each_rule_of_open_metrics_can_be_broken() {
    for (rule, is_kept, broken) in RULES {
        assert!(!is_kept(broken), "{rule}: {broken}");
    }
}
