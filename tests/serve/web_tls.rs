//! TLS of `--web.config.file`: which clients are served, and which are rejected.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use edgeimpulse_exporter::serve::{ConnectionLimits, Server, WebConfigWatcher};
use futures_util::{StreamExt as _, stream};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, SanType};
use reqwest::{StatusCode, Version};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::ring};

use crate::support::secure::{Authority, CLIENTS, Folder, Signed, TLS, self_signed};
use crate::support::{FakeApi, data};

#[tokio::test]
async fn a_client_that_trusts_the_certificate_is_served_and_others_leave() {
    let (api, authority) = (FakeApi::with_samples("typical").await, Authority::new());
    let mut served = Folder::new(&authority).serve(&api, TLS, &[]).await;
    let client = authority.client().build().unwrap();
    let response = client.get(served.https("/metrics")).send().await.unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::OK, Version::HTTP_2));
    assert!(response.text().await.unwrap().contains("edgeimpulse_up{account=\"default\"} 1"));
    let http1 = authority.client().http1_only().build().unwrap();
    let response = http1.get(served.https("/")).send().await.unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::OK, Version::HTTP_11));
    assert!(response.text().await.unwrap().contains("This page was served over HTTPS."));

    assert_eq!(served.status(&Authority::new().client().build().unwrap(), "/").await, None);
    let plain = crate::support::get(served.http("/metrics")).await.unwrap();
    assert_eq!(
        (plain.status(), &plain.headers()["x-content-type-options"]),
        (StatusCode::BAD_REQUEST, &"nosniff".parse().unwrap())
    );
    let text = "this address requires TLS: use https:// in the URL, and scheme: https in Prometheus\n";
    assert_eq!(plain.text().await.unwrap(), text);
    served.program.signal("TERM");
    served.program.says("stopped").await;
}

#[tokio::test]
async fn client_certificates_are_verified_and_may_be_required() {
    let (api, authority) = (FakeApi::with_samples("typical").await, Authority::new());
    let with = |identity| authority.client().identity(identity).build().unwrap();
    let right = with(authority.sign([]).identity());
    let wrong = with(Authority::new().sign([]).identity());
    let none = authority.client().build().unwrap();
    for (kind, is_required) in [("RequireAndVerifyClientCert", true), ("VerifyClientCertIfGiven", false)] {
        let configuration = CLIENTS.replace("RequireAndVerifyClientCert", kind);
        let served = Folder::new(&authority).serve(&api, &configuration, &[]).await;
        assert_eq!(served.status(&right, "/metrics").await, Some(StatusCode::OK), "{kind}");
        assert_eq!(served.status(&wrong, "/metrics").await, None, "{kind}");
        for path in ["/metrics", "/-/healthy"] {
            assert_eq!(served.status(&none, path).await.is_none(), is_required, "{kind} {path}");
        }
    }
}

#[tokio::test]
async fn only_clients_with_an_allowed_name_are_served() {
    let (api, authority) = (FakeApi::with_samples("typical").await, Authority::new());
    let names = "  client_allowed_sans: [prometheus.example, 2001:DB8:0::7, 'spiffe://example/prometheus', a@b.example]";
    let served = Folder::new(&authority).serve(&api, &format!("{CLIENTS}{names}\n"), &[]).await;
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let uri = |name: &str| SanType::URI(name.try_into().unwrap());
    for (names, is_served) in [
        (vec![dns("prometheus.example")], true),
        (vec![dns("other.example"), dns("prometheus.example")], true),
        (vec![SanType::IpAddress("2001:db8::7".parse().unwrap())], true),
        (vec![uri("spiffe://example/prometheus")], true),
        (vec![SanType::Rfc822Name("a@b.example".try_into().unwrap())], true),
        (vec![dns("other.example")], false),
        (vec![dns("*.example")], false),
        (vec![dns("a.prometheus.example")], false),
        (vec![uri("spiffe://example/prometheus/")], false),
        (vec![], false),
    ] {
        let shown = format!("{names:?}");
        let client = authority.client().identity(authority.sign(names).identity()).build().unwrap();
        assert_eq!(served.status(&client, "/").await.is_some(), is_served, "{shown}");
    }
    let stranger = Authority::new().sign([dns("prometheus.example")]).identity();
    let stranger = authority.client().identity(stranger).build().unwrap();
    assert_eq!(served.status(&stranger, "/").await, None, "the name alone is not enough");
}

