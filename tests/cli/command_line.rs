//! The program as a process: output, errors, exit codes, signals.

use std::time::Duration;

use crate::api::tls::TlsApi;
use crate::support::{Exposition, FakeApi, ONE_CALL, Program, eventually, file, free_port, get_text};

async fn refused(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let ended = Program::ends(arguments, environment, 2).await;
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr.lines().count(), 1, "one line: {}", ended.stderr);
    ended.stderr
}

#[tokio::test]
async fn without_a_credential_it_says_what_to_set() {
    let line = refused(&[], &[("EDGEIMPULSE_API_KEY", "")]).await;
    for hint in ["EDGEIMPULSE_API_KEY", "EDGEIMPULSE_JWT", "--api.key-file", "--api.jwt-file", "demo"] {
        assert!(line.contains(hint), "{line}");
    }
}

#[tokio::test]
async fn with_more_than_one_credential_it_says_which() {
    let line = refused(&["--api.jwt-file", "jwt.txt"], &[("EDGEIMPULSE_API_KEY", "canary")]).await;
    assert!(line.contains("set only one of EDGEIMPULSE_API_KEY, --api.jwt-file"), "{line}");
    assert!(!line.contains("canary"));
}

#[tokio::test]
async fn what_cannot_work_is_one_clear_line_and_exit_code_2() {
    let (key, empty) = (file("key", "ei_x"), file("empty", "\n"));
    for (arguments, hint) in [
        (vec!["--api.key-file", &empty], "is empty"),
        (vec!["--api.key-file", &key, "--api.url", "studio"], "--api.url"),
        (vec!["--api.key-file", &key, "--api.url", "ftp://a.example"], "http or https"),
        (
            vec!["--api.key-file", &key, "--api.url", "https://user:canary@a.example/v1"],
            "invalid value for '--api.url <URL>': the URL contains a credential",
        ),
        (
            vec!["--api.key-file", &key, "--api.proxy-url", "http://user:canary@proxy.example:3128"],
            "invalid value for '--api.proxy-url <URL>': the URL contains a credential, which logs would show: set HTTPS_PROXY",
        ),
        (vec!["--api.key-file", &key, "--api.timeout", "5 parsecs"], "--api.timeout"),
        (vec!["--api.key-file", &key, "--api.timeout", "0s"], "must be greater than zero"),
        (vec!["--api.key-file", &key, "--cache.ttl", "soon"], "--cache.ttl"),
        (vec!["--api.key-file", &key, "--api.max-response-size", "12 parsecs"], "64MiB"),
        (
            vec!["--api.key-file", &key, "--organization-id", "acme"],
            "for '--organization-id <ID>': expected a whole number, e.g. 1002",
        ),
        (vec!["--api.key-file", &key, "--web.listen-address", "nowhere"], "127.0.0.1:10101"),
        (vec!["--api.key-file", &key, "--web.telemetry-path", "metrics"], "/metrics"),
        (
            vec!["--api.key-file", &key, "--collector.organization.most-datasets", "many"],
            "expected a whole number",
        ),
        (vec!["demo", "--organizations", "5x"], "expected a whole number from 1 to 100000"),
        (
            vec!["--api.kee-file", &key],
            "'--api.kee-file' found; tip: a similar argument exists: '--api.key-file'",
        ),
        (vec!["--organisation-id", "1"], "a similar argument exists: '--organization-id'"),
        (vec!["--web.listen-adress", ":1"], "'--web.listen-address'"),
        (vec!["demo", "--organisations", "5"], "'--organizations'"),
        (vec!["scrap"], "'scrape'"),
        (vec!["completions", "bsh"], "'bash'"),
        (vec!["metrics", "--format", "marked"], "'markdown'"),
        (vec!["--log.level=debug", "demo"], "options come after the command"),
        (vec!["--api.key-file", &key, "--no-collector.organizations"], "nothing to read"),
        (vec!["--api.jwt-file", &key, "--no-collector.user"], "--organization-id"),
    ] {
        let line = refused(&arguments, &[]).await;
        assert!(line.contains(hint), "{arguments:?}: {line}");
        assert!(!line.contains("canary"), "{line}");
    }
}

