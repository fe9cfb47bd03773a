//! Verification of client certificates and of their names.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName};
use rustls::{Error, OtherError, ProtocolVersion, RootCertStore, SignatureScheme};
use serde_saphyr::Spanned;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::{Pem, TlsSection, non_empty};
use crate::config::yaml::LineError;
use crate::trust::{Trusted, Usage};

/// Which certificate clients need, in the order of Go, from the least to the most strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::serve::web_config) enum ClientAuth {
    /// Client certificates are not requested.
    Off,
    /// A client certificate is requested, and not verified.
    Requested,
    /// Any client certificate is required, and not verified.
    AnyRequired,
    /// A client certificate is verified if there is one.
    Verified,
    /// A valid client certificate is required.
    VerifiedRequired,
}

/// The values of `client_auth_type`.
const KINDS: [(&str, ClientAuth); 6] = [
    ("NoClientCert", ClientAuth::Off),
    ("RequestClientCert", ClientAuth::Requested),
    ("RequireAnyClientCert", ClientAuth::AnyRequired),
    ("RequireClientCert", ClientAuth::AnyRequired),
    ("VerifyClientCertIfGiven", ClientAuth::Verified),
    ("RequireAndVerifyClientCert", ClientAuth::VerifiedRequired),
];

/// Returns the verifier of client certificates. Without `authorities`, they are those of the system, as in Go.
pub(super) fn verifier(
    section: &TlsSection,
    authorities: Option<&Pem>,
    provider: &Arc<CryptoProvider>,
) -> Result<(ClientAuth, Arc<dyn ClientCertVerifier>), LineError> {
    let client_auth = non_empty(&section.client_auth_type).map_or(Ok(ClientAuth::Off), parse)?;
    let names = section.client_allowed_sans.as_ref();
    if client_auth == ClientAuth::Off {
        if let Some(authorities) = authorities {
            let text = "has no effect without client certificates; \
                        expected client_auth_type RequireAndVerifyClientCert or VerifyClientCertIfGiven";
            return Err(authorities.error(text));
        }
        if names.is_some() {
            tracing::warn!("client_allowed_sans has no effect without client_auth_type");
        }
        return Ok((client_auth, Arc::new(NoClientAuth)));
    }
    let certificates = authorities.map_or(Ok(Vec::new()), Pem::certificates)?;
    let trusted = Trusted::new(&certificates, provider.signature_verification_algorithms);
    let inner = match client_auth >= ClientAuth::Verified {
        true => inner(authorities, certificates, provider)?,
        false => None,
    };
    let allowed = names.map(|names| names.iter().map(|name| normalized(name)).collect());
    Ok((
        client_auth,
        Arc::new(Verifier { client_auth, inner, trusted, allowed, provider: Arc::clone(provider) }),
    ))
}

/// Parses a value of `client_auth_type`, by its name in Go.
fn parse(kind: &Spanned<String>) -> Result<ClientAuth, LineError> {
    let found = KINDS.iter().find(|(known, _)| *known == kind.value);
    found.map(|(_, client_auth)| *client_auth).ok_or_else(|| {
        let expected = KINDS.map(|(known, _)| known).join(", ");
        LineError::at(kind, format!("unknown client_auth_type {:?}; expected one of {expected}", kind.value))
    })
}

