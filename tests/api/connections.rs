//! Connections to the API that end or die, and unusual forms of HTTP.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::tls::{TlsApi, listen};
use crate::support::http_2;
use crate::support::program::Ended;
use crate::support::wire::{Relay, Step, answer};
use crate::support::{
    ONE_CALL, ONE_CALL_EACH, Program, Running, Wire, client, data, eventually, file, get_text,
};

const EARLY_HINTS: &[u8] = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";

fn sample() -> Vec<u8> {
    data("typical/organization-1.json").into_bytes()
}

/// An exporter of an API with HTTP/2 behind a relay.
async fn behind_relay(ends: bool, options: &[&str]) -> (TlsApi, Relay, Program, String) {
    let api = TlsApi::start().await;
    let address =
        api.url.trim_start_matches("https://").trim_end_matches("/v1").replace("localhost", "127.0.0.1");
    let relay = Relay::start(address, ends).await;
    let url = format!("https://localhost:{}/v1", relay.port);
    let fixed = [
        "--api.url",
        &url,
        "--api.ca-file",
        &api.certificate,
        "--cache.ttl=0s",
        "--web.listen-address=127.0.0.1:0",
    ];
    let mut exporter =
        Program::start(&[&fixed[..], ONE_CALL, options].concat(), &[("EDGEIMPULSE_API_KEY", "ei_x")]);
    let url = format!("http://{}/metrics", exporter.address().await);
    (api, relay, exporter, url)
}

async fn is_up(url: &str) -> bool {
    let metrics = client().get(url).send().await.unwrap().text().await.unwrap();
    metrics.contains("edgeimpulse_up{account=\"default\"} 1\n")
}

#[tokio::test]
async fn a_connection_on_which_a_call_timed_out_is_not_used_again() {
    let (_api, relay, _exporter, url) = behind_relay(false, &["--api.timeout=2s"]).await;
    assert!(is_up(&url).await);
    relay.kill();
    assert!(!is_up(&url).await, "the call times out");
    assert!(is_up(&url).await, "the next one is made on a new connection");
    assert_eq!(relay.opened(), 2);
}

#[tokio::test]
async fn a_dead_connection_is_found_while_it_is_idle() {
    let (_api, relay, _exporter, url) = behind_relay(false, &[]).await;
    assert!(is_up(&url).await);
    relay.kill();
    let began = Instant::now();
    eventually(async || if relay.closed() == 1 { Ok(()) } else { Err("it is still open".to_owned()) }).await;
    assert!(began.elapsed() < Duration::from_secs(45), "pings find it, not the timeout of idle connections");
    assert!(is_up(&url).await);
    assert_eq!(relay.opened(), 2);
}

#[tokio::test]
#[ignore = "needs a minute"]
async fn an_idle_connection_is_closed_before_load_balancers_do_it() {
    let api = Wire::always(vec![answer(&sample(), "")]).await;
    let address = api.url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let relay = Relay::start(address, false).await;
    let exporter = Running::with_key_at(&format!("http://127.0.0.1:{}/v1", relay.port), ONE_CALL).await;
    for opened in [1, 1, 2] {
        assert_eq!(exporter.scrape().await.value("edgeimpulse_up", &[]), Some(1.0));
        assert_eq!(relay.opened(), opened);
        if opened == 1 && api.requests() == 2 {
            let is_closed = async || if relay.closed() == 1 { Ok(()) } else { Err("it is open".to_owned()) };
            eventually(is_closed).await;
        }
    }
}

#[tokio::test]
async fn a_request_of_http_2_is_sent_once_more_too() {
    let (_api, relay, _exporter, url) = behind_relay(true, &[]).await;
    for opened in [1, 2] {
        assert!(is_up(&url).await);
        assert_eq!(relay.opened(), opened);
        relay.kill();
    }
}

#[tokio::test]
async fn a_request_on_an_idle_connection_that_ends_is_sent_once_more_on_a_new_one() {
    // What the server does with the second request, and with those after it; whether the scrape succeeds, and how many
    // requests and connections there were.
    let good = || vec![answer(&sample(), "")];
    // Repeated too: the HTTP client does not tell it from nothing.
    let part = vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-".to_vec()), Step::Close];
    let half = vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()), Step::Close];
    let refused = vec![Step::Send(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_vec())];
    for (second, third, success, requests, connections) in [
        (vec![Step::Close], good(), true, 3, 2),
        (vec![Step::Close], vec![Step::Close], false, 3, 2),
        (part, good(), true, 3, 2),
        (half, good(), false, 2, 1),
        (refused, good(), false, 2, 1),
    ] {
        let said = format!("{second:?}");
        let api = Wire::start(move |number, _| match number {
            0 => good(),
            1 => second.clone(),
            _ => third.clone(),
        })
        .await;
        let exporter = Running::with_key_at(&api.url, ONE_CALL).await;
        assert_eq!(exporter.scrape().await.value("edgeimpulse_up", &[]), Some(1.0));
        assert_eq!(exporter.scrape().await.value("edgeimpulse_up", &[]), Some(f64::from(success)), "{said}");
        assert_eq!((api.requests(), api.connections()), (requests, connections), "{said}");
    }
    let api = Wire::always(vec![Step::Close]).await;
    let exporter = Running::with_key_at(&api.url, ONE_CALL).await;
    assert_eq!(exporter.scrape().await.value("edgeimpulse_up", &[]), Some(0.0));
    assert_eq!(api.requests(), 1, "a request on a new connection is not repeated");
}

