//! Responses that mean the same give the same metrics, and parallel scrapes never a wrong value or a broken exposition.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use edgeimpulse_exporter::model::Clock;
use edgeimpulse_exporter::serve::ReloadableExporter;
use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::Value;
use wiremock::ResponseTemplate;

use crate::serve::bounds::gzip;
use crate::support::fake::SAMPLES;
use crate::support::running::KEY;
use crate::support::wire::{Step, answer};
use crate::support::{Exposition, FakeApi, Running, Wire, data, file};

/// Another way to write and send the same JSON.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent of each other")]
struct Writing {
    /// Members in the reverse order.
    is_reversed: bool,
    /// Members that nothing reads, in each object.
    has_unknown: bool,
    /// Each character of a name or text as an escape.
    has_escapes: bool,
    /// White space wherever it may be.
    is_spaced: bool,
    /// With gzip.
    is_compressed: bool,
}

impl Writing {
    fn write(self, value: &Value, out: &mut String) {
        let space = if self.is_spaced { " \n\t\r" } else { "" };
        out.push_str(space);
        match value {
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if self.is_reversed {
                    members.reverse();
                }
                out.push('{');
                let unknown = r#""Id":[{"id":7,"name":[{}]},1e300],"":"\\\"}]""#;
                out.push_str(if self.has_unknown { unknown } else { "" });
                for (number, (name, value)) in members.into_iter().enumerate() {
                    out.push_str(if number > 0 || self.has_unknown { "," } else { "" });
                    self.write_text(name, out);
                    out.push(':');
                    self.write(value, out);
                }
                out.push('}');
            }
            Value::Array(elements) => {
                out.push('[');
                for (number, element) in elements.iter().enumerate() {
                    out.push_str(if number > 0 { "," } else { "" });
                    self.write(element, out);
                }
                out.push(']');
            }
            Value::String(text) => self.write_text(text, out),
            single => out.push_str(&single.to_string()),
        }
        out.push_str(space);
    }

    fn write_text(self, text: &str, out: &mut String) {
        if !self.has_escapes {
            return out.push_str(&Value::from(text).to_string());
        }
        out.push('"');
        for unit in text.encode_utf16() {
            write!(out, "\\u{unit:04x}").unwrap();
        }
        out.push('"');
    }
}

