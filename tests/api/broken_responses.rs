//! Responses that fail on the wire: each failure has its reason, and affects its own facts only.

use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::wire::{Step, answer};
use crate::support::{Exposition, ONE_CALL, Running, Wire, data};

/// Only the organization call, so that the server answers one kind of request.
fn one_call() -> Vec<&'static str> {
    [ONE_CALL, &["--api.timeout=500ms", "--api.max-response-size=1MiB"]].concat()
}

async fn scrape(steps: Vec<Step>) -> Exposition {
    let api = Wire::always(steps).await;
    Running::with_key_at(&api.url, &one_call()).await.scrape().await
}

async fn fails_with(reason: &str, steps: Vec<Step>) {
    let sent = format!("{steps:?}").chars().take(200).collect::<String>();
    let metrics = scrape(steps).await;
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(0.0));
    assert_eq!(metrics.failures(), [(reason, 1.0)], "{sent}");
    assert!(!metrics.text.contains("edgeimpulse_organization_"), "no facts of a failed response");
}

fn sample() -> Vec<u8> {
    data("typical/organization-1.json").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    fails_with("timeout", vec![Step::Hang]).await;
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_a_timeout_however_long_it_goes_on() {
    let head = Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n".to_vec());
    let body = Step::Drip(sample(), Duration::from_millis(20));
    fails_with("timeout", vec![head, body]).await;
}

#[tokio::test]
async fn a_refusal_whose_text_never_ends_keeps_its_reason() {
    for (status, reason) in
        [("401 No", "unauthorized"), ("429 Slow", "rate_limited"), ("500 Oops", "server_error")]
    {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 1000\r\nRetry-After: 60\r\n\r\n{{");
        fails_with(reason, vec![Step::Send(head.into_bytes()), Step::Hang]).await;
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_transport_failure() {
    fails_with("transport", vec![Step::Close]).await;
    let half = &sample()[..500];
    let counted = b"HTTP/1.1 200 OK\r\nContent-Length: 20715\r\n\r\n";
    fails_with("transport", vec![Step::Send([counted, half].concat()), Step::Close]).await;
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n";
    fails_with("transport", vec![Step::Send([chunked, half].concat()), Step::Close]).await;
    fails_with("transport", vec![Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()), Step::Close]).await;
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_a_decode_failure() {
    let sample = sample();
    for length in [1, 2, 500, 5000, sample.len() - 3] {
        fails_with("decode", vec![answer(&sample[..length], "")]).await;
    }
}

#[tokio::test]
async fn what_is_no_utf_8_is_a_decode_failure() {
    let mut broken = sample();
    let at = broken.windows(4).position(|bytes| bytes == b"Org ").unwrap();
    broken[at] = 0xff;
    fails_with("decode", vec![answer(&broken, "")]).await;
    fails_with("decode", vec![answer(&[0xff; 100], "")]).await;
}

#[tokio::test]
async fn compressed_answers_are_read_and_broken_ones_fail() {
    let sample = sample();
    let (first, second) = sample.split_at(1000);
    let members = [gzip(first), gzip(second)].concat();
    for (body, encoding) in [(gzip(&sample), "gzip"), (members, "GZIP"), (gzip(&sample), "identity, x-gzip")] {
        let good = answer(&body, &format!("Content-Encoding: {encoding}\r\n"));
        let metrics = scrape(vec![good]).await;
        let admins = metrics.value("edgeimpulse_organization_users", &[("role", "admin")]);
        assert_eq!(admins, Some(1.0), "{encoding}");
    }
    fails_with("decode", vec![answer(&gzip(&sample), "Content-Encoding: br\r\n")]).await;
    fails_with("decode", vec![answer(&gzip(&sample)[..500], "Content-Encoding: gzip\r\n")]).await;
    let mut broken = gzip(&sample);
    let middle = broken.len() / 2;
    broken[middle..middle + 8].fill(0);
    fails_with("decode", vec![answer(&broken, "Content-Encoding: gzip\r\n")]).await;
}

#[tokio::test]
async fn a_gzip_bomb_stops_at_the_ratio_and_at_the_limit() {
    let bomb = gzip(&[b"{\"padding\":\"".as_slice(), &vec![b'x'; 64 << 20]].concat());
    for (limit, error) in [("1MiB", "larger than 1048576 bytes"), ("64MiB", "100 times its compressed size")] {
        let api = Wire::always(vec![answer(&bomb, "Content-Encoding: gzip\r\n")]).await;
        let options = ["--organization-id=1", &format!("--api.max-response-size={limit}")];
        let exporter = Running::with_key_at(&api.url, &options).await;
        let received = exporter.scrape().await;
        assert!(exporter.page("/").await.contains(error), "{error}");
        let received = received.series("edgeimpulse_exporter_api_response_bytes_total", &[]);
        let received: f64 = received.iter().map(|sample| sample.value).sum();
        assert!(received > 1e6 && received < 16e6, "{received} bytes were decompressed");
    }
}

#[tokio::test]
async fn depth_costs_nothing() {
    let deep = format!(
        r#"{{"deep":{}{},"success":true,"organization":{{"id":1,"users":[]}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let metrics = scrape(vec![answer(deep.as_bytes(), "")]).await;
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0));
    let only_deep = "[".repeat(10_000);
    fails_with("decode", vec![answer(format!("{{\"organization\":{only_deep}").as_bytes(), "")]).await;
}

#[tokio::test]
async fn connections_are_kept_from_scrape_to_scrape() {
    let api = Wire::always(vec![answer(&sample(), "")]).await;
    let exporter = Running::with_key_at(&api.url, &one_call()).await;
    for _ in 0..5 {
        assert_eq!(exporter.scrape().await.value("edgeimpulse_up", &[]), Some(1.0));
    }
    assert_eq!((api.requests(), api.connections()), (5, 1));
}

#[tokio::test]
async fn no_more_calls_are_made_at_one_time_than_are_allowed() {
    let api = Wire::always(vec![Step::Hang]).await;
    let options = ["--organization-id=1,2,3,4,5,6,7,8,9,10", "--api.concurrency=3"];
    let metrics = Running::with_key_at(&api.url, &options).await.scrape_within("4").await;
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(0.0));
    assert_eq!(api.requests(), 3, "the others wait");
}
