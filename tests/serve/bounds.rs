//! Bounds: connections, headers, series, memory.

use std::time::{Duration, Instant};

use edgeimpulse_exporter::model::Clock;
use edgeimpulse_exporter::serve::ConnectionLimits;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::running::{KEY, NOW};
use crate::support::wire::{Step, answer};
use crate::support::{FakeApi, Program, Running, Wire, data, eventually, file, free_port};

async fn within(api: &FakeApi, limits: ConnectionLimits) -> Running {
    let exporter = Running::build(&api.url(), &["--api.key-file", &file("key", KEY)], Clock::Fixed(NOW), &[]);
    Running::serve_within(exporter, limits).await
}

#[tokio::test]
async fn a_connection_too_many_waits_and_is_not_refused() {
    let header_timeout = Duration::from_millis(700);
    let limits = ConnectionLimits { connections: 1, header_timeout, ..ConnectionLimits::default() };
    let exporter = within(&FakeApi::start().await, limits).await;
    let began = Instant::now();
    let mut idle = TcpStream::connect(exporter.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await.unwrap();
    assert!(exporter.page("/-/healthy").await.contains("Healthy"), "it is answered when there is a place");
    assert!(began.elapsed() >= header_timeout / 2, "it had to wait for the idle one to be sent away");
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_header_is_sent_away() {
    let header_timeout = Duration::from_millis(300);
    let limits = ConnectionLimits { header_timeout, ..ConnectionLimits::default() };
    let exporter = within(&FakeApi::start().await, limits).await;
    let mut slow = TcpStream::connect(exporter.address).await.unwrap();
    slow.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ").await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), slow.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection was closed");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_sent_away() {
    let name = |number: usize| format!("{number}{}", "x".repeat(8000));
    let datasets: Vec<_> =
        (0..900).map(|number| json!({ "dataset": name(number), "totalFileSize": 1 })).collect();
    let information = json!({ "success": true, "organization": { "id": 1 }, "datasets": datasets });
    let api = FakeApi::with_organization(&information).await;
    let write_timeout = Duration::from_millis(300);
    let limits = ConnectionLimits { connections: 1, write_timeout, ..ConnectionLimits::default() };
    let exporter = within(&api, limits).await;
    let mut greedy = TcpStream::connect(exporter.address).await.unwrap();
    greedy.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let healthy = tokio::time::timeout(Duration::from_secs(20), exporter.page("/-/healthy")).await;
    assert!(healthy.is_ok_and(|page| page.contains("Healthy")), "its place is free again");
    drop(greedy);
}

#[tokio::test]
async fn a_header_that_is_too_long_is_refused() {
    let exporter = within(&FakeApi::start().await, ConnectionLimits::default()).await;
    let request = exporter.request(reqwest::Method::GET, "/metrics").header("X-Long", "x".repeat(64 * 1024));
    assert_eq!(request.send().await.unwrap().status(), 431);
    assert!(exporter.page("/-/healthy").await.contains("Healthy"));
}

#[tokio::test]
async fn datasets_beyond_the_limit_are_counted_and_not_shown() {
    let datasets: Vec<_> =
        (0..20).map(|n| json!({ "dataset": format!("d{n:02}"), "totalFileSize": n })).collect();
    let information = json!({ "success": true, "organization": { "id": 1 }, "datasets": datasets });
    let api = FakeApi::with_organization(&information).await;
    let exporter = Running::with_key(&api, &["--collector.organization.most-datasets=3"]).await;
    let metrics = exporter.scrape().await;
    let names = metrics.labels("edgeimpulse_dataset_size_bytes", "dataset");
    assert_eq!(names, ["d00", "d01", "d02"], "the same ones at every scrape");
    let dropped = metrics.value("edgeimpulse_exporter_dropped_series", &[("reason", "dataset_limit")]);
    assert_eq!(dropped, Some(17.0 * 2.0), "info and size of each");
}

#[tokio::test]
async fn a_scrape_fails_only_for_those_who_want_it_to() {
    let api = FakeApi::with_samples("typical").await;
    let status = async |option: &str| {
        let exporter = Running::with_key(&api, &[option, "--organization-id=1"]).await;
        exporter.request(reqwest::Method::GET, "/metrics").send().await.unwrap().status().as_u16()
    };
    for (broken, never, all, any) in [(0, 200, 200, 200), (1, 200, 200, 503), (2, 200, 503, 503)] {
        match broken {
            0 => {}
            1 => api.refuses("/api/organizations/1/metrics", 500, "down").await,
            _ => api.refuses("/api/organizations/1", 500, "down").await,
        }
        let statuses = (
            status("--web.fail-scrape=never").await,
            status("--web.fail-scrape=all").await,
            status("--web.fail-scrape=any").await,
        );
        assert_eq!(statuses, (never, all, any), "{broken} of two calls broken");
    }
    api.refuses("/api/organizations/1", 403, "no").await;
    api.refuses("/api/organizations/1/metrics", 403, "no").await;
    assert_eq!(status("--web.fail-scrape=any").await, 200, "what is not permitted is not broken");
}

#[tokio::test]
async fn up_is_a_matter_of_whole_scrapes_and_fail_scrape_looks_at_what_was_requested() {
    let api = FakeApi::with_samples("typical").await;
    api.refuses("/api/organizations/1/metrics", 500, "down").await;
    let options = ["--organization-id=1", "--organization-id=2", "--web.fail-scrape=all"];
    let exporter = Running::with_key(&api, &options).await;
    for (path, status, has_up) in [
        ("/metrics", 200, true),
        ("/metrics?collect[]=organization", 200, false),
        ("/metrics?collect[]=usage", 200, false),
        ("/metrics?collect[]=exporter", 200, false),
        ("/probe?target=1&collect[]=usage", 503, false),
        ("/probe?target=1", 200, false),
        ("/probe?target=2&collect[]=usage", 200, false),
    ] {
        let response = exporter.request(reqwest::Method::GET, path).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_eq!(response.text().await.unwrap().contains("edgeimpulse_up"), has_up, "{path}");
    }
}

#[tokio::test]
#[ignore = "needs a minute"]
async fn memory_does_not_grow_over_thousands_of_scrapes_with_faults() {
    const SCRAPES: usize = 4000;
    let (organization, usage) =
        (data("typical/organization-1.json"), data("typical/organization-1-metrics.json"));
    let api = Wire::start(move |number, path| match number % 7 {
        0 => vec![Step::Close],
        1 => vec![answer(&organization.as_bytes()[..5000], "")],
        2 => vec![Step::Send(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec())],
        3 => vec![answer(b"<html>", "")],
        _ if path.contains("/metrics") => vec![answer(usage.as_bytes(), "")],
        _ => vec![answer(organization.as_bytes(), "")],
    })
    .await;
    // At this log level, the exporter does not report its address.
    let port = free_port();
    let arguments = [
        "--api.url",
        &api.url,
        "--organization-id=1,2,3",
        "--cache.ttl=0s",
        "--collector.projects",
        "--log.level=error",
        &format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let _program = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")]);
    let url = format!("http://127.0.0.1:{port}/metrics");
    let client = crate::support::client();
    let scrape = async || client.get(&url).send().await?.text().await;
    eventually(async || scrape().await.map_err(|error| error.to_string())).await;
    let mut resident = Vec::new();
    for number in 0..SCRAPES {
        let text = scrape().await.unwrap();
        if number % (SCRAPES / 8) == SCRAPES / 8 - 1 {
            let line = text.lines().find(|line| line.starts_with("process_resident_memory_bytes ")).unwrap();
            resident.push(line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() / f64::from(1 << 20));
        }
    }
    // The first quarter warms caches and pools up.
    let growth = resident[7] - resident[1];
    assert!(
        growth < 2.0,
        "{growth:.1} MiB over the last three quarters, MiB after each eighth: {resident:.1?}"
    );
}