/// Returns a verifier for certificates of these authorities, or of those of the system; `None` if it has none.
fn inner(
    authorities: Option<&Pem>,
    certificates: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, LineError> {
    let mut roots = RootCertStore::empty();
    let Some(authorities) = authorities else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        return Ok(builder.build().ok());
    };
    let unusable = |error: &dyn std::fmt::Display| authorities.error(&format!("cannot be used: {error}"));
    for certificate in certificates {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    builder.build().map(Some).map_err(|error| unusable(&error))
}

/// Verifies client certificates as `client_auth_type` and `client_allowed_sans` say.
#[derive(Debug)]
struct Verifier {
    client_auth: ClientAuth,
    /// `None` if no certificate is verified, or if the system trusts no authority.
    inner: Option<Arc<dyn ClientCertVerifier>>,
    trusted: Trusted,
    /// DNS names, IP addresses, e-mail addresses or URIs, compared as a whole. `None` if any name is allowed.
    allowed: Option<Vec<String>>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.as_ref().map_or(&[], |inner| inner.root_hint_subjects())
    }

    fn client_auth_mandatory(&self) -> bool {
        // exporter-toolkit also rejects a client without a certificate if names are set.
        let is_required = matches!(self.client_auth, ClientAuth::AnyRequired | ClientAuth::VerifiedRequired);
        is_required || self.allowed.is_some()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.client_auth >= ClientAuth::Verified {
            let inner = self.inner.as_ref().ok_or(CertificateError::UnknownIssuer)?;
            let verified = inner.verify_client_cert(certificate, intermediates, now).map(drop);
            verified.or_else(|error| self.trusted.verify(error, certificate, Usage::Client, now))?;
        }
        let Some(allowed) = &self.allowed else { return Ok(ClientCertVerified::assertion()) };
        let names = alternative_names(certificate).unwrap_or_default();
        if names.iter().any(|name| allowed.contains(name)) {
            return Ok(ClientCertVerified::assertion());
        }
        let error = io::Error::other("none of the certificate's alternative names is in client_allowed_sans");
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trusted.verify_signature(ProtocolVersion::TLSv1_2, message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trusted.verify_signature(ProtocolVersion::TLSv1_3, message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Returns a name in the form that certificates have: an IPv6 address can be written in several ways.
fn normalized(name: &str) -> String {
    name.parse::<IpAddr>().map_or_else(|_| name.to_owned(), |address| address.to_canonical().to_string())
}

/// Returns the alternative names of a certificate, or `None` if it has no such extension or cannot be parsed.
fn alternative_names(certificate: &[u8]) -> Option<Vec<String>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let (_, SubjectAltName(names)) = certificate.tbs_certificate().get_extension().ok()??;
    Some(names.iter().filter_map(text).collect())
}

fn text(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name)
        | GeneralName::Rfc822Name(name)
        | GeneralName::UniformResourceIdentifier(name) => Some(name.to_string()),
        GeneralName::IpAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(octets.as_bytes()).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(octets.as_bytes()).map(IpAddr::from)).ok()?;
            Some(address.to_canonical().to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::SanType;

    use super::*;

    #[test]
    fn names_of_all_four_kinds_are_returned() {
        let mut params = rcgen::CertificateParams::new(vec!["prometheus.example".to_owned()]).unwrap();
        params.subject_alt_names.extend([
            SanType::IpAddress("10.0.0.7".parse().unwrap()),
            SanType::IpAddress("2001:db8::7".parse().unwrap()),
            SanType::Rfc822Name("ops@example.com".try_into().unwrap()),
            SanType::URI("spiffe://example/prometheus".try_into().unwrap()),
            // A user principal name of Active Directory, which is skipped.
            SanType::OtherName((
                vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3],
                rcgen::OtherNameValue::Utf8String("ops".into()),
            )),
            // Long enough for a length of two bytes.
            SanType::URI(format!("spiffe://example/{}", "x".repeat(300)).try_into().unwrap()),
        ]);
        let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let mut names = alternative_names(certificate.der()).unwrap();
        assert_eq!(names.pop().unwrap().len(), 317);
        assert_eq!(
            names,
            ["prometheus.example", "10.0.0.7", "2001:db8::7", "ops@example.com", "spiffe://example/prometheus"]
        );
    }

    #[test]
    fn a_certificate_without_names_or_truncated_has_none() {
        let params = rcgen::CertificateParams::default();
        let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        assert_eq!(alternative_names(certificate.der()), None);
        for length in 0..certificate.der().len() {
            assert_eq!(alternative_names(&certificate.der()[..length]), None, "{length}");
        }
    }
}
