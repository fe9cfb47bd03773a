//! Bounds: connections, headers, series, memory.

use std::time::Duration;

use edgeimpulse_exporter::model::Clock;
use edgeimpulse_exporter::serve::ConnectionLimits;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::running::{KEY, NOW};
use crate::support::secure::{Authority, Folder, TLS};
use crate::support::wire::{Step, answer};
use crate::support::{Exposition, FakeApi, Program, Running, Wire, data, eventually, file, free_port};

async fn within(api: &FakeApi, limits: ConnectionLimits) -> Running {
    let exporter = Running::build(&api.url(), &["--api.key-file", &file("key", KEY)], Clock::Fixed(NOW), &[]);
    Running::serve_within(exporter, limits).await
}

#[tokio::test]
async fn a_connection_too_many_takes_the_place_of_the_one_that_is_idle_for_longest() {
    let limits = ConnectionLimits {
        connections: 3,
        header_timeout: Duration::from_hours(1),
        ..ConnectionLimits::default()
    };
    let exporter = within(&FakeApi::start().await, limits).await;
    let mut idle = Vec::new();
    for head in ["GET /metrics HTTP/1.1\r\nHost: a\r\n", "", "GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut stream = TcpStream::connect(exporter.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        idle.push(stream);
    }
    let mut response = [0; 12];
    idle[2].read_exact(&mut response).await.unwrap();
    assert!(exporter.page("/-/healthy").await.contains("Healthy"), "places that nobody uses are given away");
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(30), idle[0].read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "the longest idle one is closed first");
    let metrics = exporter.scrape().await;
    let limits = metrics.value("edgeimpulse_exporter_web_limit_reached_total", &[("limit", "connections")]);
    assert!(limits >= Some(1.0), "{limits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_do_not_read_cost_no_snapshot_and_no_response_each() {
    const MIB: f64 = 1_048_576.0;
    let api = Wire::always(vec![answer(data("typical/organization-1.json").as_bytes(), "")]).await;
    let authority = Authority::new();
    let folder = Folder::new(&authority);
    folder.write("web.yml", TLS);
    let ids: Vec<_> = (1..=100).map(|id| id.to_string()).collect();
    let arguments = [
        &format!("--api.url={}", api.url),
        &format!("--organization-id={}", ids.join(",")),
        "--no-collector.usage",
        "--cache.ttl=0s",
        "--web.listen-address=127.0.0.1:0",
        &format!("--web.config.file={}", folder.path("web.yml")),
    ];
    let mut program = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")]);
    let url = format!("https://{}/metrics", program.address().await);
    let client = authority.client().no_gzip().build().unwrap();
    let telemetry = async || {
        let response = client.get(format!("{url}?collect[]=exporter")).send().await.unwrap();
        Exposition::of_prometheus_text(&response.text().await.unwrap())
    };
    let resident = |metrics: &Exposition| metrics.value("process_resident_memory_bytes", &[]).unwrap() / MIB;
    let idle = resident(&telemetry().await);
    let mut unread = Vec::new();
    let mut most = 0_f64;
    for number in 0..61 {
        let client = authority.client();
        let client = if number < 31 { client.http1_only() } else { client.http2_initial_stream_window_size(0) };
        let client = client.build().unwrap();
        // More than 8 streams would wait for each other. Connections are closed meanwhile.
        unread.extend(join_all((0..8).map(|_| client.get(&url).send())).await);
        most = most.max(resident(&telemetry().await));
    }
    assert!(most - idle < 64.0, "{most:.1} MiB, idle {idle:.1}");
    let limit = ("limit", "responses");
    let reached = telemetry().await.value("edgeimpulse_exporter_web_limit_reached_total", &[limit]);
    assert!(reached > Some(0.0), "{reached:?}");
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
    let datasets: Vec<_> =
        (0..900).map(|number| json!({ "dataset": number.to_string(), "totalFileSize": 1 })).collect();
    let information = json!({ "success": true, "organization": { "id": 1 }, "datasets": datasets });
    let api = Wire::always(vec![answer(information.to_string().as_bytes(), "")]).await;
    // More than the system takes for a client that does not read.
    let ids: Vec<_> = (1..=40).map(|id| format!("--organization-id={id}")).collect();
    let options: Vec<_> = ids.iter().map(String::as_str).chain(["--no-collector.usage"]).collect();
    let limits = ConnectionLimits {
        write_timeout: Duration::from_millis(300),
        header_timeout: Duration::from_hours(1),
        ..ConnectionLimits::default()
    };
    let exporter =
        Running::build(&api.url, &["--api.key-file", &file("key", KEY)], Clock::Fixed(NOW), &options);
    let exporter = Running::serve_within(exporter, limits).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut greedy = socket.connect(exporter.address).await.unwrap();
    greedy.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    eventually(async || match greedy.write_all(b"x").await {
        Ok(()) => Err("it is still connected".to_owned()),
        Err(_) => Ok(()),
    })
    .await;
}

