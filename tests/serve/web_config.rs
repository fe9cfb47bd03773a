//! `--web.config.file`: users, rate limit, headers, reloads, and errors.

use std::future::ready;
use std::pin::pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use reqwest::StatusCode;

use crate::support::pages::blocks_of;
use crate::support::secure::{Authority, CLIENTS, Folder, Served, TLS};
use crate::support::{Exposition, FakeApi, Program, client, eventually};

/// A hash that costs little, of "canary-password".
pub fn users() -> String {
    let hash = bcrypt::hash("canary-password", 4).unwrap();
    format!("basic_auth_users: {{ prometheus: '{hash}' }}\n")
}

#[tokio::test]
async fn the_first_line_says_whether_it_is_https() {
    let (api, authority) = (FakeApi::with_samples("typical").await, Authority::new());
    let folder = Folder::new(&authority);
    folder.write("web.yml", TLS);
    let url = api.url();
    for (arguments, scheme) in [(vec!["--web.config.file", &folder.path("web.yml")], "https"), (vec![], "http")]
    {
        let arguments = [&["--web.listen-address=127.0.0.1:0", "--api.url", &url][..], &arguments].concat();
        let mut program = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")]);
        let line = program.says("listening").await;
        assert!(line.contains(&format!("scheme=\"{scheme}\"")), "{line}");
    }
    let arguments = ["demo", "--web.listen-address=127.0.0.1:0", "--web.config.file", &folder.path("web.yml")];
    let line = Program::start(&arguments, &[]).prints("/metrics").await;
    assert!(line.contains("https://localhost:"), "{line}");
}

