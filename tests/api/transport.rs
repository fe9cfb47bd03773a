//! Gateways and proxies between the exporter and the API.

use axum::extract::Request;
use rcgen::{KeyPair, SanType};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::tls::TlsApi;
use crate::support::secure::Authority;
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
    for (content, hint) in [("", "expected certificates in PEM"), ("-----BEGIN CERTIFICATE-----\nx\n", "")] {
        let path = file("ca.pem", content);
        let ended = scrape(&["--api.url", "https://127.0.0.1:9/v1", "--api.ca-file", &path], &[]).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("--api.ca-file") && ended.stderr.contains(hint), "{ended:?}");
    }
    let ended = scrape(&["--api.ca-file", "/does/not/exist"], &[]).await;
    assert!(ended.stderr.contains("--api.ca-file /does/not/exist: No such file"), "{ended:?}");
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
    let plain = scrape(&["--api.url=http://127.0.0.1:9", "--api.tls-server-name=studio.example"], &[]).await;
    assert!(plain.stderr.contains("expected an https URL"), "{plain:?}");
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
