//! What stands between the exporter and the API: gateways with certificates of their own, proxies.

use axum::Router;
use axum::extract::Request;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::support::{FakeApi, Program, data, file};
use crate::tls::TlsApi;

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
    assert_eq!(ended.code, Some(1), "without it the gateway is not trusted");
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
    // An authority, and a certificate of it that is for the name of the API and not for that of the gateway.
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["studio.example".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let api = TlsApi::start_with(certificate.der().clone(), &key, |request: &Request| {
        assert_eq!(request.uri().host(), None, "HTTP/1.1, in which the host has a header of its own");
        request.headers()["host"].to_str().unwrap().starts_with("127.0.0.1:")
    })
    .await;
    let ca = file("ca.pem", &authority_certificate.pem());
    let url = api.url.replace("localhost", "127.0.0.1");
    let named = ["--api.url", &url, "--api.ca-file", &ca, "--api.tls-server-name=studio.example"];
    let ended = scrape(&named, &[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ended = scrape(&named[..4], &[]).await;
    assert_eq!(ended.code, Some(1), "without it the name does not fit");
    let other = ["--api.url", &url, "--api.ca-file", &ca, "--api.tls-server-name=other.example"];
    assert_eq!(scrape(&other, &[]).await.code, Some(1), "another name is checked as strictly");
    let plain = scrape(&["--api.url=http://127.0.0.1:9", "--api.tls-server-name=studio.example"], &[]).await;
    assert!(plain.stderr.contains("expected an https URL"), "{plain:?}");
}

#[tokio::test]
async fn calls_go_through_a_proxy_that_is_named_or_that_the_environment_names() {
    let api = FakeApi::start().await;
    // In plain HTTP a proxy is sent the whole URL: this one answers for any host.
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let app = Router::new().fallback(async |request: Request| {
        assert_eq!(request.uri().host(), Some("studio.example"));
        data("typical/organization-1.json")
    });
    tokio::spawn(async move { axum_serve(proxy, app).await });
    let target = "--api.url=http://studio.example/v1";
    for (arguments, environment) in [
        (vec![target, "--api.proxy-url", &url], vec![]),
        (vec![target], vec![("HTTP_PROXY", url.as_str())]),
        (vec![target], vec![("EDGEIMPULSE_API_PROXY_URL", url.as_str())]),
    ] {
        let ended = scrape(&arguments, &environment).await;
        assert_eq!(ended.code, Some(0), "{arguments:?} {environment:?} {ended:?}");
    }
    // What runs on this machine is not behind the proxy of the environment.
    api.answers("/api/organizations/1", &serde_json::from_str(&data("typical/organization-1.json")).unwrap())
        .await;
    let ended = scrape(&["--api.url", &api.url()], &[("HTTP_PROXY", "http://127.0.0.1:9")]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let secret = scrape(&["--api.proxy-url=http://user:canary@127.0.0.1:9"], &[]).await;
    assert_eq!(secret.code, Some(2));
    assert!(secret.stderr.contains("set HTTPS_PROXY instead"), "{secret:?}");
}

async fn axum_serve(listener: tokio::net::TcpListener, app: Router) {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use hyper_util::server::conn::auto::Builder;
    use hyper_util::service::TowerToHyperService;
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