#[tokio::test]
async fn requests_beyond_the_limit_are_refused_but_probes_are_not() {
    let api = Wire::always(vec![Step::Hang]).await;
    let exporter = Running::with_key_at(&api.url, &["--organization-id=1"]).await;
    let scrape = async |_| {
        let request = exporter.request(reqwest::Method::GET, "/metrics");
        request.header("X-Prometheus-Scrape-Timeout-Seconds", "300").send().await.unwrap().status().as_u16()
    };
    let status = async || crate::support::get(&format!("http://{}/", exporter.address)).await.unwrap().status();
    let mut scrapes: FuturesUnordered<_> = (0..140).map(scrape).collect();
    // The other scrapes still run.
    for _ in 0..12 {
        assert_eq!(scrapes.next().await, Some(503));
    }
    assert_eq!(status().await, 503);
    assert!(exporter.page("/-/healthy").await.contains("Healthy"));
    drop(scrapes);
    eventually(async || if status().await == 200 { Ok(()) } else { Err("the scrapes still run".to_owned()) })
        .await;
    let metrics = exporter.scrape_within("1").await;
    let limit = ("limit", "requests");
    let reached = metrics.value("edgeimpulse_exporter_web_limit_reached_total", &[limit]);
    assert!(reached >= Some(12.0), "{reached:?}");
}

