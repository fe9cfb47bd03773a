//! The HTTP endpoints: formats, compression, selections, deadlines.

use std::io::Read as _;
use std::time::{Duration, Instant};

use edgeimpulse_exporter::metrics::Format;
use edgeimpulse_exporter::serve::negotiation;
use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::json;

use crate::support::exposition::Sample;
use crate::support::wire::{Step, answer};
use crate::support::{Exposition, FakeApi, Running, Wire};

#[test]
fn the_format_is_the_one_that_is_preferred() {
    let prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                        text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                        application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                        text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    let text_first = "text/plain;version=0.0.4;q=0.9, application/openmetrics-text; version=1.0.0; q=0.5";
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (accept, format) in [
        (prometheus_2, Format::OpenMetrics),
        (prometheus_3, Format::OpenMetrics),
        ("application/openmetrics-text", Format::OpenMetrics),
        ("Application/OpenMetrics-Text; Version=\"1.0.0\"", Format::OpenMetrics),
        ("application/openmetrics-text;version=1.0.0, text/plain;version=0.0.4", Format::OpenMetrics),
        (text_first, Format::PrometheusText),
        ("application/openmetrics-text;q=0", Format::PrometheusText),
        ("application/openmetrics-text;version=0.0.1", Format::PrometheusText),
        ("application/openmetrics-text;version=2.0.0", Format::PrometheusText),
        ("text/plain", Format::PrometheusText),
        (browser, Format::PrometheusText),
        ("*/*", Format::PrometheusText),
        ("application/json", Format::PrometheusText),
        ("nonsense;;q=,", Format::PrometheusText),
        ("", Format::PrometheusText),
    ] {
        assert_eq!(negotiation::format(std::iter::once(accept)), format, "{accept}");
    }
    assert_eq!(negotiation::format(std::iter::empty()), Format::PrometheusText);
    let two_headers = ["text/plain;q=0.5", "application/openmetrics-text"];
    assert_eq!(negotiation::format(two_headers.into_iter()), Format::OpenMetrics);
}

/// Returns the samples that are the same in two scrapes of the same answers.
fn stable(metrics: &Exposition) -> Vec<Sample> {
    let changes =
        |name: &str| name.ends_with("_duration_seconds") || name.ends_with("last_success_timestamp_seconds");
    metrics.samples.iter().filter(|sample| !changes(&sample.name)).cloned().collect()
}

#[tokio::test]
async fn both_formats_say_the_same() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_jwt(&api, &["--web.disable-exporter-metrics"]).await;
    assert_eq!(stable(&exporter.scrape().await), stable(&exporter.scrape_open_metrics().await));
}

#[tokio::test]
async fn the_standard_metrics_of_processes_have_plausible_values() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_key(&api, &[]).await.scrape_open_metrics().await;
    let value = |name: &str| metrics.value(&format!("process_{name}"), &[]).unwrap_or_else(|| panic!("{name}"));
    let [resident, all, most, heap] =
        ["resident_memory_bytes", "virtual_memory_bytes", "virtual_memory_max_bytes", "heap_bytes"].map(value);
    assert!(1e6 < heap && heap <= resident && resident < all && all < most, "{heap} {resident} {all} {most}");
    assert!(value("threads") >= 2.0 && value("cpu_seconds_total") >= 0.0);
    assert!(3.0 < value("open_fds") && value("open_fds") < value("max_fds"));
    assert!(value("start_time_seconds") > 1.7e9);
}

#[tokio::test]
async fn the_exporters_own_metrics_can_be_left_out() {
    let api = FakeApi::with_samples("typical").await;
    let with = Running::with_key(&api, &[]).await.scrape_open_metrics().await;
    assert_eq!(with.value("edgeimpulse_exporter_build_info", &[]), Some(1.0));
    let without = Running::with_key(&api, &["--web.disable-exporter-metrics"]).await.scrape().await;
    assert!(!without.text.contains("edgeimpulse_exporter_") && !without.text.contains("process_"));
    let series = with.value("edgeimpulse_exporter_series", &[]).unwrap();
    assert_eq!(series, without.samples.len() as f64, "it counts what is not its own");
}