#[tokio::test]
async fn certificates_and_keys_may_be_inline() {
    let (api, authority) = (FakeApi::with_samples("typical").await, Authority::new());
    let signed = authority.sign_server();
    let indented = |pem: &str| pem.trim_end().replace('\n', "\n    ");
    let configuration = format!(
        "tls_server_config:\n  cert: |\n    {}\n  key: |\n    {}\n  client_ca: |\n    {}\n  \
         client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\n  curve_preferences: [CurveP256]\n",
        indented(&signed.certificate),
        indented(&signed.key),
        indented(&authority.certificate()),
    );
    let served = Folder::empty().serve(&api, &configuration, &[]).await;
    let with_certificate = || authority.client().identity(authority.sign([]).identity());
    assert!(served.status(&with_certificate().build().unwrap(), "/").await.is_some());
    let old = with_certificate().tls_version_max(reqwest::tls::Version::TLS_1_2).build().unwrap();
    assert_eq!(served.status(&old, "/").await, None, "TLS 1.2 was not allowed");
}

#[tokio::test]
async fn older_clients_get_the_cipher_suites_that_are_listed() {
    let (api, authority) = (FakeApi::with_samples("typical").await, Authority::new());
    let folder = Folder::new(&authority);
    // The server's key is an ECDSA one.
    for (suite, is_served) in [("ECDSA", true), ("RSA", false)] {
        let suites = format!("  cipher_suites: [TLS_ECDHE_{suite}_WITH_AES_256_GCM_SHA384]\n");
        let tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
        let served =
            folder.serve(&api, &format!("{tls}{suites}http_server_config: {{ http2: false }}\n"), &[]).await;
        let old = authority.client().tls_version_max(reqwest::tls::Version::TLS_1_2).build().unwrap();
        assert_eq!(served.status(&old, "/").await.is_some(), is_served, "{suite}");
        let response = authority.client().build().unwrap().get(served.https("/")).send().await.unwrap();
        assert_eq!(response.version(), Version::HTTP_11, "HTTP/2 was switched off");
    }
}

#[tokio::test]
async fn a_changed_certificate_is_served_without_a_restart_while_old_connections_live() {
    let (api, before, after) = (FakeApi::with_samples("typical").await, Authority::new(), Authority::new());
    let folder = Folder::new(&before);
    let mut served = folder.serve(&api, TLS, &[]).await;
    // Both trust one authority only, and the first keeps its connection.
    let old = before.client().build().unwrap();
    assert!(served.status(&old, "/-/healthy").await.is_some());
    let new = after.sign_server();
    folder.write("server.crt", &new.certificate);
    folder.write("server.key", &new.key);
    served.lets_in(after.client()).await;
    assert!(served.status(&old, "/-/healthy").await.is_some(), "its connection goes on");
    assert_eq!(
        served.status(&before.client().build().unwrap(), "/-/healthy").await,
        None,
        "a new one would not"
    );
    served.program.says("web configuration reloaded").await;
}

#[tokio::test]
async fn a_volume_of_kubernetes_that_changes_is_followed() {
    let (api, before, after) = (FakeApi::with_samples("typical").await, Authority::new(), Authority::new());
    let (first, second, mounted) = (Folder::new(&before), Folder::new(&after), Folder::empty());
    first.write("web.yml", TLS);
    second.write("web.yml", TLS);
    // As the kubelet does: the files are links into a folder that is itself a link, and that one is swapped.
    let link = mounted.path("..data");
    std::os::unix::fs::symlink(first.path(""), &link).unwrap();
    for name in ["server.crt", "server.key", "web.yml"] {
        std::os::unix::fs::symlink(format!("..data/{name}"), mounted.path(name)).unwrap();
    }
    let served = mounted.serve(&api, TLS, &[]).await;
    assert!(served.status(&before.client().build().unwrap(), "/").await.is_some());
    std::os::unix::fs::symlink(second.path(""), mounted.path("..new")).unwrap();
    std::fs::rename(mounted.path("..new"), &link).unwrap();
    served.lets_in(after.client()).await;
}

/// Serves pages over TLS within limits. `/slow` and each part of `/dripping` wait for a permit.
async fn within(
    authority: &Authority,
    limits: ConnectionLimits,
) -> (SocketAddr, tokio::sync::oneshot::Sender<()>, Arc<Semaphore>) {
    let folder = Folder::new(authority);
    folder.write("web.yml", TLS);
    let web_config = Some(WebConfigWatcher::load(folder.path("web.yml").into()).unwrap());
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let permits = Arc::new(Semaphore::new(0));
    let (own, of_parts) = (Arc::clone(&permits), Arc::clone(&permits));
    let slow = async move || {
        own.acquire().await.unwrap().forget();
        "Here."
    };
    let dripping = async move || {
        let parts = stream::iter(0..3).then(move |_| {
            let permits = Arc::clone(&of_parts);
            async move {
                permits.acquire().await.unwrap().forget();
                Ok::<_, std::convert::Infallible>("part")
            }
        });
        Body::from_stream(parts.boxed())
    };
    let app =
        Router::new().route("/slow", get(slow)).route("/dripping", get(dripping)).fallback(async || "Here.");
    let server = Server::new(socket, web_config);
    let (stop, stopped) = tokio::sync::oneshot::channel();
    tokio::spawn(server.serve(app, async { drop(stopped.await) }, limits));
    (address, stop, permits)
}

