//! Conformance of `--web.config.file` with Prometheus' exporter-toolkit 0.20.0, as a table.
//!
//! The second column of a row is what exporter-toolkit does with the configuration of the first. It was recorded from
//! the original, with the same clients. If we do something else, a third column has that, and the reason, which is in
//! docs/web-config.md too.

use std::net::SocketAddr;

use axum::Router;
use edgeimpulse_exporter::serve::{ConnectionLimits, Server, WebConfigWatcher};
use rcgen::SanType;
use reqwest::{Client, Version};
use tokio::net::TcpListener;

use crate::support::repository;
use crate::support::secure::{Authority, Folder};

/// A configuration, what exporter-toolkit does with it, and what we do instead with the reason.
struct Row(String, &'static str, Option<(&'static str, &'static str)>);

/// A hash of "canary-password" with the lowest cost.
const HASH: &str = "$2b$04$gZMb1U2FlUecnWsUPrg69eYfO2MvCyuRANsTrA6p6/DzWBX74zfFi";

const OLD_TLS: &str = "rustls has no TLS 1.0 and 1.1";
const NO_VERSION: &str = "no client could connect";
const UNSUPPORTED: &str = "rustls with ring does not support it";
const NO_AUTHORITY: &str = "a file that is being written would lock out every client";
const CONTROL: &str = "HTTP does not allow it, and clients reject the response";
const NO_HEADER: &str = "an empty header has no meaning, and the exporter's own stays";
const NO_HASH: &str = "no password matches it, or no current program creates it";
const BLANK: &str = "a blank value counts as missing";
const BLANK_ITEM: &str = "a blank item is a mistake";
const SECOND: &str = "its settings would be ignored";
const YAML: &str = "the parser reads YAML 1.2, and ignores the case of booleans";

fn tls(more: &str) -> String {
    format!("tls_server_config: {{cert_file: server.crt, key_file: server.key, {more}}}\n")
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn rows() -> Vec<Row> {
    let same = |configuration: &str, toolkit| Row(configuration.to_owned(), toolkit, None);
    let secured = |more: &str, toolkit| Row(tls(more), toolkit, None);
    let differs =
        |configuration: &str, toolkit, ours, why| Row(configuration.to_owned(), toolkit, Some((ours, why)));
    let clients =
        |kind: &str, more: &str, toolkit| Row(tls(&format!("client_auth_type: {kind}, {more}")), toolkit, None);
    let header = |text: &str| format!("http_server_config: {{headers: {{{text}}}}}\n");
    let user = |name: &str, hash: &str| format!("basic_auth_users: {{{name}: {hash}}}\n");
    let limit = |interval: &str, burst: &str| format!("rate_limit: {{interval: {interval}, burst: {burst}}}\n");
    let mut rows = vec![
        // The file.
        same("", "http 200"),
        same("# nothing\n", "http 200"),
        same("null\n", "http 200"),
        same("{}\n", "http 200"),
        same("junk\n", "refused"),
        same("[]\n", "refused"),
        same("tls_server_config: {cert_filse: server.crt}\n", "refused"),
        same("TLS_SERVER_CONFIG: {}\n", "refused"),
        same("{tls_server_config: {}, tls_server_config: {}}\n", "refused"),
        same("x: &x {}\ntls_server_config: *x\n", "refused"),
        same("rate_limit:\n  <<: {interval: 1s, burst: 1}\n", "http 200"),
        same("rate_limit: {\n", "refused"),
        same("\u{feff}{}\n", "http 200"),
        differs("{}\n---\n{}\n", "http 200", "refused", SECOND),
        differs("%YAML 1.2\n---\n{}\n", "refused", "http 200", YAML),
        // Certificate and key.
        secured("", "h2 200/200/200"),
        same("tls_server_config:\n", "http 200"),
        same("tls_server_config: {}\n", "http 200"),
        same("tls_server_config: {cert_file: '', key_file: '', client_auth_type: ''}\n", "http 200"),
        same("tls_server_config: {cert_file: server.crt}\n", "refused"),
        same("tls_server_config: {key_file: server.key}\n", "refused"),
        same("tls_server_config: {cert_file: '', key_file: server.key}\n", "refused"),
        same("tls_server_config: {cert_file: server.crt, key: ''}\n", "refused"),
        same("tls_server_config: {client_ca_file: clients.crt}\n", "refused"),
        same("tls_server_config: {client_auth_type: RequireAndVerifyClientCert}\n", "refused"),
        same("tls_server_config: {cert_file: '', key_file: '', client_auth_type: x}\n", "refused"),
        same("tls_server_config: {cert_file: absent, key_file: server.key}\n", "refused"),
        same("tls_server_config: {cert_file: server.crt, key_file: absent}\n", "refused"),
        same("tls_server_config: {cert_file: absent, key_file: absent}\n", "refused"),
        same("tls_server_config: {cert_file: server.key, key_file: server.key}\n", "refused"),
        same("tls_server_config: {cert_file: server.crt, key_file: server.crt}\n", "refused"),
        same("tls_server_config: {cert_file: server.crt, key_file: other.key}\n", "refused"),
        same("tls_server_config: {cert: PEM, key_file: server.key}\n", "refused"),
        secured("cert: unused, key: unused", "h2 200/200/200"),
        secured("cert: 1, key: true", "h2 200/200/200"),
        same("tls_server_config: {cert_file: [server.crt], key_file: server.key}\n", "refused"),
        // Settings that do not enable TLS.
        same("tls_server_config: {min_version: TLS12}\n", "http 200"),
        same("tls_server_config: {prefer_server_cipher_suites: true}\n", "http 200"),
        same("tls_server_config: {cipher_suites: [TLS_AES_128_GCM_SHA256]}\n", "http 200"),
        same("tls_server_config: {curve_preferences: [CurveP521]}\n", "http 200"),
        same("tls_server_config: {client_allowed_sans: [a]}\n", "http 200"),
        same("tls_server_config: {min_version: TLS14}\n", "refused"),
        same("tls_server_config: {cipher_suites: [invented]}\n", "refused"),
        // Client certificates.
        clients("''", "", "h2 200/200/200"),
        clients("null", "", "h2 200/200/200"),
        clients("NoClientCert", "", "h2 200/200/200"),
        clients("NoClientCert", "client_ca_file: clients.crt", "refused"),
        clients("''", "client_ca_file: /dev/null", "refused"),
        clients("''", "client_ca: unused", "refused"),
        clients("''", "client_ca_file: absent", "refused"),
        clients("x", "", "refused"),
        clients("requireandverifyclientcert", "client_ca_file: clients.crt", "refused"),
        clients("RequestClientCert", "", "h2 200/200/200"),
        clients("RequestClientCert", "client_ca_file: clients.crt", "h2 200/200/200"),
        clients("RequestClientCert", "client_ca_file: absent", "refused"),
        clients("RequireAnyClientCert", "", "h2 -/200/200"),
        clients("RequireAnyClientCert", "client_ca_file: clients.crt", "h2 -/200/200"),
        clients("RequireClientCert", "", "h2 -/200/200"),
        clients("VerifyClientCertIfGiven", "", "h2 200/-/-"),
        clients("VerifyClientCertIfGiven", "client_ca_file: clients.crt", "h2 200/200/-"),
        clients("VerifyClientCertIfGiven", "client_ca_file: clients.crt, client_ca: unused", "h2 200/200/-"),
        clients("RequireAndVerifyClientCert", "", "tls -/-/-"),
        clients("RequireAndVerifyClientCert", "client_ca_file: clients.crt", "h2 -/200/-"),
        clients("RequireAndVerifyClientCert", "client_ca_file: absent", "refused"),
        // Names of clients.
        secured("client_allowed_sans: [prometheus]", "h2 200/200/200"),
        secured("client_allowed_sans: null", "h2 200/200/200"),
        secured("client_allowed_sans: prometheus", "refused"),
        clients("RequestClientCert", "client_allowed_sans: [prometheus]", "h2 -/200/-"),
        clients("RequireAnyClientCert", "client_allowed_sans: [prometheus]", "h2 -/200/-"),
        clients("RequireAnyClientCert", "client_allowed_sans: [stranger, 1]", "h2 -/-/200"),
        clients(
            "VerifyClientCertIfGiven",
            "client_ca_file: clients.crt, client_allowed_sans: [prometheus]",
            "h2 -/200/-",
        ),
        clients(
            "RequireAndVerifyClientCert",
            "client_ca_file: clients.crt, client_allowed_sans: [a, prometheus]",
            "h2 -/200/-",
        ),
        clients(
            "RequireAndVerifyClientCert",
            "client_ca_file: clients.crt, client_allowed_sans: [stranger]",
            "tls -/-/-",
        ),
        clients("RequireAnyClientCert", "client_allowed_sans: []", "tls -/-/-"),
        // Versions.
        secured("min_version: TLS12, max_version: TLS12", "h2 200/200/200"),
        secured("min_version: TLS13", "h2 200/200/200"),
        secured("min_version: null, max_version: null", "h2 200/200/200"),
        secured("min_version: TLS111", "refused"),
        secured("min_version: ''", "refused"),
        secured("max_version: ''", "refused"),
        secured("min_version: tls12", "refused"),
        secured("min_version: TLS10", "h2 200/200/200"),
        secured("min_version: TLS11, max_version: TLS12", "h2 200/200/200"),
        // Cipher suites and curves.
        secured("cipher_suites: []", "h2 200/200/200"),
        secured("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]", "h2 200/200/200"),
        secured("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]", "refused"),
        secured("cipher_suites: [TLS_AES_128_GCM_SHA256]", "refused"),
        secured("min_version: TLS13, cipher_suites: [TLS_AES_128_GCM_SHA256]", "h2 200/200/200"),
        secured("cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256]", "refused"),
        secured("cipher_suites: [invented]", "refused"),
        secured("cipher_suites: TLS_AES_128_GCM_SHA256", "refused"),
        secured("curve_preferences: []", "h2 200/200/200"),
        secured("curve_preferences: [X25519, CurveP256, CurveP384, CurveP521]", "h2 200/200/200"),
        secured("curve_preferences: [CurveP384]", "h2 200/200/200"),
        secured("curve_preferences: [CurveP257]", "refused"),
        secured("curve_preferences: [x25519]", "refused"),
        // HTTP.
        same("http_server_config: {http2: false}\n", "http 200"),
        same("http_server_config: {http3: true}\n", "refused"),
        same("http_server_config: []\n", "refused"),
        same(&header(""), "http 200"),
        same(&header("X-Frame-Options: deny"), "http 200, x-frame-options: deny"),
        same(&header("X-Frame-Options: DENY"), "refused"),
        same(&header("X-Frame-Options: ''"), "refused"),
        same(&header("X-Frame-Options: null"), "refused"),
        same(&header("x-frame-options: deny"), "refused"),
        same(&header("X-Content-Type-Options: nosniff"), "http 200"),
        same(&header("X-Content-Type-Options: sniff"), "refused"),
        same(&header("X-Content-Type-Options: ''"), "refused"),
        same(&header("X-XSS-Protection: 1"), "http 200, x-xss-protection: 1"),
        same(&header("X-XSS-Protection: \"a\\r\\n b\\n\""), "http 200, x-xss-protection: a   b"),
        same(&header("Strict-Transport-Security: [a]"), "refused"),
        same(&header("Content-Type: text/plain"), "refused"),
        same("http_server_config: {headers: [a]}\n", "refused"),
        // Users.
        same("basic_auth_users:\n", "http 200"),
        same(&user("john", "doe"), "refused"),
        same(&user("john", "''"), "refused"),
        same(&user("john", "null"), "refused"),
        same(&user("john", HASH), "http 401"),
        same(&user("john", &HASH.replace("2b", "2y")), "http 401"),
        same(&user("john", &HASH.replace("2b", "2a")), "http 401"),
        same(&user("john", &HASH.replace("$04", "$03")), "refused"),
        same(&user("john", &HASH.replace("$04", "$18")), "http 401"),
        same(&user("john", &HASH.replace("$04", "$31")), "http 401"),
        same(&user("john", &HASH.replace("$04", "$32")), "refused"),
        same(&user("john", &HASH.replace("2b", "3b")), "refused"),
        same(&user("john", &HASH[..58]), "refused"),
        same(&user("''", HASH), "http 401"),
        same(&user("'a:b'", HASH), "http 401"),
        same(&user("1", HASH), "http 401"),
        same(&format!("basic_auth_users: {{a: {HASH}, a: {HASH}}}\n"), "refused"),
        same(&format!("{}{}", tls(""), user("john", HASH)), "h2 401/401/401"),
        // Rate limit.
        same("rate_limit:\n", "http 200"),
        same("rate_limit: {}\n", "http 200"),
        same("rate_limit: {burst: 0}\n", "http 200"),
        same("rate_limit: {interval: 1s}\n", "http 429"),
        same("rate_limit: {interval: 1s, x: 1}\n", "refused"),
        same("rate_limit: [a]\n", "refused"),
        differs(&user("john", &HASH[..59]), "http 401", "refused", NO_HASH),
    ];
    for (intervals, burst, toolkit) in [
        (
            &[
                "0", "'0'", "0s", "0.0", "-1s", "-1", "1s", "'1s'", "1.5h", "1h30m", ".5s", "+5.s", "1us",
                "1µs", "1μs", "1000", "1e3",
            ][..],
            "1",
            "http 200",
        ),
        (
            &[
                "1d",
                "1 s",
                "1S",
                "1 hour",
                "1sec",
                "1m 30s",
                "soon",
                "''",
                "'1'",
                "s",
                "9223372037s",
                "true",
                "[1s]",
            ],
            "1",
            "refused",
        ),
        (&["1s", "1h"], "0", "http 429"),
        (&["0"], "0", "http 200"),
        (&["1s"], "-1", "http 429"),
        (&["1s"], ".5", "http 429"),
        (&["1s"], "null", "http 429"),
        (&["1s"], "1.5", "http 200"),
        (&["1s"], "99999999999", "http 200"),
        (&["1s"], "'5'", "refused"),
        (&["1s"], "many", "refused"),
        (&["1s"], "true", "refused"),
        (&["1s"], "[1]", "refused"),
        (&["1s"], "9223372036854775808", "refused"),
    ] {
        rows.extend(intervals.iter().map(|interval| same(&limit(interval, burst), toolkit)));
    }
    for (booleans, toolkit) in [
        (&["true", "True", "TRUE", "yes", "on", "y"][..], "h2 200/200/200"),
        (&["false", "False", "no", "off", "N"], "h1 200/200/200"),
        (&["'true'", "\"false\"", "'no'", "1", "0", "maybe", "[true]", "''"], "refused"),
    ] {
        for boolean in booleans {
            rows.push(same(&format!("{}http_server_config: {{http2: {boolean}}}\n", tls("")), toolkit));
            let prefers = tls(&format!("prefer_server_cipher_suites: {boolean}"));
            rows.push(same(&prefers, if toolkit == "refused" { toolkit } else { "h2 200/200/200" }));
        }
    }
    let without_http2 = |more: &str| format!("{}http_server_config: {{http2: false}}\n", tls(more));
    rows.push(same(
        &without_http2("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]"),
        "h1 200/200/200",
    ));
    rows.extend([
        differs(
            &without_http2("max_version: TLS12, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]"),
            "h1 200/200/200",
            "refused",
            UNSUPPORTED,
        ),
        differs(&tls("curve_preferences: [CurveP521]"), "h2 200/200/200", "refused", UNSUPPORTED),
        differs(&tls("max_version: TLS11"), "tls -/-/-", "refused", OLD_TLS),
        differs(&tls("min_version: TLS13, max_version: TLS12"), "tls -/-/-", "refused", NO_VERSION),
        differs(
            &tls("client_auth_type: VerifyClientCertIfGiven, client_ca_file: /dev/null"),
            "h2 200/-/-",
            "refused",
            NO_AUTHORITY,
        ),
        differs(
            &tls("client_auth_type: RequireAndVerifyClientCert, client_ca: PEM"),
            "tls -/-/-",
            "refused",
            NO_AUTHORITY,
        ),
        differs(&tls("client_allowed_sans: [null]"), "h2 200/200/200", "refused", BLANK_ITEM),
        differs(&user("null", HASH), "http 401", "refused", BLANK_ITEM),
        differs(
            &format!("{}http_server_config: {{http2: null}}\n", tls("")),
            "h1 200/200/200",
            "h2 200/200/200",
            BLANK,
        ),
        differs(&format!("{}http_server_config:\n", tls("")), "h1 200/200/200", "h2 200/200/200", BLANK),
        differs(&tls("prefer_server_cipher_suites: tRue"), "refused", "h2 200/200/200", YAML),
        differs(&header("X-XSS-Protection: ''"), "http 200, x-xss-protection: ", "http 200", NO_HEADER),
        differs(&header("X-XSS-Protection: null"), "http 200, x-xss-protection: ", "http 200", NO_HEADER),
        differs(&header("X-XSS-Protection: \"\\x01\""), "http -", "refused", CONTROL),
        differs(&user("john", &HASH.replace("2b", "2z")), "http 401", "refused", NO_HASH),
        differs(&user("john", &(HASH.to_owned() + "x")), "http 401", "refused", NO_HASH),
    ]);
    rows
}

/// Clients without a certificate, with one of the authority, and with one of a stranger.
struct Clients {
    authority: Authority,
    secure: [Client; 3],
}

impl Clients {
    fn new() -> Self {
        let authority = Authority::new();
        let named = |name: &str| [SanType::DnsName(name.try_into().unwrap())];
        let (signed, stranger) =
            (authority.sign(named("prometheus")), Authority::new().sign(named("stranger")));
        let client = || authority.client().pool_max_idle_per_host(0);
        let secure = [client(), client().identity(signed.identity()), client().identity(stranger.identity())];
        let secure = secure.map(|client| client.build().unwrap());
        Self { authority, secure }
    }

    /// Returns what a server does: the status of a request without TLS, or protocol and statuses of the three.
    async fn observe(&self, address: SocketAddr) -> String {
        let plain = crate::support::get(format!("http://{address}/")).await;
        let plain = plain.map(|response| {
            let shown = ["x-frame-options", "x-xss-protection"];
            let headers = shown.iter().filter_map(|name| Some((name, response.headers().get(*name)?)));
            let headers = headers.map(|(name, value)| format!(", {name}: {}", value.to_str().unwrap()));
            format!("http {}{}", response.status().as_u16(), headers.collect::<String>())
        });
        if !plain.as_ref().is_ok_and(|plain| plain == "http 400") {
            return plain.unwrap_or("http -".to_owned());
        }
        let (mut protocol, mut statuses) = ("tls", Vec::new());
        for client in &self.secure {
            let response = client.get(format!("https://{address}/")).send().await;
            statuses.push(
                response.as_ref().map_or("-".to_owned(), |response| response.status().as_u16().to_string()),
            );
            if let Ok(response) = response {
                protocol = if response.version() == Version::HTTP_2 { "h2" } else { "h1" };
            }
        }
        format!("{protocol} {}", statuses.join("/"))
    }
}

async fn serve(web_config: WebConfigWatcher) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let server = Server::new(socket, Some(web_config));
    let app = Router::new().fallback(async || "Here.");
    tokio::spawn(server.serve(app, async { drop(stopped.await) }, ConnectionLimits::default()));
    (address, stop)
}

#[tokio::test]
async fn web_configurations_do_what_they_do_in_exporter_toolkit() {
    let clients = Clients::new();
    let folder = Folder::new(&clients.authority);
    folder.write("other.key", &Authority::new().sign_server().key);
    let page = repository::read("docs/web-config.md");
    let mut failures = Vec::new();
    for Row(configuration, toolkit, difference) in rows() {
        folder.write("web.yml", &configuration);
        let observed = match WebConfigWatcher::load(folder.path("web.yml").into()) {
            Err(_) => "refused".to_owned(),
            Ok(web_config) => {
                let (address, _stop) = serve(web_config).await;
                clients.observe(address).await
            }
        };
        let expected = difference.map_or(toolkit, |(ours, _)| ours);
        if observed != expected {
            failures.push(format!("{configuration}expected {expected:?}, observed {observed:?}"));
        }
        if let Some((ours, reason)) = difference {
            assert_ne!(ours, toolkit, "{configuration}");
            assert!(page.contains(reason), "docs/web-config.md lacks {reason:?}");
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
