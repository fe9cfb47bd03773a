//! An exporter with a web configuration, and the certificates that it and its clients need.

use std::path::PathBuf;

use edgeimpulse_exporter::serve::WebConfigWatcher;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use reqwest::{Certificate, Client, ClientBuilder, Identity, StatusCode};

use super::{FakeApi, Program, eventually, file};

/// A configuration with the files of [`Folder::new`].
pub const TLS: &str = "tls_server_config: { cert_file: server.crt, key_file: server.key }\n";

/// The same, and clients have to show a certificate.
pub const CLIENTS: &str = "
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: clients.crt
";

/// OpenSSL takes a certificate for signed by itself if it has the authority's name.
fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both in PEM.
pub struct Signed {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = params("authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Returns the certificate of the authority, in PEM.
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// Signs a certificate with these names.
    pub fn sign(&self, names: impl IntoIterator<Item = SanType>) -> Signed {
        let mut params = params("signed by it");
        params.subject_alt_names = names.into_iter().collect();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Signed { certificate, key: key.serialize_pem() }
    }

    /// Signs a certificate for the server.
    pub fn sign_server(&self) -> Signed {
        self.sign([SanType::IpAddress("127.0.0.1".parse().unwrap())])
    }

    /// Returns a client that trusts this authority alone, to be completed.
    pub fn client(&self) -> ClientBuilder {
        let trusted = Certificate::from_pem(self.certificate().as_bytes()).unwrap();
        // Whichever test comes first: a provider has to be chosen.
        drop(super::client());
        Client::builder().no_proxy().https_only(true).tls_certs_only([trusted])
    }
}

impl Signed {
    /// Returns the certificate and key as the identity of a client.
    pub fn identity(&self) -> Identity {
        Identity::from_pem(format!("{}{}", self.certificate, self.key).as_bytes()).unwrap()
    }
}

/// A folder with a web configuration.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes a folder with a certificate for the server, by the authority, as `server.crt` and `server.key`.
    pub fn new(authority: &Authority) -> Self {
        let folder = Self::empty();
        let server = authority.sign_server();
        folder.write("server.crt", &server.certificate);
        folder.write("server.key", &server.key);
        folder.write("clients.crt", &authority.certificate());
        folder
    }

    /// Makes a folder.
    pub fn empty() -> Self {
        let folder = PathBuf::from(file("web", "") + ".d");
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: &str) {
        std::fs::write(self.0.join(name), content).unwrap();
    }

    /// Returns the path of a file.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Starts the exporter with that web configuration.
    pub async fn serve(&self, api: &FakeApi, configuration: &str, options: &[&str]) -> Served {
        self.write("web.yml", configuration);
        let (url, path) = (api.url(), self.path("web.yml"));
        let fixed = ["--api.url", &url, "--web.listen-address=127.0.0.1:0", "--web.config.file", &path];
        let mut program = Program::start(&[&fixed, options].concat(), &[("EDGEIMPULSE_API_KEY", "ei_x")]);
        let address = program.address().await;
        Served { program, address }
    }

    /// Loads a web configuration that is not accepted, and returns the error after the name of the file.
    ///
    /// The error may have a line and column; the column is checked to be a number and left out.
    pub fn refused(&self, configuration: &str) -> String {
        self.write("web.yml", configuration);
        let path = self.path("web.yml");
        let text = WebConfigWatcher::load((&path).into()).expect_err(configuration).to_string();
        assert_eq!(text.lines().count(), 1, "{text}");
        let text = text.strip_prefix(&path).unwrap_or_else(|| panic!("{text}"));
        let text = text.replace(&self.0.display().to_string(), "DIR");
        let (place, what) = text.split_once(": ").unwrap();
        let Some((line, column)) = place.rsplit_once(':').filter(|(line, _)| !line.is_empty()) else {
            assert_eq!(place, "", "neither line nor column: {text}");
            return text;
        };
        assert!(column.parse::<u64>().is_ok_and(|column| column > 0), "{text}");
        format!("{line}: {what}")
    }
}

/// The exporter, served.
pub struct Served {
    pub program: Program,
    pub address: String,
}

impl Served {
    /// Returns a URL.
    pub fn https(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// Returns a URL.
    pub fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the status of a page, or nothing if there is no answer.
    pub async fn status(&self, client: &Client, path: &str) -> Option<StatusCode> {
        client.get(self.https(path)).send().await.ok().map(|response| response.status())
    }

    /// Waits until a page is served to a new connection.
    pub async fn lets_in(&self, client: ClientBuilder) {
        let client = client.pool_max_idle_per_host(0).build().unwrap();
        eventually(async || self.status(&client, "/-/healthy").await.ok_or_else(|| "not served".to_owned()))
            .await;
    }
}