#[tokio::test]
async fn responses_that_mean_the_same_give_the_same_metrics() {
    let metrics = async |writing: Option<Writing>| {
        let api = FakeApi::with_samples("typical").await;
        for (path, file) in SAMPLES {
            let Some(writing) = writing else { continue };
            let mut body = String::new();
            writing.write(&serde_json::from_str(&data(&format!("typical/{file}.json"))).unwrap(), &mut body);
            let response = ResponseTemplate::new(200);
            let response = if writing.is_compressed {
                let response = response.insert_header("Content-Encoding", "gzip");
                response.set_body_raw(gzip(body.as_bytes()), "application/json")
            } else {
                response.set_body_raw(body, "application/json")
            };
            api.responds(path, response).await;
        }
        let exporter = Running::with_jwt(&api, &["--user-id=1", "--whitelabel.user-id=2"]).await;
        exporter.scrape().await.stable_text()
    };
    let plain = metrics(None).await;
    assert!(plain.lines().count() > 200, "{plain}");
    let writing = Writing::default();
    for writing in [
        writing,
        Writing { is_reversed: true, ..writing },
        Writing { has_unknown: true, ..writing },
        Writing { has_escapes: true, ..writing },
        Writing { is_spaced: true, ..writing },
        Writing { is_compressed: true, ..writing },
        Writing {
            is_reversed: true,
            has_unknown: true,
            has_escapes: true,
            is_spaced: true,
            is_compressed: true,
        },
    ] {
        assert_eq!(metrics(Some(writing)).await, plain, "{writing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_scrapes_of_a_changing_api_are_readable_and_have_no_series_twice() {
    let versions = AtomicU64::new(0);
    let api = Wire::start(move |_, path| {
        let version = versions.fetch_add(1, Ordering::Relaxed);
        let list = |count, element: &dyn Fn(u64) -> String| {
            (0..count).map(|n| element(version + n * 7)).collect::<Vec<_>>().join(",")
        };
        let datasets = list(version % 6, &|n| {
            format!(r#"{{"dataset":"{}","type":"{version}","totalFileSize":{n}}}"#, n % 3)
        });
        let response = match path {
            _ if path.contains("/metrics") => format!(r#""metrics":{{"totalStorage":{version}}}"#),
            _ => format!(r#""organization":{{"name":"{version}"}},"datasets":[{datasets}]"#),
        };
        match version % 11 {
            0 => vec![Step::Close],
            1 => vec![answer(br#"{"success":false,"error":"Oops"}"#, "")],
            _ => vec![
                Step::Wait(Duration::from_millis(version % 4)),
                answer(format!(r#"{{"success":true,{response}}}"#).as_bytes(), ""),
            ],
        }
    })
    .await;
    let options = ["--cache.ttl=0s", "--organization-id=1,2,3,4,5"];
    let exporter = Running::with_key_at(&api.url, &options).await;
    // The parsers fail for a series that comes twice.
    join_all((0..8).map(async |client| {
        for _ in 0..20 {
            let text = exporter.page("/metrics").await;
            Exposition::of_prometheus_text(&text);
            if client == 0 {
                exporter.scrape_open_metrics().await;
                let _: Value = serde_json::from_str(&exporter.page("/sd").await).unwrap_or_default();
            }
        }
    }))
    .await;
    assert!(api.requests() > 50, "{} requests", api.requests());
}

/// Returns the number that the values of a sample of organization `id` are multiplied with.
fn factor(name: &str) -> Option<f64> {
    match name {
        "edgeimpulse_organization_storage_used_bytes" => Some(1000.0),
        "edgeimpulse_organization_projects_used" => Some(7.0),
        "edgeimpulse_dataset_size_bytes" => Some(3.0),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_scrapes_probes_and_reloads_have_the_values_of_the_api() {
    let api = Wire::start(|number, path| {
        let (_, id) = path.split_once("/organizations/").unwrap_or_default();
        let id: u64 = id.split(['/', '?']).next().unwrap().parse().unwrap();
        let response = match path {
            _ if path.contains("/metrics") => {
                format!(r#""metrics":{{"totalStorage":{},"projectCount":{}}}"#, id * 1000, id * 7)
            }
            _ => format!(
                r#""organization":{{"id":{id},"name":"{id}"}},"datasets":[{{"dataset":"{id}","totalFileSize":{}}}]"#,
                id * 3
            ),
        };
        vec![
            Step::Wait(Duration::from_millis(number as u64 % 5)),
            answer(format!(r#"{{"success":true,{response}}}"#).as_bytes(), ""),
        ]
    })
    .await;
    let ids: Vec<_> = (1..=20).map(|id: u64| id.to_string()).collect();
    let organizations = format!("--organization-id={}", ids.join(","));
    let options = [
        &organizations,
        "--no-collector.buckets",
        "--no-collector.pipelines",
        "--no-collector.jobs",
        "--scrape.timeout-default=5m",
    ];
    let key = file("key", KEY);
    let live =
        ReloadableExporter::new(Running::build(&api.url, &["--api.key-file", &key], Clock::System, &options));
    let exporter = Running::serve_live(Arc::clone(&live)).await;
    // A path, and how many of the three values above it has for each organization.
    let paths: Vec<(String, usize)> =
        [("/metrics", 60), ("/metrics?collect[]=usage", 40), ("/metrics?collect[]=organization", 20)]
            .into_iter()
            .map(|(path, values)| (path.to_owned(), values))
            .chain([5, 17].map(|id| (format!("/probe?target={id}"), 3)))
            .collect();
    let scrapes = join_all((0..15).map(async |client: usize| {
        for round in 0..6 {
            let (path, values) = &paths[(client + round) % paths.len()];
            let request = exporter.request(Method::GET, path);
            let is_open_metrics = (client + round).is_multiple_of(2);
            let accept = if is_open_metrics { "application/openmetrics-text" } else { "text/plain" };
            let text = request.header(ACCEPT, accept).send().await.unwrap().text().await.unwrap();
            // The parsers fail for a series that comes twice.
            let metrics = if is_open_metrics {
                Exposition::of_open_metrics(&text)
            } else {
                Exposition::of_prometheus_text(&text)
            };
            let mut found = 0;
            for sample in &metrics.samples {
                let Some(factor) = factor(&sample.name) else { continue };
                let id: f64 = sample.labels["organization_id"].parse().unwrap();
                assert_eq!(sample.value, id * factor, "{path}: {sample:?}");
                found += 1;
            }
            assert_eq!(found, *values, "{path}\n{text}");
        }
    }));
    let reloads = async {
        for _ in 0..20 {
            live.reload().await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::join!(scrapes, reloads);
}