#[tokio::test]
async fn failures_that_did_not_happen_are_counted_as_zero() {
    let api = FakeApi::with_samples("typical").await;
    let metrics = Running::with_key(&api, &[]).await.scrape().await;
    let organization = [("endpoint", "/api/organizations/{organizationId}")];
    let errors = metrics.series("edgeimpulse_exporter_api_errors_total", &organization);
    assert_eq!(errors.len(), edgeimpulse_exporter::api::Error::REASONS.len());
    assert!(errors.iter().all(|sample| sample.value == 0.0));
    let reads = metrics.series("edgeimpulse_exporter_reads_total", &[("collector", "usage")]);
    let results: Vec<_> = reads.iter().map(|sample| (&*sample.labels["result"], sample.value > 0.0)).collect();
    let others = ["shared", "reused", "deferred", "late", "stale"].map(|result| (result, false));
    assert!(others.iter().all(|other| results.contains(other)), "{results:?}");
    assert!(results.len() == 6 && results.contains(&("fetched", true)), "{results:?}");
    let endpoint = [("endpoint", "/api/user")];
    assert!(
        metrics.series("edgeimpulse_exporter_api_errors_total", &endpoint).is_empty(),
        "it is never called"
    );
}

#[tokio::test]
async fn metrics_are_compressed_where_that_is_asked_for() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &["--web.disable-exporter-metrics"]).await;
    for _ in 0..3 {
        let request = exporter.request(Method::GET, "/metrics").header(ACCEPT_ENCODING, "br, gzip;q=0.5");
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        let compressed = response.bytes().await.unwrap();
        let mut text = String::new();
        let mut decoder = flate2::bufread::GzDecoder::new(&compressed[..]);
        decoder.read_to_string(&mut text).unwrap();
        assert!(decoder.into_inner().is_empty(), "one piece, for readers that know no more");
        assert_eq!(stable(&Exposition::of_prometheus_text(&text)), stable(&exporter.scrape().await));
        assert!(compressed.len() * 4 < text.len());
    }
    for accepted in
        ["gzip", "GZip", "x-gzip", "identity;q=0.5, gzip;q=0.501", "identity;q=0.9,gzip", "gzip;q=0.5, *;q=0"]
    {
        let request = exporter.request(Method::GET, "/metrics").header(ACCEPT_ENCODING, accepted);
        assert_eq!(request.send().await.unwrap().headers()[CONTENT_ENCODING], "gzip", "{accepted}");
    }
    for refusal in
        ["", "identity", "gzip;q=0", "br", "gzip;q=0.5, identity", "identity;q=0.2, gzip;q=0.199", "*;q=0"]
    {
        let request = exporter.request(Method::GET, "/metrics").header(ACCEPT_ENCODING, refusal);
        let plain = request.send().await.unwrap();
        assert!(!plain.headers().contains_key(CONTENT_ENCODING), "{refusal}");
        assert!(plain.text().await.unwrap().contains("edgeimpulse_up"));
    }
}

#[tokio::test]
async fn pages_for_probes_and_people_never_call_the_api() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[]).await;
    for path in ["/-/healthy", "/-/ready", "/"] {
        let response = exporter.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
    assert_eq!(api.calls().await, 0);
}

#[tokio::test]
async fn head_has_the_status_and_the_headers_of_get() {
    let api = FakeApi::with_samples("typical").await;
    let options = ["--web.disable-exporter-metrics", "--cache.ttl=1h", "--web.enable-lifecycle"];
    let exporter = Running::with_key(&api, &options).await;
    exporter.scrape().await;
    for path in [
        "/metrics",
        "/metrics?name[]=edgeimpulse_up",
        "/metrics?collect[]=x",
        "/probe?target=1",
        "/sd",
        "/",
        "/-/healthy",
        "/x",
    ] {
        for encoding in ["identity", "gzip"] {
            let answer = async |method| {
                let request = exporter.request(method, path).header(ACCEPT_ENCODING, encoding);
                let response = request.send().await.unwrap();
                let mut headers = response.headers().clone();
                headers.remove("date");
                headers.remove("transfer-encoding");
                // Durations of calls and of the scrape, and ages on the page, change.
                let length = headers
                    .get(CONTENT_LENGTH)
                    .map(|length| length.to_str().unwrap().parse::<usize>().unwrap());
                headers.remove(CONTENT_LENGTH);
                (response.status(), headers, length, response.bytes().await.unwrap().len())
            };
            let (get, head) = (answer(Method::GET).await, answer(Method::HEAD).await);
            assert_eq!((get.0, &get.1, head.3), (head.0, &head.1, 0), "{path}");
            assert_eq!(get.2.is_some(), head.2.is_some(), "{path}");
            if let (Some(get), Some(head)) = (get.2, head.2) {
                assert!(get.abs_diff(head) < 200, "{path}: {get} {head}");
            }
        }
    }
}