#[tokio::test]
async fn an_account_that_finds_no_organization_says_what_to_set() {
    let api = FakeApi::with_samples("typical").await;
    let (url, jwt, key) = (api.url(), file("jwt", "x"), file("key", "x"));
    for (arguments, is_said) in [
        (["--api.jwt-file", &jwt, "--user-id=2", "--no-collector.user"], true),
        (["--api.jwt-file", &jwt, "--organization-id=1", "--no-collector.user"], false),
        (["--api.key-file", &key, "--organization-id=1", "--no-collector.organizations"], false),
    ] {
        for command in ["scrape", "check-config"] {
            let arguments = [&[command, "--api.url", &url], &arguments[..]].concat();
            let ended = Program::ends(&arguments, &[], 0).await;
            let line = "no organization is read: the user collector, which finds organizations, is off; \
                        name them with --organization-id";
            assert_eq!(ended.stderr.contains(line), is_said, "{arguments:?}: {}", ended.stderr);
        }
    }
    for (name, arguments) in [("--user-id", &["--user-id=2"][..]), ("EDGEIMPULSE_USER_IDS", &[])] {
        let arguments = [&["check-config", "--api.key-file", &key], arguments].concat();
        let value = if name.starts_with("EDGE") { "2" } else { "" };
        let ended = Program::ends(&arguments, &[("EDGEIMPULSE_USER_IDS", value)], 0).await;
        let line = format!("{name} has no effect with an API key: it requires a JWT");
        assert!(ended.stderr.contains(&line), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn an_error_names_the_variable_that_the_value_came_from() {
    for (variable, value, hint) in [
        ("EDGEIMPULSE_API_TIMEOUT", "soon", "expected a duration"),
        ("EDGEIMPULSE_API_URL", "studio", "expected an http or https URL"),
        ("EDGEIMPULSE_LOG_LEVEL", "loud", "error, warn, info, debug, trace"),
        ("EDGEIMPULSE_ORGANIZATION_IDS", "1,acme", "expected a whole number"),
        ("EDGEIMPULSE_COLLECTOR_USAGE", "maybe", "true, false"),
        ("EDGEIMPULSE_WEB_LISTEN_ADDRESS", "nowhere", "expected :PORT"),
    ] {
        for command in ["check", "scrape"] {
            let line = refused(&[command], &[(variable, value)]).await;
            assert!(line.contains(&format!("for '{variable}'")) && line.contains(hint), "{line}");
            assert!(!line.contains("--"), "{line}");
        }
    }
    let line = refused(&["--api.timeout=never"], &[("EDGEIMPULSE_API_TIMEOUT", "soon")]).await;
    assert!(line.contains("for '--api.timeout <DURATION>'"), "{line}");
}

#[tokio::test]
async fn a_variable_that_nothing_reads_is_a_warning_with_the_nearest_name() {
    let config = file("config.yaml", "accounts: [{ name: a, key_env: EDGEIMPULSE_TEAM_KEY }]");
    let unknown =
        [("EDGEIMPULSE_WEB_LISTEN_ADRESS", ":1"), ("EDGEIMPULSE_COLOUR", "canary"), ("EDGE_COLOUR", "red")];
    let known = [
        ("EDGEIMPULSE_TEAM_KEY", "ei_x"),
        ("EDGEIMPULSE_EXPORTER_SERVICE_HOST", "10.0.0.1"),
        ("EDGEIMPULSE_EXPORTER_SERVICE_PORT_HTTP", "10101"),
        ("EDGEIMPULSE_EXPORTER_PORT", "tcp://10.0.0.1:10101"),
        ("EDGEIMPULSE_EXPORTER_PORT_10101_TCP_ADDR", "10.0.0.1"),
    ];
    let arguments = ["check-config", "--config.file", &config];
    let ended = Program::ends(&arguments, &[&unknown[..], &known].concat(), 0).await;
    let warnings: Vec<_> = ended.stderr.lines().map(|line| line.split_once("WARN ").unwrap().1).collect();
    let expected = [
        "the environment variable EDGEIMPULSE_COLOUR is ignored, no option has this name",
        "the environment variable EDGEIMPULSE_WEB_LISTEN_ADRESS is ignored, no option has this name: \
         did you mean EDGEIMPULSE_WEB_LISTEN_ADDRESS?",
    ];
    assert_eq!(warnings, expected);
    // Also if the configuration fails because of it.
    let ended = Program::ends(&[], &[("EDGEIMPULSE_API_KYE", "canary")], 2).await;
    let (error, warning) = ended.stderr.split_once('\n').unwrap();
    assert!(error.starts_with("error: no credential: set EDGEIMPULSE_API_KEY"), "{error}");
    let expected = "warning: the environment variable EDGEIMPULSE_API_KYE is ignored, no option has this name: \
                    did you mean EDGEIMPULSE_API_KEY?\n";
    assert_eq!(warning, expected);
    let ended = Program::ends(&["--config.file=/none"], &[("EDGEIMPULSE_TEAM_KEY", "canary")], 2).await;
    assert_eq!(ended.stderr.lines().count(), 1, "a file may name any variable: {}", ended.stderr);
}

/// Options that cannot be used, as flags and in a file, the place in the file, and the error. The first option is the
/// reason. `TAKEN` is an address that is in use.
const UNUSABLE: [(&str, &str, &str, &str); 12] = [
    (
        "--api.ca-file=/none/ca.pem",
        "api: {ca_file: /none/ca.pem}",
        ":1:16: api.ca_file",
        "/none/ca.pem: No such file",
    ),
    (
        "--api.tls-server-name=a.example --api.url=http://a.example",
        "api:\n  tls_server_name: a.example\n  url: http://a.example",
        ":2:20: api.tls_server_name",
        "not possible with an API whose URL is not https",
    ),
    (
        "--api.tls-server-name=a.example --api.proxy-url=http://a.example",
        "api:\n  tls_server_name: a.example\n  proxy_url: http://a.example",
        ":2:20: api.tls_server_name",
        "not possible with the URL of a proxy",
    ),
    (
        "--api.url=https://[::1] --api.proxy-url=http://a.example",
        "api: {proxy_url: 'http://a.example', url: 'https://[::1]'}",
        ":1:43: api.url",
        "not possible with an IPv6 address and a proxy",
    ),
    (
        "--api.proxy-url=http://a.example/path",
        "api: {proxy_url: 'http://a.example/path'}",
        ":1:18: api.proxy_url",
        "expected an http or https URL",
    ),
    (
        "--web.config.file=/none/web.yaml",
        "web: {config_file: /none/web.yaml}",
        ":1:20: web.config_file",
        "/none/web.yaml: cannot be read: No such file",
    ),
    (
        "--web.listen-address=TAKEN",
        "web: {listen_addresses: ['TAKEN']}",
        ":1:25: web.listen_addresses",
        "cannot listen on TAKEN: address in use, choose another",
    ),
    (
        "--web.probe-listen-address=TAKEN --web.listen-address=127.0.0.1:0",
        "web: {listen_addresses: ['127.0.0.1:0'], probe_listen_address: 'TAKEN'}",
        ":1:64: web.probe_listen_address",
        "cannot listen on TAKEN: address in use, choose another",
    ),
    (
        "--web.systemd-socket",
        "web: {systemd_socket: true}",
        ":1:23: web.systemd_socket",
        "systemd passed no sockets",
    ),
    ("--config.file=/none/c.yaml", "", "", "/none/c.yaml: No such file"),
    (
        "--api.key-file=/none/key",
        "accounts: [{name: a, key_file: /none/key}]",
        ":1:32: key_file",
        "the API key in file /none/key cannot be read: No such file",
    ),
    (
        "--api.jwt-file=/none/jwt",
        "accounts: [{name: a, jwt_file: /none/jwt}]",
        ":1:32: jwt_file",
        "the JWT in file /none/jwt cannot be read: No such file",
    ),
];

#[tokio::test]
async fn an_error_after_parsing_names_the_flag_the_variable_or_the_place_in_the_file() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (flags, text, place, error) in UNUSABLE {
        let (flags, mut text, error) = (
            flags.replace("TAKEN", &address),
            text.replace("TAKEN", &address),
            error.replace("TAKEN", &address),
        );
        let has_credential = !flags.contains("-file=/none/key") && !flags.contains("-file=/none/jwt");
        let credential = ("EDGEIMPULSE_API_KEY", if has_credential { "ei_x" } else { "" });
        let flags: Vec<_> = flags.split(' ').collect();
        let (flag, _) = flags[0].split_once('=').unwrap_or((flags[0], ""));
        let line = refused(&flags, &[credential]).await;
        assert!(line.starts_with(&format!("error: {flag}: {error}")), "{line}");

        let variables = flags.iter().map(|flag| flag.split_once('=').unwrap_or((flag, "true")));
        let variables: Vec<_> = variables
            .map(|(flag, value)| {
                let name = flag.trim_start_matches("--").replace("api.jwt", "jwt").replace(['.', '-'], "_");
                (format!("EDGEIMPULSE_{}", name.to_uppercase()), value)
            })
            .collect();
        let environment = variables.iter().map(|(name, value)| (name.as_str(), *value)).chain([credential]);
        let line = refused(&[], &environment.collect::<Vec<_>>()).await;
        assert!(line.starts_with(&format!("error: {}: {error}", variables[0].0)), "{line}");

        if has_credential {
            text += "\naccounts: [{name: a, key_env: EDGEIMPULSE_API_KEY}]";
        }
        let config = file("config.yaml", &text);
        if !place.is_empty() {
            let line = refused(&["--config.file", &config], &[credential]).await;
            assert!(line.starts_with(&format!("error: {config}{place}: {error}")), "{line}");
        }
    }
}

#[tokio::test]
#[ignore = "needs faketime (Debian: faketime)"]
async fn a_clock_before_1970_ends_the_start_with_what_to_do() {
    for command in [&["--web.listen-address=127.0.0.1:0"][..], &["demo"]] {
        let mut program = tokio::process::Command::new("faketime");
        program.args(["1960-01-01 00:00:00", env!("CARGO_BIN_EXE_edgeimpulse-exporter")]).args(command);
        let ended = Program::run(program).end().await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let line = "error: the system clock is before 1970: set it, e.g. by NTP, and start again\n";
        assert_eq!(ended.stderr, line);
    }
}

#[tokio::test]
#[ignore = "needs faketime (Debian: faketime)"]
async fn a_clock_that_is_set_back_changes_no_age_and_closes_no_connection() {
    let (api, clock) = (TlsApi::start().await, file("clock", "+0"));
    // faketime would leave the program running when the test ends, so only its library is used.
    let library =
        tokio::process::Command::new("faketime").args(["-f", "+0", "printenv", "LD_PRELOAD"]).output();
    let library = String::from_utf8(library.await.unwrap().stdout).unwrap();
    let arguments = ["--api.url", &api.url, "--api.ca-file", &api.certificate, "--cache.ttl=0s"];
    let environment = [
        ("EDGEIMPULSE_API_KEY", "ei_x"),
        ("LD_PRELOAD", library.trim()),
        ("FAKETIME_TIMESTAMP_FILE", &clock),
        ("FAKETIME_NO_CACHE", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    let mut exporter = Program::start(
        &[&arguments[..], ONE_CALL, &["--web.listen-address=127.0.0.1:0"]].concat(),
        &environment,
    );
    let url = format!("http://{}", exporter.address().await);
    let scrape = async || Exposition::of_prometheus_text(&get_text(format!("{url}/metrics")).await);

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

#[tokio::test]
async fn options_can_come_from_the_environment() {
    let api = FakeApi::with_samples("typical").await;
    let url = api.url();
    let environment = [
        ("EDGEIMPULSE_JWT", ""),
        ("EDGEIMPULSE_JWT_FILE", ""),
        ("EDGEIMPULSE_USER_IDS", ""),
        ("EDGEIMPULSE_API_TIMEOUT", ""),
        ("EDGEIMPULSE_API_KEY", "ei_x"),
        ("EDGEIMPULSE_API_URL", url.as_str()),
        ("EDGEIMPULSE_ORGANIZATION_IDS", "1,2"),
        ("EDGEIMPULSE_COLLECTOR_USAGE", "false"),
    ];
    let ended = Program::ends(&["scrape"], &environment, 0).await;
    assert!(ended.stdout.contains("edgeimpulse_organization_users{organization_id=\"2\",role=\"admin\"}"));
    assert!(api.requests("/api/organizations/1/metrics").await.is_empty());
}

#[tokio::test]
async fn a_scrape_that_reads_nothing_ends_with_1() {
    let api = FakeApi::start().await;
    api.accepts_only("x-api-key", "another").await;
    let ended =
        Program::ends(&["scrape", "--api.url", &api.url()], &[("EDGEIMPULSE_API_KEY", "ei_x")], 1).await;
    assert!(ended.stdout.contains("edgeimpulse_up{account=\"default\"} 0"));
    assert!(ended.stderr.contains("unauthorized"), "{}", ended.stderr);
}

#[tokio::test]
async fn healthcheck_uses_the_listen_address() {
    for host in ["", "127.0.0.1", "0.0.0.0"] {
        let address = format!("{host}:{}", free_port());
        // As in a container, where both processes have the same environment. Proxies must be ignored.
        let environment = [
            ("EDGEIMPULSE_WEB_LISTEN_ADDRESS", address.as_str()),
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("http_proxy", "http://127.0.0.1:1"),
        ];
        let mut program = Program::start(&["demo"], &environment);
        program.prints("Simulated Edge Impulse API").await;
        let ended = Program::start(&["healthcheck"], &environment).end().await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "healthy\n"), "{ended:?}");
        let both = format!("--web.listen-address={address},127.0.0.1:{}", free_port());
        Program::ends(&["healthcheck", &both], &[], 1).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn healthcheck_uses_the_probe_address_and_the_configuration_file() {
    let (probes, socket) = (format!("127.0.0.1:{}", free_port()), file("socket", ""));
    std::fs::remove_file(&socket).unwrap();
    let probe_address = format!("--web.probe-listen-address={probes}");
    let listen_address = format!("--web.listen-address=unix:{socket}");
    let mut program = Program::start(&["demo", &listen_address, &probe_address], &[]);
    program.prints("Simulated Edge Impulse API").await;
    let configuration =
        format!("web: {{ probe_listen_address: \"{probes}\" }}\naccounts: [{{ name: a, key_file: a }}]\n");
    let configuration = file("config.yaml", &configuration);
    for (arguments, variable, value) in [
        (vec!["healthcheck", &listen_address], "NONE", ""),
        (vec!["healthcheck"], "EDGEIMPULSE_WEB_PROBE_LISTEN_ADDRESS", probes.as_str()),
        (vec!["healthcheck"], "EDGEIMPULSE_CONFIG_FILE", configuration.as_str()),
    ] {
        Program::ends(&arguments, &[(variable, value)], 0).await;
    }
}

#[tokio::test]
async fn healthcheck_reports_in_one_line_what_is_not_healthy() {
    let (api, silent) = (FakeApi::start().await, std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let another = url::Url::parse(&api.url()).unwrap().port().unwrap();
    for (port, why) in [
        (free_port(), "refused"),
        (another, "unexpected response \"HTTP/1.1 404 Not Found\""),
        (silent.local_addr().unwrap().port(), "no response within 2s"),
    ] {
        let ended = Program::start(&["healthcheck", &format!("--web.listen-address=:{port}")], &[]).end().await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        let place = format!("http://127.0.0.1:{port}/-/healthy: ");
        assert!(ended.stderr.contains(&place) && ended.stderr.contains(why), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

#[tokio::test]
async fn the_version_is_that_of_the_crate_and_of_its_source() {
    let short = Program::ends(&["-V"], &[], 0).await.stdout;
    assert_eq!(short, concat!("edgeimpulse-exporter ", env!("CARGO_PKG_VERSION"), "\n"));
    let long = Program::ends(&["--version"], &[], 0).await.stdout;
    let (version, revision) = long.trim_end().split_once(" (revision ").unwrap();
    assert_eq!(version, short.trim_end());
    let (revision, rustc) = revision.split_once(", rustc ").unwrap();
    assert!(
        revision == "unknown" || revision.len() == 12 && revision.chars().all(|c| c.is_ascii_hexdigit()),
        "{long}"
    );
    assert!(rustc.starts_with("1."), "{long}");
}

#[tokio::test]
async fn a_signal_to_stop_lets_scrapes_in_flight_finish() {
    for signal in ["TERM", "INT"] {
        let api = FakeApi::with_samples("typical").await;
        let usage = serde_json::json!({ "success": true, "metrics": { "totalStorage": 77 } });
        api.dawdles("/api/organizations/1/metrics", Duration::from_secs(2), &usage).await;
        let url = api.url();
        let arguments = ["--api.url", &url, "--organization-id=1", "--web.listen-address=127.0.0.1:0"];
        let mut program = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")]);
        let address = program.address().await;
        let scrape = tokio::spawn(crate::support::get(format!("http://{address}/metrics")));
        eventually(async || match api.requests("/api/organizations/1/metrics").await.len() {
            1 => Ok(()),
            calls => Err(format!("{calls} calls")),
        })
        .await;
        program.signal(signal);
        let text = scrape.await.unwrap().unwrap().text().await.unwrap();
        assert!(
            text.contains("edgeimpulse_organization_storage_used_bytes{organization_id=\"1\"} 77"),
            "{signal}"
        );
        let ended = program.end().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(crate::support::get(format!("http://{address}/metrics")).await.is_err());
    }
}