/// Returns limits of a moment.
fn short_limits() -> ConnectionLimits {
    let short = Duration::from_millis(300);
    ConnectionLimits {
        handshake_timeout: short,
        header_timeout: short,
        grace: short,
        ..ConnectionLimits::default()
    }
}

/// Waits until the server has closed or reset a connection, and returns what it sent before.
async fn ended(mut stream: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut sent = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut sent));
    let _ = reading.await.expect("it is ended in time");
    sent
}

#[tokio::test]
async fn clients_that_do_not_agree_on_tls_are_sent_away() {
    let authority = Authority::new();
    let (address, _stop, _) = within(&authority, ConnectionLimits { connections: 1, ..short_limits() }).await;
    let silent = TcpStream::connect(address).await.unwrap();
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(ended(silent).await, b"");
    let said = String::from_utf8(ended(plain).await).unwrap();
    assert!(said.starts_with("HTTP/1.1 400 ") && !said.contains("Here."), "{said}");
    let mut other = TcpStream::connect(address).await.unwrap();
    other.write_all(b"\0\0\0\0\0\0\0\0").await.unwrap();
    assert!(!ended(other).await.starts_with(b"HTTP"), "it is no request");
    let client = authority.client().build().unwrap();
    assert!(client.get(format!("https://{address}/")).send().await.is_ok(), "their place is free again");
}

#[tokio::test]
async fn a_connection_that_is_not_encrypted_yet_does_not_delay_the_end() {
    let (address, stop, _) = within(&Authority::new(), ConnectionLimits::default()).await;
    let silent = TcpStream::connect(address).await.unwrap();
    let began = Instant::now();
    drop(stop);
    ended(silent).await;
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_answer_over_http_2_may_take_longer_than_a_connection_may_idle() {
    let authority = Authority::new();
    let (address, _stop, permits) = within(&authority, short_limits()).await;
    let permit = async |count| {
        for _ in 0..count {
            // When two clients have been sent away one after the other, the limits of the request have passed too.
            for _ in 0..2 {
                ended(TcpStream::connect(address).await.unwrap()).await;
            }
            permits.add_permits(1);
        }
    };
    let client = authority.client().build().unwrap();
    let (response, ()) = tokio::join!(client.get(format!("https://{address}/slow")).send(), permit(1));
    let response = response.unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::OK, Version::HTTP_2));
    let client = authority.client().build().unwrap();
    let reading =
        async { client.get(format!("https://{address}/dripping")).send().await.unwrap().text().await };
    let (body, ()) = tokio::join!(reading, permit(3));
    assert_eq!(body.unwrap(), "part".repeat(3), "a response that is read is not cut");
}

#[tokio::test]
async fn an_idle_connection_of_http_2_is_ended() {
    let authority = Authority::new();
    let (address, _stop, _) = within(&authority, short_limits()).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = address.ip().into();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    // The preface and empty settings, and then nothing: no request, and no answer to pings.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    assert!(!ended(stream).await.is_empty(), "GOAWAY was sent");
}

/// Shows a certificate without looking at it, as OpenSSL does.
fn client_with(
    authority: &Authority,
    shown: &Signed,
    version: &'static SupportedProtocolVersion,
) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate().as_bytes()).unwrap()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
    let key = ring::sign::any_supported_type(&key).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(shown.certificate.as_bytes()).unwrap()];
    let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(shown));
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(config).build().unwrap()
}

#[test]
fn a_certificate_of_version_1_is_served_with_its_own_key_only() {
    let folder = Folder::empty();
    folder.write("server.crt", &data("version-1/client.pem"));
    folder.write("server.key", &data("version-1/server.key"));
    let error = folder.refused(TLS);
    assert!(error.contains("cannot be used with this private key"), "{error}");
    folder.write("server.key", &data("version-1/client.key"));
    WebConfigWatcher::load(folder.path("web.yml").into()).unwrap();
}

