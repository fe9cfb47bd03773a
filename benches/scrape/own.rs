//! A server in this process: for machines without nginx, and for calls that never end.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rcgen::{CertifiedKey, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::server::Files;

/// What requests get.
#[derive(Clone)]
pub(crate) enum Service {
    Files(Files),
    /// Files compressed with gzip.
    Zipped(Files),
    /// This list of organizations; every other request gets no response.
    Hanging(Arc<str>),
}

/// Starts a server, with TLS and HTTP/2 if there is a key; it runs until the process ends.
pub(crate) fn start(service: Service, key: Option<&CertifiedKey<KeyPair>>) -> SocketAddr {
    let tls = key.map(|key| {
        let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
        let builder = ServerConfig::builder().with_no_client_auth();
        let mut config = builder.with_single_cert(vec![key.cert.der().clone()], private).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    });
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (service, tls) = (service.clone(), tls.clone());
                tokio::spawn(async move {
                    stream.set_nodelay(true).unwrap();
                    match tls {
                        Some(tls) => {
                            // A client may close a connection at any time.
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, service).await;
                            }
                        }
                        None => serve(stream, service).await,
                    }
                });
            }
        });
    });
    address
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: Service) {
    let respond = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(respond(request.uri().path(), &service).await) }
    });
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), respond).await;
}

async fn respond(path: &str, service: &Service) -> Response<Body> {
    let path: Vec<_> = path.split('/').collect();
    let file = match path.get(4..) {
        Some(["organizations"]) => "list",
        Some(["organizations", _]) => "organization",
        Some([_, _, call @ ("jobs" | "buckets" | "pipelines")]) => call,
        _ => "usage",
    };
    let (files, is_zipped) = match service {
        Service::Files(files) => (files, false),
        Service::Zipped(files) => (files, true),
        Service::Hanging(list) if file == "list" => return Response::new(Body::from(list.to_string())),
        Service::Hanging(_) => std::future::pending().await,
    };
    let body = files.get(&(path[1], file)).or_else(|| files.get(&("any", file)));
    let mut response = Response::new(Body::from(body.cloned().unwrap_or_default()));
    if is_zipped {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
