//! Reloading the configuration file: all of it, or none.

use edgeimpulse_exporter::model::Clock;
use edgeimpulse_exporter::serve::reload::ReloadableExporter;
use reqwest::{Method, StatusCode};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::api::tls::TlsApi;
use crate::config::{build, with_accounts};
use crate::support::running::KEY;
use crate::support::{Exposition, FakeApi, ONE_CALL, Program, Running, eventually, file};

const LOADED: &str = "edgeimpulse_exporter_config_last_reload_successful";

#[tokio::test]
async fn a_new_account_is_read_and_the_caches_of_the_others_survive() {
    let api = FakeApi::with_keys(&["one", "two"]).await;
    let cached = "cache: {ttl: 1h}\n";
    let config = file("config.yaml", &with_accounts(&api.url(), &["one"], cached));
    let live = ReloadableExporter::new(build(&config));
    let exporter = Running::serve_live(std::sync::Arc::clone(&live)).await;
    exporter.scrape().await;
    let with_one = std::fs::read_to_string(&config).unwrap();
    let second = with_accounts(&api.url(), &["two"], cached);
    let (_, second) = second.split_once("accounts:\n").unwrap();
    std::fs::write(&config, format!("{with_one}{second}")).unwrap();
    live.reload().await.unwrap();
    let metrics = exporter.scrape().await;
    assert_eq!(metrics.value("edgeimpulse_up", &[("account", "two")]), Some(1.0));
    assert_eq!(metrics.value(LOADED, &[]), Some(1.0));
    assert_eq!(
        api.requests("/api/organizations/1/metrics").await.len(),
        1,
        "the first account's answer was kept"
    );
    let requests = [("account", "one"), ("endpoint", "/api/organizations/{organizationId}/metrics")];
    let counter = metrics.value("edgeimpulse_exporter_api_requests_total", &requests);
    assert_eq!(counter, Some(1.0), "counters go on");

    std::fs::write(&config, with_accounts(&api.url(), &["two"], cached)).unwrap();
    live.reload().await.unwrap();
    let metrics = exporter.scrape().await;
    assert!(!metrics.text.contains("account=\"one\""), "nothing is left of the account that went");
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_is_seen() {
    let api = FakeApi::with_keys(&["one"]).await;
    let text = with_accounts(&api.url(), &["one"], "");
    let config = file("config.yaml", &text);
    let live = ReloadableExporter::new(build(&config));
    let exporter = Running::serve_live(std::sync::Arc::clone(&live)).await;
    let before = exporter.scrape().await;
    for bad in [
        "accounts: []".to_owned(),
        text.replace("accounts:", "acounts:"),
        text.replace("key_file:", "key_file: /does/not/exist # "),
        format!("{text}  - name: two\n    key_file: /does/not/exist\n"),
    ] {
        std::fs::write(&config, bad).unwrap();
        let error = live.reload().await.unwrap_err();
        assert!(error.contains("config.yaml"), "{error}");
        let metrics = exporter.scrape().await;
        assert_eq!(metrics.value(LOADED, &[]), Some(0.0));
        assert_eq!(metrics.value("edgeimpulse_up", &[("account", "one")]), Some(1.0));
        assert!(!metrics.text.contains("account=\"two\""));
        let since = "edgeimpulse_exporter_config_last_reload_success_timestamp_seconds";
        assert_eq!(metrics.value(since, &[]), before.value(since, &[]));
    }
    std::fs::write(&config, text).unwrap();
    live.reload().await.unwrap();
    assert_eq!(exporter.scrape().await.value(LOADED, &[]), Some(1.0));
}

#[tokio::test]
async fn a_reload_grants_no_call_before_its_time() {
    let api = FakeApi::start().await;
    api.lists(&[1, 2, 3, 4]).await;
    let usage = |id: u64| format!("/api/organizations/{id}/metrics");
    for id in 1..=4 {
        api.dawdles(&usage(id), std::time::Duration::from_mins(1), &json!({})).await;
    }
    let requests = async || {
        let mut requests = 0;
        for id in 1..=4 {
            requests += api.requests(&usage(id)).await.len();
        }
        requests
    };
    let config = |concurrency: u32, calls: u32, disabled: &str| {
        let rest = format!(
            "  concurrency: {concurrency}\n  calls_per_minute: {calls}\n\
             collectors: {{disabled: [organization, buckets, pipelines{disabled}], intervals: {{usage: 1h}}}}\n"
        );
        with_accounts(&api.url(), &["one"], &rest)
            .replace("    key_file", "    organization_ids: [1, 2, 3, 4]\n    key_file")
    };
    for (before, after, most) in [((2, 100), (2, 99), 2), ((3, 100), (1, 100), 3), ((100, 2), (99, 2), 2)] {
        let first = requests().await;
        let path = file("config.yaml", &config(before.0, before.1, ""));
        let live = ReloadableExporter::new(build(&path));
        let exporter = Running::serve_live(std::sync::Arc::clone(&live)).await;
        // On a busy machine the calls may not begin within one scrape.
        eventually(async || {
            exporter.scrape_within("1").await;
            let made = requests().await - first;
            if made == most { Ok(()) } else { Err(format!("{before:?}: {made} calls instead of {most}")) }
        })
        .await;
        // The account changes, then the API too, and then the name of the account.
        let changed = config(after.0, after.1, ", trials");
        let renamed = changed.replace("name: one", "name: two");
        assert_ne!(changed, renamed);
        for text in [config(before.0, before.1, ", trials"), changed, renamed] {
            std::fs::write(&path, text).unwrap();
            live.reload().await.unwrap();
            exporter.scrape_within("1").await;
            assert_eq!(requests().await - first, most, "{after:?}");
        }
    }
    api.responds("/api/organizations/1/metrics", ResponseTemplate::new(429)).await;
    let path = file("config.yaml", &config(1, 100, ""));
    let live = ReloadableExporter::new(build(&path));
    let exporter = Running::serve_live(std::sync::Arc::clone(&live)).await;
    exporter.scrape().await;
    let paused = api.calls().await;
    std::fs::write(&path, config(1, 100, ", trials")).unwrap();
    live.reload().await.unwrap();
    exporter.scrape().await;
    assert_eq!(api.calls().await, paused, "the API has asked for a pause");
}

#[tokio::test]
async fn without_a_configuration_file_a_reload_reads_the_others() {
    let api = FakeApi::with_keys(&["old", "new"]).await;
    let (key, web) = (file("key", "old"), file("web.yaml", ""));
    let web_file = format!("--web.config.file={web}");
    let exporter = Running::build(&api.url(), &["--api.key-file", &key], Clock::System, &[&web_file]);
    let live = ReloadableExporter::new(exporter);
    let exporter = Running::serve_live(std::sync::Arc::clone(&live)).await;
    let reload = async || {
        let result = live.reload().await;
        (result, exporter.page("/metrics?collect[]=exporter").await)
    };
    for (path, content, error) in [
        (&key, "new", None),
        (&key, "", Some("account default")),
        (&key, "old", None),
        (&web, "users: 7", Some("web.yaml")),
        (&web, "", None),
    ] {
        std::fs::write(path, content).unwrap();
        let (result, page) = reload().await;
        match error {
            Some(error) => assert!(result.unwrap_err().contains(error), "{content}"),
            None => assert_eq!(result, Ok(()), "{content}"),
        }
        let loaded = Exposition::of_prometheus_text(&page).value(LOADED, &[]);
        assert_eq!(loaded, Some(f64::from(u8::from(error.is_none()))), "{path} {content}");
    }
}

#[tokio::test]
async fn without_a_configuration_file_a_reload_reads_certificates_too() {
    let (api, other) = (TlsApi::start().await, TlsApi::start().await);
    let (key, authorities) = (file("key", KEY), file("ca.pem", ""));
    let trust = |certificate: &str| std::fs::copy(certificate, &authorities).unwrap();
    trust(&other.certificate);
    let ca_file = format!("--api.ca-file={authorities}");
    let options = [&[&*ca_file], ONE_CALL].concat();
    let live =
        ReloadableExporter::new(Running::build(&api.url, &["--api.key-file", &key], Clock::System, &options));
    let exporter = Running::serve_live(std::sync::Arc::clone(&live)).await;
    let up = async || exporter.scrape().await.value("edgeimpulse_up", &[]);
    assert_eq!(up().await, Some(0.0), "the API is not trusted yet");
    std::fs::write(&authorities, "").unwrap();
    let error = live.reload().await.unwrap_err();
    assert!(error.starts_with("--api.ca-file: ") && error.contains("found none"), "{error}");
    let page = exporter.page("/metrics?collect[]=exporter").await;
    assert_eq!(Exposition::of_prometheus_text(&page).value(LOADED, &[]), Some(0.0));
    trust(&api.certificate);
    live.reload().await.unwrap();
    // The failure is believed for a second.
    eventually(async || if up().await == Some(1.0) { Ok(()) } else { Err("it is not trusted".to_owned()) })
        .await;
}

#[tokio::test]
async fn a_signal_reloads_and_http_does_where_it_is_allowed_to() {
    let api = FakeApi::with_keys(&["one", "two"]).await;
    for (enabled, expected) in [(true, StatusCode::OK), (false, StatusCode::FORBIDDEN)] {
        let web = format!("web: {{listen_addresses: [\"127.0.0.1:0\"], enable_lifecycle: {enabled}}}\n");
        let config = file("config.yaml", &with_accounts(&api.url(), &["one"], &web));
        let mut program = Program::start(&["--config.file", &config], &[]);
        let address = program.address().await;
        let url = format!("http://{address}");
        let client = crate::support::client();
        std::fs::write(&config, with_accounts(&api.url(), &["two"], &web)).unwrap();
        let response = client.request(Method::POST, format!("{url}/-/reload")).send().await.unwrap();
        assert_eq!(response.status(), expected, "{}", response.text().await.unwrap());
        if enabled {
            program.says("configuration reloaded").await;
        }
        let account = if enabled { "two" } else { "one" };
        let text = crate::support::get_text(format!("{url}/metrics")).await;
        assert_eq!(
            Exposition::of_prometheus_text(&text).value("edgeimpulse_up", &[("account", account)]),
            Some(1.0)
        );

        std::fs::write(&config, with_accounts(&api.url(), &["one", "two"], &web)).unwrap();
        program.signal("HUP");
        program.says("configuration reloaded").await;
        let text = crate::support::get_text(format!("{url}/metrics")).await;
        assert_eq!(Exposition::of_prometheus_text(&text).series("edgeimpulse_up", &[]).len(), 2);
        std::fs::write(&config, "accounts: []").unwrap();
        program.signal("HUP");
        assert!(program.says("previous configuration stays in use").await.contains("no accounts"));
        program.stop().await;
    }
}

#[tokio::test]
async fn a_page_of_another_site_cannot_reload() {
    let api = FakeApi::with_keys(&["one"]).await;
    let config = file("config.yaml", &with_accounts(&api.url(), &["one"], "web: {enable_lifecycle: true}\n"));
    let exporter = Running::serve_live(ReloadableExporter::new(build(&config))).await;
    let own = format!("http://{}", exporter.address);
    for (headers, expected) in [
        (&[][..], StatusCode::OK),
        (&[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://evil.example")], StatusCode::FORBIDDEN),
        (&[("Sec-Fetch-Site", "same-site")], StatusCode::FORBIDDEN),
        (&[("Sec-Fetch-Site", "same-origin"), ("Origin", "https://behind.a.proxy")], StatusCode::OK),
        (&[("Sec-Fetch-Site", "none")], StatusCode::OK),
        (&[("Origin", "http://evil.example")], StatusCode::FORBIDDEN),
        (&[("Origin", "null")], StatusCode::FORBIDDEN),
        (&[("Origin", &own)], StatusCode::OK),
        (&[("Origin", &format!("{own}0"))], StatusCode::FORBIDDEN),
    ] {
        for method in [Method::POST, Method::PUT] {
            let request = exporter.request(method, "/-/reload");
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            assert_eq!(request.send().await.unwrap().status(), expected, "{headers:?}");
        }
    }
}
