//! Responses that mean the same give the same metrics, and changing ones never a broken exposition.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::fake::SAMPLES;
use crate::support::wire::{Step, answer};
use crate::support::{Exposition, FakeApi, Running, Wire, data};

/// Another way to write the same JSON.
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
            api.answers_text(path, &body).await;
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
        Writing { is_reversed: true, has_unknown: true, has_escapes: true, is_spaced: true },
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