#[tokio::test]
async fn metrics_are_selected_by_name() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[]).await;
    let everything = exporter.scrape().await;
    let names = async |query: &str| {
        let text = exporter.page(&format!("/metrics?{query}")).await;
        let metrics = Exposition::of_prometheus_text(&text);
        metrics.samples.into_iter().map(|sample| sample.name).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names("name[]=edgeimpulse_up").await, ["edgeimpulse_up".to_owned()].into());
    let counter = "edgeimpulse_exporter_api_requests_total".to_owned();
    let two =
        names("name[]=edgeimpulse_organization_info&name[]=edgeimpulse_exporter_api_requests_total").await;
    assert_eq!(two, [counter, "edgeimpulse_organization_info".to_owned()].into());
    assert!(
        names("name[]=edgeimpulse_exporter_api_request_duration_seconds").await.len() > 1,
        "a histogram is one metric"
    );
    assert!(names("name[]=unknown").await.is_empty() && names("name[]=").await.is_empty());
    let both = names("collect[]=usage&name[]=edgeimpulse_organization_info").await;
    assert!(both.is_empty(), "{both:?}");
    let probe = exporter.page("/probe?target=1&name[]=edgeimpulse_organization_users").await;
    assert_eq!(Exposition::of_prometheus_text(&probe).samples.len(), 4, "{probe}");
    let facts = |metrics: &Exposition| {
        metrics.samples.iter().filter(|sample| sample.name.contains("_organization_")).count()
    };
    assert_eq!(facts(&exporter.scrape().await), facts(&everything), "the next full scrape has everything");
}

#[tokio::test]
async fn open_metrics_names_the_escaping_scheme_that_was_asked_for() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[]).await;
    for (accept, escaping) in [
        ("application/openmetrics-text", "underscores"),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;q=0.2",
            "allow-utf-8",
        ),
        ("application/openmetrics-text; version=1.0.0; Escaping=dots", "dots"),
        (
            "application/openmetrics-text;version=2.0.0;escaping=allow-utf-8, application/openmetrics-text;q=0.5",
            "underscores",
        ),
        (
            "text/plain;version=1.0.0;escaping=values;q=0.1, application/openmetrics-text;escaping=invented",
            "underscores",
        ),
    ] {
        let response = exporter.request(Method::GET, "/metrics").header(ACCEPT, accept).send().await.unwrap();
        let expected =
            format!("application/openmetrics-text; version=1.0.0; charset=utf-8; escaping={escaping}");
        assert_eq!(response.headers()[CONTENT_TYPE], expected, "{accept}");
    }
    let text = exporter.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(text.headers()[CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
}

#[tokio::test]
async fn no_response_lets_browsers_guess_its_type() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[]).await;
    for path in
        ["/metrics", "/metrics?collect[]=x", "/probe", "/sd", "/", "/-/healthy", "/-/ready", "/-/reload", "/x"]
    {
        let response = exporter.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_told_what_to_do() {
    let api = FakeApi::start().await;
    let exporter = Running::with_key(&api, &["--web.telemetry-path=/edge"]).await;
    let unknown = exporter.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.text().await.unwrap(), "not found: /metrics; metrics are at /edge\n");
    let wrong = exporter.request(Method::POST, "/edge").send().await.unwrap();
    assert_eq!(wrong.status(), 405);
    assert_eq!(wrong.headers()[ALLOW], "GET,HEAD");
    assert_eq!(wrong.text().await.unwrap(), "method POST is not allowed for /edge: use GET or HEAD\n");
}

#[tokio::test]
async fn the_page_tells_what_was_read_and_what_failed() {
    let api = FakeApi::with_samples("typical").await;
    api.refuses("/api/organizations/2/metrics", 500, "Out of order").await;
    let exporter = Running::with_key(&api, &[]).await;
    assert!(exporter.page("/").await.contains("Not scraped yet"));
    exporter.scrape().await;
    let page = exporter.page("/").await;
    for text in [
        "Account default",
        "an API key",
        "Org 1 \\ &quot;quoted&quot;",
        "organization 2",
        "API server error (HTTP 500): Out of order",
        "\u{a0}calls failed",
        "0\u{a0}s ago",
        env!("CARGO_PKG_VERSION"),
        "href=\"metrics\"",
    ] {
        assert!(page.contains(text), "{text} is missing in {page}");
    }
    assert!(!page.contains("<script") && !page.contains("src="), "nothing is loaded");
}

/// What a call answers that takes longer than any scrape here may.
async fn with_slow_usage() -> FakeApi {
    let api = FakeApi::with_samples("typical").await;
    api.dawdles("/api/organizations/2/metrics", Duration::from_secs(8), &json!({})).await;
    api
}

