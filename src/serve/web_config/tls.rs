//! `tls_server_config`, as rustls understands it; what rustls lacks is refused by name.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{
    NamedGroup, ProtocolVersion, RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion,
};
use secrecy::ExposeSecret as _;
use serde_saphyr::Spanned;

use super::client_names::AllowedNames;
use super::file::{Problem, Text, TlsSection};
use super::watched_files::Sources;

/// What a connection has to go through.
#[derive(Debug)]
pub(super) struct Tls {
    /// The certificate, the versions, and whom they are for.
    pub(super) config: Arc<ServerConfig>,
    /// Whether clients have to show a certificate.
    pub(super) clients: Clients,
}

/// Whether clients have to show a certificate; in the order of strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Clients {
    /// None is asked for.
    Unasked,
    /// If they show one, it has to be sound.
    Checked,
    /// They have to show a sound one.
    Required,
    /// They have to show a sound one with an allowed name.
    Named,
}

/// Sets TLS up, or nothing if the section is empty. Paths are relative to `folder`.
pub(super) fn build(
    section: &TlsSection,
    http2: bool,
    folder: &Path,
    sources: &mut Sources,
) -> Result<Option<Tls>, Problem> {
    if section.is_empty() {
        return Ok(None);
    }
    let mut pem = |inline: Option<(&str, &Spanned<String>)>, file: &Text, name: &str| {
        read_pem(inline, file, name, folder, sources)
    };
    let key_place = section.key.as_ref().map(|key| Spanned::new(String::new(), key.referenced, key.defined));
    let key_text = section.key.as_ref().map(|key| key.value.0.expose_secret());
    let certificate = pem(inline(&section.cert), &section.cert_file, "cert")?;
    let key = pem(key_text.zip(key_place.as_ref()), &section.key_file, "key")?;
    let authorities = pem(inline(&section.client_ca), &section.client_ca_file, "client_ca")?;

    let missing = |name: &str| {
        Problem::of_file(format!(
            "tls_server_config: there is no {name}; expected {name}_file, or {name} with PEM"
        ))
    };
    let certificate = certificate.ok_or_else(|| missing("cert"))?;
    let key = key.ok_or_else(|| missing("key"))?;
    let chain = certificates(&certificate)?;
    let private = PrivateKeyDer::from_pem_slice(&key.content).map_err(|_| {
        let is_encrypted = key.content.windows(9).any(|window| window == b"ENCRYPTED");
        let hint = if is_encrypted { "; it is encrypted: expected one without a passphrase" } else { "" };
        key.problem(&format!("holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1){hint}"))
    })?;
    let provider = Arc::new(provider(section)?);
    let (clients, verifier) = verifier(section, authorities.as_ref(), &provider)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(section)?)
        .map_err(|_| {
            Problem::of_file("tls_server_config: cipher_suites leave nothing for the versions allowed")
        })?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, private)
        .map_err(|error| certificate.problem(&format!("and the key do not work together: {error}")))?;
    config.ignore_client_order = section.prefer_server_cipher_suites.unwrap_or(true);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if http2 {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    if clients > Clients::Unasked {
        // A session that is resumed is not verified again, however long ago the certificate has ended.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Some(Tls { config: Arc::new(config), clients }))
}

impl TlsSection {
    fn is_empty(&self) -> bool {
        let Self {
            cert,
            key,
            cert_file,
            key_file,
            client_auth_type,
            client_ca,
            client_ca_file,
            client_allowed_sans,
            min_version,
            max_version,
            cipher_suites,
            prefer_server_cipher_suites,
            curve_preferences,
        } = self;
        let texts =
            [cert, cert_file, key_file, client_auth_type, client_ca, client_ca_file, min_version, max_version];
        texts.into_iter().all(|text| given(text).is_none())
            && key.is_none()
            && client_allowed_sans.is_none()
            && cipher_suites.is_none()
            && prefer_server_cipher_suites.is_none()
            && curve_preferences.is_none()
    }
}

/// An empty text is as good as none.
fn given(text: &Text) -> Option<&Spanned<String>> {
    text.as_ref().filter(|text| !text.value.is_empty())
}

fn inline(text: &Text) -> Option<(&str, &Spanned<String>)> {
    given(text).map(|text| (text.value.as_str(), text))
}

/// PEM with the place that it was named at.
struct Pem {
    content: Vec<u8>,
    origin: String,
    place: Spanned<String>,
}

impl Pem {
    fn problem(&self, what: &str) -> Problem {
        Problem::at(&self.place, format!("{} {what}", self.origin))
    }
}

/// Reads PEM from the text of field `name`, or from the file that `name_file` names.
fn read_pem(
    inline: Option<(&str, &Spanned<String>)>,
    file: &Text,
    name: &str,
    folder: &Path,
    sources: &mut Sources,
) -> Result<Option<Pem>, Problem> {
    match (inline.filter(|(text, _)| !text.is_empty()), given(file)) {
        (None, None) => Ok(None),
        (Some(_), Some(file)) => {
            Err(Problem::at(file, format!("both {name} and {name}_file are there; expected one of them")))
        }
        (Some((text, place)), None) => {
            Ok(Some(Pem { content: text.as_bytes().to_vec(), origin: name.to_owned(), place: place.clone() }))
        }
        (None, Some(file)) => {
            let path = folder.join(&file.value);
            let origin = format!("{name}_file {}", path.display());
            let content = sources
                .read(&path)
                .map_err(|error| Problem::at(file, format!("{origin} cannot be read: {error}")))?;
            Ok(Some(Pem { content, origin, place: file.clone() }))
        }
    }
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.content).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(pem.problem("holds no certificate in PEM, or a broken one")),
    }
}

