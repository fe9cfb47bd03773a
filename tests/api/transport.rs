//! Gateways and proxies between the exporter and the API.

use std::sync::Arc;

use axum::extract::Request;
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::tls::TlsApi;
use crate::support::secure::{Authority, Signed, self_signed};
use crate::support::wire::answer;
use crate::support::{FakeApi, Program, Wire, data, file};

async fn scrape(arguments: &[&str], environment: &[(&str, &str)]) -> crate::support::program::Ended {
    let mut all = vec!["scrape", "--organization-id=1", "--no-collector.usage"];
    all.extend(arguments);
    let mut variables = vec![("EDGEIMPULSE_API_KEY", "ei_x")];
    variables.extend(environment);
    Program::start(&all, &variables).end().await
}

#[tokio::test]
async fn a_gateway_with_a_certificate_of_its_own_is_verified_against_the_file() {
    let api = TlsApi::start().await;
    let ended = scrape(&["--api.url", &api.url, "--api.ca-file", &api.certificate], &[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ended = scrape(&["--api.url", &api.url], &[]).await;
    assert_eq!(ended.code, Some(1), "the gateway is not trusted without the file");
    assert!(
        ended.stderr.contains("reason=\"tls\"") || ended.stderr.contains("cannot establish a TLS connection"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_file_without_certificates_is_refused() {
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let second = Authority::new().certificate() + garbage;
    for (content, hint) in [
        ("", "expected certificates in PEM"),
        ("-----BEGIN CERTIFICATE-----\nx\n", "invalid PEM"),
        (garbage, "certificate 1 cannot be used"),
        (&second, "certificate 2 cannot be used"),
    ] {
        let path = file("ca.pem", content);
        let ended = scrape(&["--api.url", "https://127.0.0.1:9/v1", "--api.ca-file", &path], &[]).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("--api.ca-file") && ended.stderr.contains(hint), "{ended:?}");
    }
}

#[tokio::test]
async fn a_gateway_whose_certificate_is_for_another_name_is_verified_for_that_name() {
    let authority = Authority::new();
    let signed = authority.sign([SanType::DnsName("studio.example".try_into().unwrap())]);
    let certificate = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap();
    let key = KeyPair::from_pem(&signed.key).unwrap();
    let api = TlsApi::start_with(certificate, &key, |request: &Request| {
        assert_eq!(request.uri().host(), None, "HTTP/1.1 sends the host in a header");
        request.headers()["host"].to_str().unwrap().starts_with("127.0.0.1:")
    })
    .await;
    let ca = file("ca.pem", &authority.certificate());
    let url = api.url.replace("localhost", "127.0.0.1");
    let named = ["--api.url", &url, "--api.ca-file", &ca, "--api.tls-server-name=studio.example"];
    let ended = scrape(&named, &[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ended = scrape(&named[..4], &[]).await;
    assert_eq!(ended.code, Some(1), "the certificate is for another name");
    let other = ["--api.url", &url, "--api.ca-file", &ca, "--api.tls-server-name=other.example"];
    assert_eq!(scrape(&other, &[]).await.code, Some(1), "the configured name is verified");
}

#[tokio::test]
async fn calls_go_through_a_proxy_that_is_named_or_that_the_environment_names() {
    let api = FakeApi::start().await;
    // A proxy receives the whole URL.
    let proxy = Wire::start(|_, target| {
        assert!(target.starts_with("http://studio.example/v1/"), "{target}");
        vec![answer(data("typical/organization-1.json").as_bytes(), "")]
    })
    .await;
    let url = proxy.url.strip_suffix("/v1").unwrap();
    let target = "--api.url=http://studio.example/v1";
    for (arguments, environment) in [
        (vec![target, "--api.proxy-url", url], vec![]),
        (vec![target], vec![("HTTP_PROXY", url)]),
        (vec![target], vec![("EDGEIMPULSE_API_PROXY_URL", url)]),
    ] {
        let ended = scrape(&arguments, &environment).await;
        assert_eq!(ended.code, Some(0), "{arguments:?} {environment:?} {ended:?}");
    }
    // Requests to loopback addresses do not use the proxy of the environment.
    api.answers_text("/api/organizations/1", &data("typical/organization-1.json")).await;
    let ended = scrape(&["--api.url", &api.url()], &[("HTTP_PROXY", "http://127.0.0.1:9")]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let secret = scrape(&["--api.proxy-url=http://user:canary@127.0.0.1:9"], &[]).await;
    assert_eq!(secret.code, Some(2));
    assert!(secret.stderr.contains("set HTTPS_PROXY instead"), "{secret:?}");
}

#[tokio::test]
async fn a_proxy_variable_that_cannot_be_used_stops_the_start() {
    let https = "--api.url=https://studio.example/v1";
    let http = "--api.url=http://studio.example/v1";
    for (url, variable, value, hint) in [
        (https, "HTTPS_PROXY", "\"http://proxy.canary:3128\"", "has quotes"),
        (https, "https_proxy", "'http://proxy.canary:3128'", "has quotes"),
        (https, "HTTPS_PROXY", "socks5://proxy.canary:1080", "SOCKS is not supported"),
        (https, "ALL_PROXY", "socks5h://proxy.canary:1080", "SOCKS is not supported"),
        (https, "HTTPS_PROXY", "http://jan:can@ary@127.0.0.1:9", "percent-encoded"),
        (https, "HTTPS_PROXY", "http://jan:canary%@127.0.0.1:9", "percent-encoded"),
        (https, "HTTPS_PROXY", "http://canary:port", "expected an http or https URL"),
        (http, "HTTP_PROXY", "ftp://canary", "expected an http or https URL"),
        (http, "http_proxy", "http://canary/path", "expected an http or https URL"),
    ] {
        let ended = scrape(&[url], &[(variable, value)]).await;
        assert_eq!(ended.code, Some(2), "{variable}={value}: {ended:?}");
        assert!(ended.stderr.contains(variable) && ended.stderr.contains(hint), "{value}: {ended:?}");
        assert!(!ended.stderr.contains("canary") && !ended.stderr.contains("jan"), "{ended:?}");
    }
    let quoted = [("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "\"studio.example\"")];
    let ended = scrape(&[https], &quoted).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("NO_PROXY: has quotes"), "{ended:?}");
    // A variable that does not concern the API is not read.
    let proxy = Wire::always(vec![answer(data("typical/organization-1.json").as_bytes(), "")]).await;
    let proxy = proxy.url.strip_suffix("/v1").unwrap();
    let other = [("HTTP_PROXY", proxy), ("HTTPS_PROXY", "socks5://x"), ("REQUEST_METHOD", "GET")];
    assert_eq!(scrape(&[http], &other).await.code, Some(0));
}

#[tokio::test]
async fn a_host_of_no_proxy_is_called_directly() {
    let proxy = Wire::always(vec![answer(data("typical/organization-1.json").as_bytes(), "")]).await;
    let url = proxy.url.strip_suffix("/v1").unwrap();
    for (exceptions, is_proxied) in
        [("*.invalid", false), ("studio.invalid:80", false), ("studio.invalid:443", true), ("", true)]
    {
        let before = proxy.requests();
        let environment = [("HTTP_PROXY", url), ("no_proxy", exceptions)];
        let ended = scrape(&["--api.url=http://studio.invalid/v1"], &environment).await;
        assert_eq!(ended.code, Some(i32::from(!is_proxied)), "{exceptions}: {ended:?}");
        assert_eq!(proxy.requests() > before, is_proxied, "{exceptions}");
    }
}

/// Starts a proxy that connects every client to `address`. Returns its URL and the heads of the requests.
async fn tunnels_to(address: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = listener.local_addr().unwrap().to_string();
    let heads = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let is_allowed = !head.contains("forbidden.example");
            seen.lock().push(head);
            let status = if is_allowed { "200 Connection established" } else { "403 Forbidden" };
            client.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await.unwrap();
            let mut server = TcpStream::connect(&address).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (url, heads)
}

#[tokio::test]
async fn a_tunnel_is_opened_with_any_password_and_refused_where_it_is_not_possible() {
    let authority = Authority::new();
    let signed = authority.sign([SanType::DnsName("studio.example".try_into().unwrap())]);
    let certificate = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap();
    let api = TlsApi::start_with(certificate, &KeyPair::from_pem(&signed.key).unwrap(), |_| true).await;
    let (proxy, heads) = tunnels_to(
        api.url.trim_start_matches("https://localhost").trim_end_matches("/v1").replace(':', "127.0.0.1:"),
    )
    .await;
    let (ca, url) = (file("ca.pem", &authority.certificate()), format!("http://{proxy}"));
    let with_password = format!("http://jan:p%40%3A%2F%23%25%E9w@{proxy}");
    let ended = scrape(
        &["--api.url=https://studio.example:8443/v1", "--api.ca-file", &ca],
        &[("https_proxy", &with_password)],
    )
    .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let head = heads.lock().pop().unwrap();
    assert!(
        head.starts_with("CONNECT studio.example:8443 HTTP/1.1\r\nHost: studio.example:8443\r\n"),
        "{head}"
    );
    assert!(head.contains(": Basic amFuOnBAOi8jJel3\r\n"), "{head}");
    let url_option = "--api.url=https://[2001:db8::1]/v1";
    for (options, variables, reason) in [
        (vec!["--api.proxy-url", &url], vec![], "use a host name, or leave the proxy out"),
        (vec![], vec![("HTTPS_PROXY", &*url)], "use a host name, or add the address to NO_PROXY"),
    ] {
        let ended = scrape(&[&[url_option], &*options].concat(), &variables).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(reason), "{ended:?}");
    }
    let refused = ["--api.url=https://forbidden.example/v1", "--api.proxy-url", &url];
    let ended = scrape(&refused, &[]).await;
    assert!(
        ended.stderr.contains("connect to forbidden.example:443 through the proxy 127.0.0.1:"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn certificates_that_openssl_accepts_are_accepted() {
    let authority = Authority::new();
    let localhost = || [SanType::DnsName("localhost".try_into().unwrap())];
    let is_authority =
        |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = self_signed(localhost(), is_authority);
    let elsewhere = self_signed([SanType::DnsName("elsewhere".try_into().unwrap())], is_authority);
    let expired = self_signed(localhost(), |params| {
        is_authority(params);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let for_clients = authority.sign_with(localhost(), |params| {
        is_authority(params);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let signed = authority.sign_with(localhost(), is_authority);
    let version_1 = Signed { certificate: data("version-1/server.pem"), key: data("version-1/server.key") };
    let signed_by = |authority: &str| Signed {
        certificate: data(&format!("unsupported-keys/signed-by-{authority}.pem")),
        key: data("unsupported-keys/signed.key"),
    };
    for (name, server, trusted, is_accepted) in [
        ("its own authority", &own, own.certificate.clone(), true),
        ("an authority, signed by another", &signed, authority.certificate(), true),
        ("signed by an authority of version 1", &version_1, data("version-1/authority.pem"), true),
        ("its own authority, not in the file", &own, authority.certificate(), false),
        ("another name", &elsewhere, elsewhere.certificate.clone(), false),
        ("expired", &expired, expired.certificate.clone(), false),
        ("for another use", &for_clients, authority.certificate(), false),
        ("signed by P-521", &signed_by("p521"), data("unsupported-keys/p521.pem"), false),
        ("signed by RSA-1024", &signed_by("rsa1024"), data("unsupported-keys/rsa1024.pem"), false),
    ] {
        let certificate = CertificateDer::from_pem_slice(server.certificate.as_bytes()).unwrap();
        let api = TlsApi::start_with(certificate, &KeyPair::from_pem(&server.key).unwrap(), |_| true).await;
        let ended = scrape(&["--api.url", &api.url, "--api.ca-file", &file("ca.pem", &trusted)], &[]).await;
        assert_eq!(ended.code, Some(i32::from(!is_accepted)), "{name}: {ended:?}");
        assert!(is_accepted || ended.stderr.contains("invalid peer certificate"), "{name}: {ended:?}");
    }
}