#[tokio::test]
async fn a_header_that_is_too_long_is_refused() {
    let exporter = within(&FakeApi::start().await, ConnectionLimits::default()).await;
    let request = exporter.request(reqwest::Method::GET, "/metrics").header("X-Long", "x".repeat(64 * 1024));
    let response = request.send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.content_length()), (431, Some(0)));
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
async fn probes_are_answered_while_long_responses_are_decoded() {
    let members: Vec<_> = (0..1 << 16).map(|n| format!(r#""ignored{n}":[{{"a":"b"}},1,2,3],"#)).collect();
    let body = gzip(format!(r#"{{{}"success":true,"organization":{{}}}}"#, members.concat()).as_bytes());
    let api = Wire::always(vec![answer(&body, "Content-Encoding: gzip\r\n")]).await;
    let ids: Vec<_> = (1..=20).map(|id| format!("--organization-id={id}")).collect();
    let options: Vec<_> = ids.iter().map(String::as_str).chain(["--no-collector.usage"]).collect();
    let exporter = Running::with_key_at(&api.url, &options).await;
    // All of it runs on this thread, so a decode that does not yield holds up the probes.
    let mut probes = 0;
    let metrics = tokio::select! {
        metrics = exporter.scrape_within("60") => metrics,
        () = async {
            loop {
                assert!(exporter.page("/-/healthy").await.contains("Healthy"));
                probes += 1;
            }
        } => unreachable!(),
    };
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
    assert!(probes > 20, "{probes} probes while 45 MB were decoded");
}

/// Responses of a broken or hostile API.
fn faults() -> Vec<Vec<Step>> {
    let organization = data("typical/organization-1.json").into_bytes();
    let with = |member: &str| format!(r#"{{"success":true,"organization":{{"id":1}},{member}}}"#).into_bytes();
    let list = |name: &str, element: &dyn Fn(usize) -> String| {
        let elements: Vec<_> = (0..5_000).map(element).collect();
        answer(&with(&format!(r#""{name}":[{}]"#, elements.join(","))), "")
    };
    let long = "x".repeat(1 << 20);
    let gzipped = |body: &[u8]| answer(&gzip(body), "Content-Encoding: gzip\r\n");
    let words = format!(r#"{{"success":false,"error":"{}"}}"#, "a ".repeat(1 << 19));
    let head = |status: &str| format!("HTTP/1.1 {status}\r\nContent-Length: 1000000\r\n\r\n").into_bytes();
    vec![
        vec![Step::Close],
        vec![answer(&organization[..5000], "")],
        vec![Step::Send(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec())],
        vec![answer(b"<html>", "")],
        vec![Step::Send([head("200 OK"), organization[..500].to_vec()].concat()), Step::Close],
        vec![Step::Send(head("502 Bad")), Step::Hang],
        vec![Step::Drip(head("200 OK"), Duration::from_millis(50))],
        vec![gzipped(&b"{\"a\":1,".repeat(1 << 20))],
        vec![gzipped(words.as_bytes())],
        vec![answer(words.as_bytes(), "")],
        vec![answer(&with(&format!(r#""{long}":"{long}""#)), "")],
        vec![answer(&with(&format!(r#""organization":{{"name":"{long}","created":"{long}"}}"#)), "")],
        vec![answer("[".repeat(1 << 20).as_bytes(), "")],
        vec![list("datasets", &|n| {
            format!(r#"{{"dataset":"{n}","type":"{0}","category":"{0}"}}"#, &long[..300])
        })],
        vec![list("datasets", &|_| r#"{"dataset":"same","totalFileSize":1}"#.to_owned())],
        vec![list("experiments", &|n| format!(r#"{{"type":"{n}","enabled":true}}"#))],
        vec![answer(&organization, "")],
        vec![answer(&organization, "")],
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs minutes"]
async fn memory_is_bounded_over_ten_thousand_scrapes_with_all_faults() {
    const SCRAPES: usize = 10_000;
    const MIB: f64 = 1_048_576.0;
    let faults = faults();
    let number_of_faults = faults.len();
    let api = Wire::start(move |number, _| faults[number % faults.len()].clone()).await;
    // A prime number of organizations, so that each gets each fault.
    let ids: Vec<_> = (1..=31).map(|id| id.to_string()).collect();
    let listen = format!("--web.listen-address=127.0.0.1:{}", free_port());
    let arguments = [
        &format!("--api.url={}", api.url),
        &format!("--organization-id={}", ids.join(",")),
        "--no-collector.usage",
        "--api.timeout=1s",
        // A scrape does not wait for calls that hang; each call is made about once per second.
        "--scrape.timeout-default=10ms",
        "--cache.ttl=1s",
        "--collector.projects",
        "--collector.organization.most-datasets=100",
        "--log.level=error",
        &listen,
    ];
    let _program = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")]);
    let (_, address) = listen.split_once('=').unwrap();
    let client = crate::support::client();
    let get = async |path: &str| client.get(format!("http://{address}{path}")).send().await?.text().await;
    eventually(async || get("/-/healthy").await.map_err(|error| error.to_string())).await;
    let resident = async || {
        let text = get("/metrics?collect[]=exporter").await.unwrap();
        let line = text.lines().find(|line| line.starts_with("process_resident_memory_bytes ")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() / MIB
    };
    let idle = resident().await;
    // Of one moment, it differs by several MiB: the calls that run then have responses of any size.
    let mut peaks = Vec::new();
    for _ in 0..8 {
        let mut peak = 0_f64;
        for number in 1..=SCRAPES / 8 {
            get("/metrics").await.unwrap();
            if number % 50 == 0 {
                peak = peak.max(resident().await);
            }
        }
        peaks.push(peak);
    }
    let called = api.requests();
    assert!(called > 20 * number_of_faults, "{called} calls: each fault was met many times");
    let most = |peaks: &[f64]| peaks.iter().copied().fold(0.0, f64::max);
    let (first, second) = peaks.split_at(4);
    assert!(most(&peaks) - idle < 64.0, "idle {idle:.1} MiB, peaks {peaks:.1?}");
    let growth = most(second) - most(first);
    assert!(growth < 4.0, "{growth:.1} MiB in the second half, peaks of each eighth: {peaks:.1?}");
}