/// Returns who verifies the certificates of clients.
fn verifier(
    section: &TlsSection,
    authorities: Option<&Pem>,
    provider: &Arc<CryptoProvider>,
) -> Result<(Clients, Arc<dyn ClientCertVerifier>), Problem> {
    let kind = given(&section.client_auth_type);
    let clients = match kind.map(|kind| kind.value.as_str()) {
        None | Some("NoClientCert") => Clients::Unasked,
        Some("VerifyClientCertIfGiven") => Clients::Checked,
        Some("RequireAndVerifyClientCert") => Clients::Required,
        Some(name @ ("RequestClientCert" | "RequireAnyClientCert" | "RequireClientCert")) => {
            let text = "takes certificates that nobody verified, which rustls does not do";
            let expected =
                "expected RequireAndVerifyClientCert or VerifyClientCertIfGiven, with client_ca_file";
            return Err(at(kind, format!("client_auth_type {name} {text}; {expected}")));
        }
        Some(_) => {
            let expected = "expected NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert";
            return Err(at(kind, format!("this client_auth_type is unknown; {expected}")));
        }
    };
    let names = section.client_allowed_sans.as_ref();
    if let Some(names) = names {
        if clients != Clients::Required {
            let text = "client_allowed_sans are checked with client_auth_type RequireAndVerifyClientCert only";
            return Err(Problem::at(names, text));
        }
        if names.value.is_empty() {
            let text = "client_allowed_sans is empty, so that nobody could come in; expected a list of names";
            return Err(Problem::at(names, text));
        }
    }
    let authorities = match (authorities, clients) {
        (None, Clients::Unasked) => return Ok((Clients::Unasked, Arc::new(NoClientAuth))),
        (Some(authorities), Clients::Unasked) => {
            let text = "has no use without client_auth_type; expected RequireAndVerifyClientCert";
            return Err(authorities.problem(text));
        }
        (None, _) => {
            let text = "client_auth_type needs client_ca_file or client_ca, by which to verify certificates";
            return Err(at(kind, text.to_owned()));
        }
        (Some(authorities), _) => authorities,
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities)? {
        roots.add(certificate).map_err(|error| authorities.problem(&format!("cannot be used: {error}")))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if clients == Clients::Checked { builder.allow_unauthenticated() } else { builder };
    let verifier = builder.build().map_err(|error| authorities.problem(&format!("cannot be used: {error}")))?;
    Ok(match names {
        Some(names) => (Clients::Named, Arc::new(AllowedNames::new(verifier, &names.value))),
        None => (clients, verifier),
    })
}

fn at(place: Option<&Spanned<String>>, what: String) -> Problem {
    match place {
        Some(place) => Problem::at(place, what),
        None => Problem::of_file(what),
    }
}

/// Returns the versions that are allowed; those from TLS 1.2 unless the section says otherwise.
fn versions(section: &TlsSection) -> Result<Vec<&'static SupportedProtocolVersion>, Problem> {
    let version = |field: &Text, name: &str, default: ProtocolVersion| {
        let Some(text) = given(field) else { return Ok(default) };
        match text.value.as_str() {
            "TLS12" => Ok(ProtocolVersion::TLSv1_2),
            "TLS13" => Ok(ProtocolVersion::TLSv1_3),
            old @ ("TLS10" | "TLS11") => Err(Problem::at(
                text,
                format!("{name} {old} is a version that rustls does not speak; expected TLS12 or TLS13"),
            )),
            _ => Err(Problem::at(text, format!("this {name} is unknown; expected TLS12 or TLS13"))),
        }
    };
    let least = version(&section.min_version, "min_version", ProtocolVersion::TLSv1_2)?;
    let most = version(&section.max_version, "max_version", ProtocolVersion::TLSv1_3)?;
    let allowed = (u16::from(least)..=u16::from(most)).map(ProtocolVersion::from);
    let allowed: Vec<_> = allowed
        .filter_map(|version| rustls::ALL_VERSIONS.iter().find(|known| known.version == version))
        .copied()
        .collect();
    if allowed.is_empty() {
        return Err(at(given(&section.max_version), "max_version is less than min_version".to_owned()));
    }
    Ok(allowed)
}

