//! The fake API: fixed responses over plain HTTP and over TLS with gzip, from nginx or from a server in this process.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use rcgen::CertifiedKey;

use crate::nginx::Nginx;
use crate::own;

/// Response bodies by the first segment of the path and the kind of response.
pub(crate) type Files = Arc<BTreeMap<(&'static str, &'static str), Vec<u8>>>;

/// How responses are sent.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Link {
    /// HTTP/2 over TLS with gzip, as the API sends them.
    Tls,
    /// HTTP/1.1 without TLS and without compression.
    Plain,
}

impl Link {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tls => "TLS and gzip",
            Self::Plain => "plain loopback",
        }
    }
}

/// The API as an exporter is configured for it.
pub(crate) struct Api {
    pub(crate) url: String,
    /// File with the certificate to trust.
    pub(crate) certificate: Option<PathBuf>,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// File with the certificate, which is self-signed.
    pub(crate) certificate: PathBuf,
    plain: SocketAddr,
    tls: SocketAddr,
    _nginx: Option<Nginx>,
}

impl Server {
    /// Starts nginx, or a server in this process if nginx is not installed; writes all files to `folder`.
    pub(crate) fn start(files: &Files, folder: &Path) -> Self {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let key = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate = folder.join("certificate.pem");
        std::fs::write(&certificate, key.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), key.signing_key.serialize_pem()).unwrap();
        match Nginx::start(files, folder) {
            Some(nginx) => {
                let (plain, tls) = (nginx.plain, nginx.tls);
                Self { name: "nginx", certificate, plain, tls, _nginx: Some(nginx) }
            }
            None => Self::own(files, &key, certificate),
        }
    }

    fn own(files: &Files, key: &CertifiedKey<rcgen::KeyPair>, certificate: PathBuf) -> Self {
        let plain = own::start(own::Service::Files(Arc::clone(files)), None);
        let zipped = files.iter().map(|(name, body)| (*name, gzip(body))).collect();
        let tls = own::start(own::Service::Zipped(Arc::new(zipped)), Some(key));
        Self { name: "the benchmark's server", certificate, plain, tls, _nginx: None }
    }

    /// Returns the API that serves the responses called `name`.
    pub(crate) fn api(&self, link: Link, name: &str) -> Api {
        match link {
            Link::Tls => Api {
                url: format!("https://{}/{name}/v1", self.tls),
                certificate: Some(self.certificate.clone()),
            },
            Link::Plain => Api { url: format!("http://{}/{name}/v1", self.plain), certificate: None },
        }
    }
}

pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}