#[tokio::test]
async fn client_certificates_that_openssl_accepts_are_accepted() {
    let (api, authority, other) = (FakeApi::with_samples("typical").await, Authority::new(), Authority::new());
    let is_authority =
        |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let for_servers = |params: &mut CertificateParams| {
        is_authority(params);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    };
    let (own, own_authority) = (self_signed([], |_| ()), self_signed([], is_authority));
    let version_1 = Signed { certificate: data("version-1/client.pem"), key: data("version-1/client.key") };
    let thief = Signed { certificate: version_1.certificate.clone(), key: own.key.clone() };
    let folder = Folder::new(&authority);
    let trusted = [
        authority.certificate(),
        own.certificate.clone(),
        own_authority.certificate.clone(),
        data("version-1/authority.pem"),
    ];
    folder.write("clients.crt", &trusted.concat());
    let mut served = folder.serve(&api, CLIENTS, &[]).await;
    for (name, shown, is_served) in [
        ("its own authority", &own, true),
        ("its own authority, as CA", &own_authority, true),
        ("CA, signed by the authority", &authority.sign_with([], is_authority), true),
        ("version 1", &version_1, true),
        ("version 1, with another key", &thief, false),
        ("CA, signed by another authority", &other.sign_with([], is_authority), false),
        ("its own authority, not in the file", &self_signed([], is_authority), false),
        ("CA for servers", &authority.sign_with([], for_servers), false),
    ] {
        for version in [&TLS12, &TLS13] {
            let status = served.status(&client_with(&authority, shown, version), "/").await;
            assert_eq!(status.is_some(), is_served, "{name} {version:?}");
        }
    }
    let line = served.program.says("TLS handshake failed").await;
    assert!(line.contains("BadSignature"), "{line}");
    let lines = served.program.stop().await.stderr.matches("TLS handshake failed").count();
    assert!(lines < 7, "8 handshakes failed, the log has 1 + {lines} lines");
}

#[tokio::test]
async fn keys_that_ring_does_not_support_are_refused_with_the_reason() {
    let (api, authority) = (FakeApi::with_samples("typical").await, Authority::new());
    let of = |name: &str| data(&format!("unsupported-keys/{name}"));
    for (name, reason) in [("p521", "UnsupportedSignature"), ("rsa1024", "BadSignature")] {
        let folder = Folder::new(&authority);
        folder.write("clients.crt", &of(&format!("{name}.pem")));
        let mut served = folder.serve(&api, CLIENTS, &[]).await;
        let shown = Signed { certificate: of(&format!("signed-by-{name}.pem")), key: of("signed.key") };
        for _ in 0..2 {
            let status = served.status(&client_with(&authority, &shown, &TLS13), "/").await;
            assert_eq!(status, None, "{name}");
        }
        let line = served.program.says("TLS handshake failed").await;
        assert!(line.contains(" INFO ") && line.contains(reason), "{line}");
        assert!(!served.program.stop().await.stderr.contains("TLS handshake failed"), "one line in 10 seconds");

        folder.write("server.crt", &of(&format!("{name}.pem")));
        folder.write("server.key", &of(&format!("{name}.key")));
        let error = folder.refused(TLS);
        assert!(error.contains("server.key contains a private key that is not supported"), "{error}");
    }
}

#[tokio::test]
async fn the_order_of_cipher_suites_is_the_servers_unless_it_prefers_the_clients() {
    let authority = Authority::new();
    let mut provider = ring::default_provider();
    provider.cipher_suites.reverse();
    let first = provider.cipher_suites.iter().rfind(|suite| suite.tls13().is_some()).unwrap().suite();
    let last = provider.cipher_suites.iter().find(|suite| suite.tls13().is_some()).unwrap().suite();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(provider));
    let config = config.with_protocol_versions(&[&TLS13]).unwrap().with_root_certificates(roots);
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    for (prefers, suite) in [("true", first), ("null", first), ("false", last)] {
        let folder = Folder::new(&authority);
        folder.write("web.yml", &TLS.replace(" }", &format!(", prefer_server_cipher_suites: {prefers} }}")));
        let web_config = Some(WebConfigWatcher::load(folder.path("web.yml").into()).unwrap());
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let app = Router::new().fallback(async || "Here.");
        let server =
            Server::new(socket, web_config).serve(app, std::future::pending(), ConnectionLimits::default());
        let connecting = async {
            let stream = TcpStream::connect(address).await.unwrap();
            connector.connect(address.ip().into(), stream).await.unwrap()
        };
        let stream = tokio::select! {
            stream = connecting => stream,
            _ = server => unreachable!("it serves for ever"),
        };
        let negotiated = stream.get_ref().1.negotiated_cipher_suite().unwrap().suite();
        assert_eq!(negotiated, suite, "{prefers}");
    }
}