#[tokio::test]
async fn all_idle_connections_may_end_at_once() {
    let organizations: Vec<_> = (1..=8).map(|id| format!("--organization-id={id}")).collect();
    let mut options: Vec<_> = organizations.iter().map(String::as_str).collect();
    options.extend(ONE_CALL_EACH);
    options.push("--api.concurrency=8");
    let api = Wire::start(|number, _| match number {
        8..16 => vec![Step::Close],
        _ => vec![Step::Wait(Duration::from_millis(300)), answer(&sample(), "")],
    })
    .await;
    let exporter = Running::with_key_at(&api.url, &options).await;
    for requests in [8, 24] {
        let metrics = exporter.scrape().await;
        let success = metrics.series("edgeimpulse_scrape_collector_success", &[("collector", "organization")]);
        assert!(!success.is_empty() && success.iter().all(|sample| sample.value == 1.0), "{}", metrics.text);
        assert_eq!(api.requests(), requests);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_end_between_the_calls_of_a_scrape_cost_no_call() {
    let organizations: Vec<_> = (1..=300).map(|id| format!("--organization-id={id}")).collect();
    let mut options: Vec<_> = organizations.iter().map(String::as_str).collect();
    options.extend(ONE_CALL_EACH);
    // Most end a moment after they have become idle, while others are opened.
    let api = Wire::start(|number, _| {
        let mut steps = vec![answer(br#"{"success":true,"organization":{"id":1}}"#, "")];
        if number % 3 > 0 {
            steps.extend([Step::Wait(Duration::from_millis(number as u64 % 4)), Step::Close]);
        }
        steps
    })
    .await;
    let exporter = Running::with_key_at(&api.url, &options).await;
    let failed = failed_calls(&exporter, 5).await;
    // The HTTP client may wait for a connection of its own, and get it when another call has used it.
    assert!(failed <= 3, "{failed} of 1500 calls failed");
    assert!(api.connections() > 300, "{} connections", api.connections());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_a_server_refuses_because_it_ends_the_connection_are_sent_once_more() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let authorities = format!("--api.ca-file={}", file("certificate.pem", &signed.cert.pem()));
    let (acceptor, listener, url) = listen(signed.cert.der().clone(), &signed.signing_key).await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { http_2::converse_once(acceptor.accept(stream).await?, &sample()).await });
        }
    });
    let organizations: Vec<_> = (1..=40).map(|id| format!("--organization-id={id}")).collect();
    let mut options: Vec<_> = organizations.iter().map(String::as_str).collect();
    options.extend(ONE_CALL_EACH);
    options.extend([&*authorities, "--api.timeout=10s"]);
    let exporter = Running::with_key_at(&url, &options).await;
    let failed = failed_calls(&exporter, 2).await;
    // The HTTP client may wait for a connection that ends in the meantime, without an end.
    assert!(failed <= 8, "{failed} of 80 calls failed");
}

/// Returns how many calls for organizations fail in that many scrapes.
async fn failed_calls(exporter: &Running, scrapes: usize) -> usize {
    let mut failed = 0;
    for _ in 0..scrapes {
        let metrics = exporter.scrape_within("60").await;
        let success = metrics.values("edgeimpulse_scrape_collector_success", &[("collector", "organization")]);
        failed += success.iter().filter(|success| **success == 0.0).count();
    }
    failed
}

async fn scrape(steps: Vec<Step>) -> Ended {
    let api = Wire::always(steps).await;
    let all = [&["scrape", "--api.url", &api.url], ONE_CALL].concat();
    Program::start(&all, &[("EDGEIMPULSE_API_KEY", "ei_x")]).end().await
}

fn with_status(status: &str, headers: &str) -> Step {
    let body = sample();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    Step::Send([head.as_bytes(), &body].concat())
}