#[tokio::test]
async fn only_users_with_the_right_password_are_served() {
    let api = FakeApi::with_samples("typical").await;
    let served = Folder::empty().serve(&api, &users(), &["--log.level=trace"]).await;
    let get = async |path: &str, user: Option<(&str, &str)>| {
        let request = client().get(served.http(path));
        let request = match user {
            Some((name, password)) => request.basic_auth(name, Some(password)),
            None => request,
        };
        request.send().await.unwrap()
    };
    let right = Some(("prometheus", "canary-password"));
    for path in ["/metrics", "/", "/elsewhere"] {
        for wrong in [None, Some(("prometheus", "guess")), Some(("alice", "canary-password")), Some(("", ""))] {
            let response = get(path, wrong).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path} {wrong:?}");
            assert_eq!(response.headers()["www-authenticate"], "Basic realm=\"edgeimpulse-exporter\"");
            assert!(!response.text().await.unwrap().contains("edgeimpulse_"));
        }
        assert_ne!(get(path, right).await.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    assert!(get("/metrics", right).await.text().await.unwrap().contains("edgeimpulse_up"));
    for path in ["/-/healthy", "/-/ready"] {
        assert_eq!(get(path, None).await.status(), StatusCode::OK, "{path}");
    }
    for path in ["/-/healthy/", "//-/healthy", "/-/healthy/..", "/-/Healthy"] {
        assert_eq!(get(path, None).await.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let ended = served.program.stop().await;
    // Neither as they are, nor as they are sent.
    let sent = [("prometheus", "canary-password"), ("prometheus", "guess"), ("alice", "canary-password")];
    let sent = sent.map(|(name, password)| STANDARD.encode(format!("{name}:{password}")));
    for secret in ["canary", "guess", "alice", "$2"].into_iter().chain(sent.iter().map(String::as_str)) {
        assert!(!ended.stderr.contains(secret), "{secret}: {}", ended.stderr);
    }
}

/// Returns the builder of a client whose connections come from this address of the machine.
fn client_from(address: [u8; 4]) -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().local_address(Some(address.into()))
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn logins_succeed_while_two_hundred_clients_guess() {
    const COST: u32 = 10;
    drop(client());
    let (api, hash) = (FakeApi::with_samples("typical").await, bcrypt::hash("canary-password", COST).unwrap());
    let configuration = format!("basic_auth_users: {{ known: '{hash}', new: '{hash}' }}\n");
    let served = Folder::empty().serve(&api, &configuration, &[]).await;
    let url = served.http("/");
    let get = async |client: &reqwest::Client, user: &str, password: &str| {
        client.get(&url).basic_auth(user, Some(password)).send().await.map(|response| response.status())
    };
    let equal = client_from([127, 0, 0, 2]).build().unwrap();
    let equal = futures_util::future::join_all((0..150).map(|_| get(&equal, "known", "equal"))).await;
    assert!(equal.iter().all(|status| *status.as_ref().unwrap() == StatusCode::UNAUTHORIZED), "{equal:?}");

    // They are idle for so long that their connections would be closed.
    let unkept = client_from([127, 0, 0, 1]).pool_max_idle_per_host(0);
    let (known, new) = (unkept.build().unwrap(), client_from([127, 0, 0, 4]).build().unwrap());
    assert_eq!(get(&known, "known", "canary-password").await.unwrap(), StatusCode::OK);
    let (denied, mut guesses) = tokio::sync::watch::channel(0);
    let guessing = futures_util::future::join_all((0..200).map(async |number: u32| {
        let address = [127, 0, 0, 1 + u8::from(number.is_multiple_of(3)) * 2];
        let mut client = client_from(address).build().unwrap();
        for guess in 0.. {
            // An idle connection may be closed just when it is used again.
            let guess = get(&client, "known", &format!("guess-{number}-{guess}")).await;
            let Ok(status) = guess else { continue };
            // One that has to wait for too many others is told so.
            assert!(matches!(status.as_u16(), 401 | 503), "{status}");
            denied.send_modify(|denied| *denied += u32::from(status == StatusCode::UNAUTHORIZED));
            if number.is_multiple_of(2) {
                client = client_from(address).build().unwrap();
            }
        }
    }));
    let logins = async {
        for round in 1..=3 {
            guesses.wait_for(|guesses| *guesses > round).await.unwrap();
            for _ in 0..10 {
                assert_eq!(get(&known, "known", "canary-password").await.unwrap(), StatusCode::OK);
                let other = client_from([127, 0, 0, 3]).build().unwrap();
                assert_eq!(get(&other, "known", "canary-password").await.unwrap(), StatusCode::OK);
            }
        }
        let before = *guesses.borrow();
        assert_eq!(get(&new, "new", "canary-password").await.unwrap(), StatusCode::OK, "the first login");
        let checks = *guesses.borrow() - before;
        assert!(checks < 50, "{checks} guesses were checked before it");
    };
    tokio::select! {
        _ = guessing => unreachable!("they guess for ever"),
        () = logins => {}
    }

    let crowd = client_from([127, 0, 0, 2]).build().unwrap();
    let guesses = (0..350).map(async |number| get(&crowd, "known", &format!("crowd-{number}")).await);
    let guesses = guesses.collect::<futures_util::stream::FuturesUnordered<_>>();
    let refused = guesses.filter(|guess| ready(matches!(guess, Ok(StatusCode::SERVICE_UNAVAILABLE))));
    assert!(pin!(refused).next().await.is_some(), "more than 200 wait");
    let metrics = known.get(served.http("/metrics")).basic_auth("known", Some("canary-password"));
    let metrics = Exposition::of_prometheus_text(&metrics.send().await.unwrap().text().await.unwrap());
    let limit = [("limit", "passwords")];
    assert!(metrics.value("edgeimpulse_exporter_web_limit_reached_total", &limit) > Some(0.0));
}

#[tokio::test]
async fn a_user_that_is_added_is_known_without_a_restart_and_one_that_is_removed_is_not() {
    let api = FakeApi::with_samples("typical").await;
    let folder = Folder::empty();
    let served = folder.serve(&api, &users(), &[]).await;
    let client = client();
    let status = async |name| {
        let request = client.get(served.http("/")).basic_auth(name, Some("canary-password"));
        request.send().await.unwrap().status()
    };
    assert_eq!((status("prometheus").await, status("alice").await), (StatusCode::OK, StatusCode::UNAUTHORIZED));
    folder.write("web.yml", &users().replace("prometheus", "alice"));
    eventually(async || match status("alice").await {
        StatusCode::OK => Ok(()),
        status => Err(format!("status {status}")),
    })
    .await;
    assert_eq!(status("prometheus").await, StatusCode::UNAUTHORIZED, "nothing is remembered of it");
}

#[tokio::test]
async fn a_change_that_cannot_be_used_is_logged_once_and_changes_nothing() {
    let (api, authority) = (FakeApi::with_samples("typical").await, Authority::new());
    let folder = Folder::new(&authority);
    let named = format!("{CLIENTS}  client_allowed_sans: [prometheus]\n");
    let prometheus = || [rcgen::SanType::DnsName("prometheus".try_into().unwrap())];
    let mut served = folder.serve(&api, &format!("{named}{}", users()), &[]).await;
    let url = served.https("/-/healthy");
    let with_certificate = || authority.client().identity(authority.sign(prometheus()).identity());
    for (configuration, reported) in [
        ("tls_server_config: [\n", "the previous one stays in use"),
        // A file that is being written.
        ("", "removing protection requires a restart"),
        (TLS, "removed=\"client certificate verification\""),
        (CLIENTS, "removed=\"client_allowed_sans\""),
        (&named, "removed=\"basic authentication\""),
    ] {
        folder.write("web.yml", configuration);
        // It looks when a connection comes.
        let client = authority.client().build().unwrap();
        let asking = async {
            loop {
                let _ = client.get(&url).send().await;
            }
        };
        let line = tokio::select! {
            line = served.program.says("web configuration not reloaded") => line,
            () = asking => unreachable!("it asks without end"),
        };
        assert!(line.contains(reported) && line.contains("web.yml"), "{line}");
        for _ in 0..3 {
            let client = with_certificate().build().unwrap();
            assert_eq!(served.status(&client, "/").await, Some(StatusCode::UNAUTHORIZED), "{configuration}");
            assert_eq!(served.status(&authority.client().build().unwrap(), "/-/healthy").await, None);
        }
    }
    let other = Authority::new();
    folder.write("clients.crt", &other.certificate());
    folder.write("web.yml", &format!("{named}{}", users()));
    served.lets_in(authority.client().identity(other.sign(prometheus()).identity())).await;
    let ended = served.program.stop().await;
    assert_eq!(ended.stderr.matches("web configuration ").count(), 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains("$2"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_hash_whose_check_is_slow_is_a_warning_at_start_and_after_a_change() {
    let (api, folder) = (FakeApi::with_samples("typical").await, Folder::empty());
    let hash = bcrypt::hash("canary-password", 4).unwrap();
    let with_cost = |cost: &str| format!("basic_auth_users: {{ slow: '{}' }}\n", hash.replace("$04$", cost));
    folder.write("web.yml", &with_cost("$17$"));
    let (url, path) = (api.url(), folder.path("web.yml"));
    let arguments = ["--api.url", &url, "--web.config.file", &path, "--web.listen-address=127.0.0.1:0"];
    let mut program = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")]);
    let line = program.says("WARN").await;
    assert!(line.contains("a bcrypt hash has a high cost") && line.contains("cost=17"), "{line}");
    let url = format!("http://{}/-/healthy", program.address().await);
    for (cost, line) in [("$16$", "web configuration reloaded"), ("$31$", "cost=31")] {
        folder.write("web.yml", &with_cost(cost));
        let asking = async {
            loop {
                let _ = crate::support::get(&url).await;
            }
        };
        let line = tokio::select! {
            line = program.says(line) => line,
            () = asking => unreachable!("it asks without end"),
        };
        assert_eq!(line.contains("a bcrypt hash has a high cost"), cost == "$31$", "{line}");
    }
}

#[tokio::test]
async fn headers_are_added_to_every_answer() {
    let api = FakeApi::with_samples("typical").await;
    let configuration = format!(
        "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    Strict-Transport-Security: max-age=60\n    \
         Content-Security-Policy: \"default-src 'self'\"\n    X-XSS-Protection: ''\n{}",
        users()
    );
    let served = Folder::empty().serve(&api, &configuration, &[]).await;
    for (path, status) in [("/-/healthy", 200), ("/", 401)] {
        let response = crate::support::get(served.http(path)).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["x-frame-options"], "deny");
        assert_eq!(response.headers()["strict-transport-security"], "max-age=60");
        assert_eq!(response.headers()["content-security-policy"], "default-src 'self'");
        assert!(!response.headers().contains_key("x-xss-protection"), "it was left empty");
    }
}

#[tokio::test]
async fn requests_beyond_the_rate_are_refused_but_probes_are_not() {
    let api = FakeApi::with_samples("typical").await;
    let served = Folder::empty().serve(&api, "rate_limit: { interval: 1h, burst: 2 }\n", &[]).await;
    let status = async |path| crate::support::get(served.http(path)).await.unwrap().status();
    assert_eq!((status("/").await, status("/nowhere").await), (StatusCode::OK, StatusCode::NOT_FOUND));
    let response = crate::support::get(served.http("/metrics")).await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((3500..=3600).contains(&wait), "{wait}");
    assert_eq!((status("/-/healthy").await, status("/-/ready").await), (StatusCode::OK, StatusCode::OK));
}

#[tokio::test]
async fn a_configuration_that_cannot_work_ends_the_program_at_once_with_one_line() {
    let folder = Folder::empty();
    folder.write("web.yml", "basic_auth_users:\n  prometheus: canary-password\n");
    let path = folder.path("web.yml");
    let ended = Program::ends(&["demo", "--web.config.file", &path], &[], 2).await;
    let text = "basic_auth_users: a password is not a bcrypt hash; create one with htpasswd -nB";
    assert_eq!(ended.stderr, format!("error: {path}:2:15: {text}\n"));
}

/// Wrong settings of TLS, after a certificate and a key, and their errors.
const WRONG_TLS: [(&str, &str); 14] = [
    ("min_version: TLS14", ":4: min_version \"TLS14\" is not supported; expected TLS12 or TLS13"),
    (
        "max_version: TLS11",
        ":4: no supported version is left of min_version to max_version; expected TLS12 or TLS13",
    ),
    ("min_version: 1.2", ":4: min_version \"1.2\" is not supported; expected TLS12 or TLS13"),
    (
        "min_version: TLS13\n  max_version: TLS12",
        ":5: no supported version is left of min_version to max_version",
    ),
    (
        "curve_preferences: [X25519, CurveP257]",
        ":4: curve \"CurveP257\" is not supported; expected some of X25519, CurveP256, CurveP384",
    ),
    ("curve_preferences: [CurveP521]", ":4: no supported curve is left of curve_preferences; "),
    (
        "min_version: TLS13\n  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]",
        ":5: cipher suite \"TLS_RSA_WITH_AES_128_CBC_SHA\" is not supported; ",
    ),
    (
        "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]",
        ":4: cipher_suites lacks TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or \
         TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, which HTTP/2 requires; or set http2: false",
    ),
    (
        "max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\nhttp_server_config: {http2: false}",
        ": tls_server_config: cipher_suites contains no suite for the allowed TLS versions",
    ),
    (
        "client_ca_file: clients.crt\n  client_auth_type: Sometimes",
        ":5: unknown client_auth_type \"Sometimes\"; expected one of NoClientCert, ",
    ),
    (
        "client_ca_file: clients.crt",
        ":4: client_ca_file DIR/clients.crt has no effect without client certificates; expected client_auth_type ",
    ),
    ("cert_fil: a", ":4: tls_server_config.cert_fil: unknown field: expected one of cert, key, "),
    ("cert_file: a", ":4: tls_server_config: field \"cert_file\" is set twice"),
    ("key: [canary]", ":4: tls_server_config.key: expected text"),
];

/// Wrong files and their errors.
const WRONG_FILES: [(&str, &str); 20] = [
    (
        "tls_server_config: {client_ca_file: clients.crt}",
        ": tls_server_config: cert is missing; expected cert_file, or cert with inline PEM",
    ),
    ("tls_server_config: {cert_file: server.crt}", ": tls_server_config: key is missing"),
    (
        "tls_server_config:\n  cert_file: absent.crt\n  key_file: server.key",
        ":2: cert_file DIR/absent.crt cannot be read: No such file",
    ),
    (
        "tls_server_config:\n  cert_file: server.key\n  key_file: server.key",
        ":2: cert_file DIR/server.key contains no valid certificate",
    ),
    (
        "tls_server_config:\n  cert_file: server.crt\n  key_file: other.key",
        ":2: cert_file DIR/server.crt cannot be used with this private key: ",
    ),
    (
        "tls_server_config:\n  cert_file: server.crt\n  key_file: locked.key",
        ":3: key_file DIR/locked.key contains an encrypted private key; expected one without a passphrase",
    ),
    ("tls_server_config: yes please", ":1: tls_server_config: expected a mapping"),
    ("basic_auth_users: alice:$2y$canary", ":1: basic_auth_users: expected a mapping"),
    ("basic_auth_users: {alice: [$2y$canary]}", ":1: basic_auth_users.alice: expected text"),
    ("http_server_config: {http2: maybe}", ":1: http_server_config.http2: expected true or false"),
    ("http_server_config: {headers: {Cache-Control: x}}", ":1: header \"Cache-Control\" is not supported; "),
    (
        "http_server_config: {headers: {X-Frame-Options: x}}",
        ":1: header X-Frame-Options has the unsupported value \"x\"; ",
    ),
    (
        "http_server_config: {http2: \"false\"}",
        ":1: http_server_config.http2: expected true or false, got text",
    ),
    (
        "rate_limit:\n  interval: soon\n  burst: 1",
        ":2: rate_limit.interval: \"soon\" is no duration; expected one such as 1s or 100ms",
    ),
    ("rate_limit:\n  interval: 1s\n  burst: many", ":3: rate_limit.burst: expected a whole number"),
    (
        "rate_limit:\n  interval: 1s\n  burst: 9223372036854775808",
        ":3: rate_limit.burst: the number is too large",
    ),
    ("rate_limit:\n  interval: [1s]", ":2: rate_limit.interval: expected a duration"),
    ("rate_limit: {\n", ":1: invalid YAML: unclosed bracket '{'"),
    ("canary", ":1: expected a mapping"),
    ("{}\n---\n{}\n", ":3: expected one YAML document, found a second one"),
];

#[test]
fn what_cannot_work_is_refused_by_name() {
    let folder = Folder::new(&Authority::new());
    folder.write("other.key", &Authority::new().sign_server().key);
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n";
    folder.write("locked.key", locked);
    let certificate = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  ";
    let tls = WRONG_TLS.map(|(setting, error)| (format!("{certificate}{setting}\n"), error.to_owned()));
    let files = WRONG_FILES.map(|(text, error)| (text.to_owned(), error.to_owned()));
    for (configuration, expected) in tls.into_iter().chain(files) {
        let text = folder.refused(&configuration);
        assert!(text.starts_with(&expected), "{configuration}\n{text}\n{expected}");
        assert!(!text.contains("canary") && !text.contains("$2"), "{text}");
    }
}

#[tokio::test]
async fn the_example_of_the_page_works_as_it_stands() {
    let example = &blocks_of("yaml").into_iter().find(|block| block.page == "docs/web-config.md").unwrap().text;
    let (api, authority) = (FakeApi::with_samples("typical").await, Authority::new());
    let served = Folder::new(&authority).serve(&api, example, &[]).await;
    let name = rcgen::SanType::DnsName("prometheus.example.com".try_into().unwrap());
    let client = authority.client().identity(authority.sign([name]).identity()).build().unwrap();
    let request = client.get(served.https("/metrics")).basic_auth("prometheus", Some("example"));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
}

#[tokio::test]
async fn an_empty_file_requires_nothing() {
    let api = FakeApi::with_samples("typical").await;
    let empty =
        "tls_server_config: {}\nhttp_server_config:\nbasic_auth_users: {}\nrate_limit: { interval: 0 }\n";
    for configuration in ["", "# nothing\n", "{}\n", empty] {
        let served: Served = Folder::empty().serve(&api, configuration, &[]).await;
        assert_eq!(crate::support::get(served.http("/")).await.unwrap().status(), 200, "{configuration}");
    }
}
