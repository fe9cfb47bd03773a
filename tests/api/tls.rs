//! The API behind TLS and HTTP/2.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::Version;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use rcgen::KeyPair;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use crate::support::{Program, client, data, file};

/// An API with a self-signed certificate, which offers HTTP/2.
pub struct TlsApi {
    pub url: String,
    pub certificate: String,
    versions: Arc<Mutex<Vec<Version>>>,
    connections: Arc<AtomicUsize>,
}

impl TlsApi {
    pub async fn start() -> Self {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let api = Self::start_with(signed.cert.der().clone(), &signed.signing_key, |_| true).await;
        Self { certificate: file("certificate.pem", &signed.cert.pem()), ..api }
    }

    /// Starts an API with that certificate, which answers the requests that `expects` holds for.
    pub async fn start_with(
        certificate: CertificateDer<'static>,
        key: &KeyPair,
        expects: fn(&Request) -> bool,
    ) -> Self {
        let (acceptor, listener, url) = listen(certificate, key).await;
        let versions = Arc::<Mutex<Vec<Version>>>::default();
        let connections = Arc::<AtomicUsize>::default();
        let (seen, opened) = (Arc::clone(&versions), Arc::clone(&connections));
        let app = Router::new().fallback(async move |request: Request| {
            assert!(expects(&request), "{request:?}");
            seen.lock().push(request.version());
            data("typical/organization-1.json")
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::Relaxed);
                let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(app.clone()));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, certificate: String::new(), versions, connections }
    }
}

/// Returns what a server with that certificate needs, which offers HTTP/2.
pub async fn listen(certificate: CertificateDer<'static>, key: &KeyPair) -> (TlsAcceptor, TcpListener, String) {
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/v1", listener.local_addr().unwrap().port());
    (TlsAcceptor::from(Arc::new(tls)), listener, url)
}

#[tokio::test]
async fn http_2_is_used_if_offered_and_certificates_are_verified() {
    let api = TlsApi::start().await;
    let arguments = ["scrape", "--api.url", &api.url, "--organization-id=1", "--no-collector.usage"];
    let key = ("EDGEIMPULSE_API_KEY", "ei_x");
    Program::ends(&arguments, &[key, ("SSL_CERT_FILE", &api.certificate)], 0).await;
    assert_eq!(*api.versions.lock(), [Version::HTTP_2]);

    let unknown = rcgen::generate_simple_self_signed(["elsewhere".to_owned()]).unwrap();
    let unknown = file("unknown.pem", &unknown.cert.pem());
    let refused = Program::ends(&arguments, &[key, ("SSL_CERT_FILE", &unknown)], 1).await;
    assert!(refused.stderr.contains("reason=\"tls\""), "{}", refused.stderr);
    assert_eq!(api.versions.lock().len(), 1, "the key was not sent");
}

/// Each connection costs a name lookup and a TLS handshake.
#[tokio::test]
async fn one_connection_serves_all_scrapes() {
    let api = TlsApi::start().await;
    let one_call = ["--api.url", &api.url, "--organization-id=1", "--no-collector.usage"];
    let arguments = [&one_call[..], &["--cache.ttl=0s", "--web.listen-address=127.0.0.1:0"]].concat();
    let environment = [("EDGEIMPULSE_API_KEY", "ei_x"), ("SSL_CERT_FILE", &*api.certificate)];
    let mut exporter = Program::start(&arguments, &environment);
    let url = format!("http://{}/metrics", exporter.address().await);
    let client = client();
    for _ in 0..5 {
        let metrics = client.get(&url).send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("edgeimpulse_up{account=\"default\"} 1\n"), "{metrics}");
    }
    assert_eq!(*api.versions.lock(), [Version::HTTP_2; 5]);
    assert_eq!(api.connections.load(Ordering::Relaxed), 1);
}