fn headers(count: usize) -> String {
    (0..count).map(|number| format!("X-Header-{number}: {number}\r\n")).collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn unusual_answers_are_read() {
    let sample = sample();
    let many = headers(120);
    for (name, steps) in [
        ("120 headers", vec![answer(&sample, &many)]),
        ("a folded header", vec![answer(&sample, "X-Folded: a\r\n  b\r\n\tc\r\n")]),
        ("a space before a colon", vec![answer(&sample, "X-Space : a\r\n")]),
        ("a byte order mark", vec![answer(&["\u{feff}".as_bytes(), &sample].concat(), "")]),
        ("identity", vec![answer(&sample, "Content-Encoding: identity\r\n")]),
        ("status 203", vec![with_status("203 Non-Authoritative Information", "")]),
        ("three interim responses", vec![Step::Send(EARLY_HINTS.repeat(3)), answer(&sample, "")]),
    ] {
        let ended = scrape(steps).await;
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
        assert!(ended.stdout.contains("edgeimpulse_organization_users"), "{name}: {ended:?}");
    }
}

#[tokio::test]
async fn unusual_answers_are_refused_with_the_reason() {
    let sample = sample();
    let many = headers(300);
    let to = |location: &str| with_status("302 Found", &format!("Location: {location}\r\n"));
    for (steps, reason) in [
        (vec![answer(&sample, &many)], "message head is too large"),
        (vec![answer(&sample, "Content-Encoding: br\r\n")], "got Content-Encoding br"),
        (vec![answer(&sample, "Content-Encoding: gzip, GZIP\r\n")], "got Content-Encoding gzip, gzip"),
        (
            vec![answer(&sample, "Content-Encoding: ei_canary0123456789 \u{202e}b\r\n")],
            "got Content-Encoding [redacted] ?b",
        ),
        (vec![answer(&sample, "Content-Encoding: gzip\r\n")], "invalid compression"),
        (vec![answer(&[b"\xef\xbb", &sample[..]].concat(), "")], "malformed JSON"),
        (vec![with_status("206 Partial Content", "")], "unexpected HTTP status 206"),
        (vec![with_status("204 No Content", "")], "unexpected HTTP status 204"),
        (vec![to("https://login.example:8443/a?token=canary")], "302 (redirect to https://login.example:8443)"),
        (vec![to("//login.example/a")], "302 (redirect to http://login.example)"),
        (vec![to("https://login.example/\u{e9}")], "302 (redirect to https://login.example)"),
    ] {
        let ended = scrape(steps).await;
        assert_eq!(ended.code, Some(1), "{reason}: {ended:?}");
        assert!(ended.stderr.contains(reason), "{reason}: {ended:?}");
        assert!(!ended.stderr.contains("canary"), "{ended:?}");
    }
}

/// A call with these options runs longer than the probes beside it, however busy the machine is.
const LONG: [&str; 3] = ["--api.timeout=4m", "--scrape.timeout-default=4m", "--web.listen-address=127.0.0.1:0"];

#[tokio::test]
async fn interim_responses_without_end_fail_the_call_and_probes_are_answered() {
    let api = Wire::always(vec![Step::Flood(EARLY_HINTS.repeat(1000))]).await;
    let environment = [("EDGEIMPULSE_API_KEY", "ei_x")];
    let url = ["--api.url", &api.url];
    let scrape = [&["scrape"], &url[..], &["--api.timeout=1s"], ONE_CALL].concat();
    let ended = Program::ends(&scrape, &environment, 1).await;
    assert!(ended.stdout.contains("edgeimpulse_up{account=\"default\"} 0\n"), "{ended:?}");

    let serve = [&url[..], &LONG, ONE_CALL].concat();
    let mut exporter = Program::start(&serve, &environment);
    let url = format!("http://{}", exporter.address().await);
    let scrape = tokio::spawn(get_text(format!("{url}/metrics")));
    eventually(async || if api.requests() == 2 { Ok(()) } else { Err("no request yet".to_owned()) }).await;
    for _ in 0..3 {
        assert!(get_text(format!("{url}/-/healthy")).await.contains("Healthy"));
    }
    assert!(!scrape.is_finished(), "the call still runs");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn interim_responses_of_http_2_without_end_fail_the_call_and_take_bounded_memory() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let authorities = file("certificate.pem", &signed.cert.pem());
    let (acceptor, listener, url) = listen(signed.cert.der().clone(), &signed.signing_key).await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        // Settings, and the acknowledgement of the client's.
        stream.write_all(b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0").await.unwrap();
        let mut request = [0; 100];
        stream.read_exact(&mut request).await.unwrap();
        // HEADERS of stream 1: `:status: 103`, which later ones repeat by its index.
        stream.write_all(b"\0\0\x05\x01\x04\0\0\0\x01\x48\x03103").await.unwrap();
        let flood = b"\0\0\x01\x01\x04\0\0\0\x01\xbe".repeat(1000);
        while stream.write_all(&flood).await.is_ok() {}
    });
    let arguments = ["--api.url", &url, "--api.ca-file", &authorities, "--api.timeout=5s"];
    let serve = [&arguments[..], ONE_CALL, &["--web.listen-address=127.0.0.1:0"]].concat();
    let mut exporter = Program::start(&serve, &[("EDGEIMPULSE_API_KEY", "ei_x")]);
    let url = format!("http://{}", exporter.address().await);
    let id = exporter.id();
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    };
    get_text(format!("{url}/-/healthy")).await;
    let idle = memory();
    assert!(get_text(format!("{url}/metrics")).await.contains("edgeimpulse_up{account=\"default\"} 0\n"));
    let line = exporter.says("reason=").await;
    assert!(line.contains("timed out after 5s"), "{line}");
    let peak = memory();
    assert!(peak < idle + 160, "{peak} MiB, {idle} before: what is not read yet is bounded");
}