#[tokio::test]
async fn a_scrape_answers_before_its_deadline_with_what_has_arrived() {
    let api = with_slow_usage().await;
    let exporter = Running::with_key(&api, &["--scrape.timeout-offset=2s"]).await;
    let began = Instant::now();
    let metrics = exporter.scrape_within("4").await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let success = |id| {
        let labels = [("collector", "usage"), ("organization_id", id)];
        metrics.value("edgeimpulse_scrape_collector_success", &labels)
    };
    assert_eq!((success("1"), success("2")), (Some(1.0), Some(0.0)));
    assert_eq!(metrics.series("edgeimpulse_organization_storage_used_bytes", &[]).len(), 1);
    assert_eq!(metrics.series("edgeimpulse_organization_users_used", &[]).len(), 1);
    assert_eq!(metrics.series("edgeimpulse_organization_users", &[("role", "admin")]).len(), 2);
    let late = metrics.value("edgeimpulse_exporter_deadline_exceeded_total", &[("collector", "usage")]);
    assert_eq!(late, Some(1.0));
}

#[tokio::test]
async fn scrapes_at_the_same_time_share_their_calls() {
    let api = FakeApi::with_samples("typical").await;
    let answer: serde_json::Value =
        serde_json::from_str(&crate::support::data("typical/organization-1.json")).unwrap();
    api.dawdles("/api/organizations/1", Duration::from_millis(300), &answer).await;
    let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
    let scrapes = futures_util::future::join_all((0..100).map(|_| exporter.page("/metrics"))).await;
    assert!(scrapes.iter().all(|text| text.contains("edgeimpulse_up{account=\"default\"} 1")));
    assert_eq!(api.requests("/api/organizations/1").await.len(), 1);
}

#[tokio::test]
async fn without_a_cache_the_same_call_is_made_once_at_a_time_however_many_clients_scrape() {
    const DURATION: Duration = Duration::from_millis(20);
    let body = crate::support::data("typical/organization-1.json");
    let api = Wire::start(move |_, _| vec![Step::Wait(DURATION), answer(body.as_bytes(), "")]).await;
    let options = ["--organization-id=1", "--no-collector.usage", "--cache.ttl=0s"];
    let exporter = Running::with_key_at(&api.url, &options).await;
    let began = Instant::now();
    let clients = (0..20).map(async |_| {
        for _ in 0..5 {
            assert!(exporter.page("/metrics").await.contains("edgeimpulse_up{account=\"default\"} 1"));
        }
    });
    futures_util::future::join_all(clients).await;
    let most = began.elapsed().as_secs_f64() / DURATION.as_secs_f64() + 1.0;
    let calls = u32::try_from(api.requests()).unwrap();
    assert!(calls >= 5 && f64::from(calls) <= most, "{calls} calls of at most {most:.1} one after another");
}

#[test]
fn the_budget_is_what_the_offset_leaves_of_the_timeout() {
    use clap::Parser;
    let budget = |options: &[&str], seconds: Option<f64>| {
        let arguments = std::iter::once("edgeimpulse-exporter").chain(options.iter().copied());
        let options =
            edgeimpulse_exporter::cli::arguments::CommandLine::try_parse_from(arguments).unwrap().options;
        options.common.scrape.budget(seconds.map(Duration::from_secs_f64)).as_secs_f64()
    };
    let near =
        |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    near(budget(&[], Some(30.0)), 29.5);
    near(budget(&[], Some(1.0)), 0.5);
    near(budget(&[], Some(0.4)), 0.2);
    near(budget(&[], None), 10.0);
    near(budget(&["--scrape.timeout-default=3s"], None), 3.0);
    near(budget(&["--scrape.timeout-max=5s"], Some(30.0)), 5.0);
    near(budget(&["--scrape.timeout-offset=10s"], Some(30.0)), 20.0);
}

#[tokio::test]
async fn a_timeout_of_any_size_is_survived() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &["--scrape.timeout-default=500000000000y"]).await;
    for timeout in ["1e19", "1e400", "inf", "NaN", "-5", "0", "soon", ""] {
        assert_eq!(exporter.scrape_within(timeout).await.value("edgeimpulse_up", &[]), Some(1.0), "{timeout}");
    }
}

#[tokio::test]
async fn the_page_tells_of_a_call_that_does_not_answer() {
    let api = with_slow_usage().await;
    let exporter = Running::with_key(&api, &[]).await;
    exporter.scrape_within("3").await;
    let page = exporter.page("/").await;
    assert!(page.contains("<strong>Late</strong> for organization 2: called"), "{page}");
    assert!(page.contains(" ago, no response yet"), "{page}");
}
