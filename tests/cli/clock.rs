//! System clocks that are not set, or set back.

use crate::api::tls::TlsApi;
use crate::support::{Exposition, ONE_CALL, Program, eventually, file, free_port, get_text};

/// Environment variables for a program whose clock a file sets. The command `faketime` would leave the program running when
/// the test ends, so only its library is used.
async fn clock_of(file: &str) -> [(&'static str, String); 4] {
    let library =
        tokio::process::Command::new("faketime").args(["-f", "+0", "printenv", "LD_PRELOAD"]).output();
    let library = String::from_utf8(library.await.unwrap().stdout).unwrap();
    [
        ("LD_PRELOAD", library.trim().to_owned()),
        ("FAKETIME_TIMESTAMP_FILE", file.to_owned()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
}

#[tokio::test]
#[ignore = "needs faketime (Debian: faketime)"]
async fn requests_wait_for_a_clock_that_is_before_1970_at_the_start() {
    for command in [&["--api.url=http://127.0.0.1:1"][..], &["demo"]] {
        let path = file("clock", "@1960-01-01 00:00:00");
        let clock = clock_of(&path).await;
        let environment = clock.iter().map(|(name, value)| (*name, value.as_str()));
        let environment: Vec<_> = environment.chain([("EDGEIMPULSE_API_KEY", "ei_x")]).collect();
        let address = format!("127.0.0.1:{}", free_port());
        let start = || Program::start(&[command, &["--web.listen-address", &address]].concat(), &environment);
        let mut exporter = start();
        exporter.says("the system clock is before 1970: requests wait until it is set").await;
        let response = tokio::spawn(get_text(format!("http://{address}/-/healthy")));
        std::fs::write(&path, "@2030-01-01 00:00:00").unwrap();
        assert!(response.await.unwrap().contains("Healthy"), "{command:?}");
        exporter.stop().await;

        std::fs::write(&path, "@1960-01-01 00:00:00").unwrap();
        let mut exporter = start();
        exporter.says("the system clock is before 1970").await;
        exporter.stop().await;
    }
}

#[tokio::test]
#[ignore = "needs faketime (Debian: faketime)"]
async fn a_clock_that_is_set_back_changes_no_age_and_closes_no_connection() {
    let (api, clock) = (TlsApi::start().await, file("clock", "+0"));
    let arguments = ["--api.url", &api.url, "--api.ca-file", &api.certificate, "--cache.ttl=0s"];
    let fake = clock_of(&clock).await;
    let environment = fake.iter().map(|(name, value)| (*name, value.as_str()));
    let environment: Vec<_> = environment.chain([("EDGEIMPULSE_API_KEY", "ei_x")]).collect();
    let mut exporter = Program::start(
        &[&arguments[..], ONE_CALL, &["--web.listen-address=127.0.0.1:0"]].concat(),
        &environment,
    );
    let url = format!("http://{}", exporter.address().await);
    let scrape = async || Exposition::of_prometheus_text(&get_text(format!("{url}/metrics")).await);
    // It serves, so this clock is not that of the start.
    get_text(format!("{url}/-/healthy")).await;

    std::fs::write(&clock, "@1960-01-01 00:00:00").unwrap();
    for _ in 0..20 {
        assert!(get_text(format!("{url}/-/healthy")).await.contains("Healthy"), "a new connection each time");
    }
    let metrics = eventually(async || {
        let metrics = scrape().await;
        let refused = metrics.value("edgeimpulse_exporter_api_errors_total", &[("reason", "tls")]);
        if refused >= Some(1.0) { Ok(metrics) } else { Err(metrics.text) }
    });
    let metrics = metrics.await;
    assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(0.0), "the certificate is not valid yet");
    assert_eq!(metrics.value("edgeimpulse_exporter_panics_total", &[]), Some(0.0));

    std::fs::write(&clock, "@2030-01-01 00:00:00").unwrap();
    let is_up = async |metrics: &Exposition| metrics.value("edgeimpulse_up", &[]) == Some(1.0);
    eventually(async || is_up(&scrape().await).await.then_some(()).ok_or("not up".to_owned())).await;
    for (time, start) in [("@2030-01-01 00:00:00", 1_893_456_000.0), ("@2000-01-01 00:00:00", 946_684_800.0)] {
        std::fs::write(&clock, time).unwrap();
        let metrics = scrape().await;
        assert_eq!(metrics.value("edgeimpulse_up", &[]), Some(1.0), "{time}");
        let success = "edgeimpulse_scrape_collector_last_success_timestamp_seconds";
        let success = metrics.value(success, &[("collector", "organization")]).unwrap();
        assert!((start..start + 86400.0).contains(&success), "{success} at {time}");
        assert_eq!(
            metrics.value("edgeimpulse_scrape_collector_stale", &[("collector", "organization")]),
            Some(0.0)
        );
    }
}