/// Returns ring with the cipher suites and curves that are allowed.
fn provider(section: &TlsSection) -> Result<CryptoProvider, Problem> {
    let mut provider = ring::default_provider();
    if let Some(names) = section.cipher_suites.as_deref().filter(|names| !names.is_empty()) {
        let chosen = names.iter().map(|name| cipher_suite(&provider, name)).collect::<Result<Vec<_>, _>>()?;
        // The list is about TLS 1.2, as in Go: the suites of TLS 1.3 are all sound and always on.
        let of_tls13 = provider.cipher_suites.iter().filter(|suite| suite.tls13().is_some());
        let of_tls12 = chosen.into_iter().filter(|suite| suite.tls13().is_none());
        provider.cipher_suites = of_tls13.copied().chain(of_tls12).collect();
    }
    if let Some(names) = section.curve_preferences.as_deref().filter(|names| !names.is_empty()) {
        provider.kx_groups = names.iter().map(|name| curve(&provider, name)).collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

/// Finds a cipher suite by the name that Go and IANA give it.
fn cipher_suite(provider: &CryptoProvider, name: &Spanned<String>) -> Result<SupportedCipherSuite, Problem> {
    let known = |suite: &SupportedCipherSuite| {
        // rustls marks the suites of TLS 1.3 as such in their names.
        suite.suite().as_str().map(|name| name.replacen("TLS13_", "TLS_", 1))
    };
    let find =
        |wanted: &str| provider.cipher_suites.iter().find(|suite| known(suite).as_deref() == Some(wanted));
    find(&name.value).copied().ok_or_else(|| {
        let expected: Vec<_> = provider.cipher_suites.iter().filter_map(known).collect();
        let text =
            format!("rustls has no cipher suite {:?}; expected some of {}", name.value, expected.join(", "));
        Problem::at(name, text)
    })
}

/// Finds an elliptic curve by the name that Go gives it.
fn curve(provider: &CryptoProvider, name: &Spanned<String>) -> Result<&'static dyn SupportedKxGroup, Problem> {
    let group = match name.value.as_str() {
        "X25519" => Some(NamedGroup::X25519),
        "CurveP256" => Some(NamedGroup::secp256r1),
        "CurveP384" => Some(NamedGroup::secp384r1),
        _ => None,
    };
    let found = provider.kx_groups.iter().find(|known| Some(known.name()) == group);
    found.copied().ok_or_else(|| {
        let expected = "expected some of X25519, CurveP256, CurveP384";
        Problem::at(name, format!("rustls with ring has no curve {:?}; {expected}", name.value))
    })
}
