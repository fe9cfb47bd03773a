//! Restricts client certificates to some of their alternative names.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// Verifies client certificates with another verifier, and then requires one of the allowed names.
#[derive(Debug)]
pub(super) struct AllowedNames {
    inner: Arc<dyn ClientCertVerifier>,
    allowed: Vec<String>,
}

/// The certificate is valid but has no allowed name.
#[derive(Debug, thiserror::Error)]
#[error("none of the certificate's alternative names is in client_allowed_sans")]
struct NotAllowed;

impl AllowedNames {
    /// Accepts certificates that `inner` accepts and that have one of these names: DNS names, IP addresses, e-mail
    /// addresses or URIs. Names are compared as a whole.
    pub(super) fn new(inner: Arc<dyn ClientCertVerifier>, allowed: &[String]) -> Self {
        // An IPv6 address can be written in several ways.
        let normalize = |name: &String| match name.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().to_string(),
            Err(_) => name.clone(),
        };
        Self { inner, allowed: allowed.iter().map(normalize).collect() }
    }
}

impl ClientCertVerifier for AllowedNames {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.inner.verify_client_cert(certificate, intermediates, now)?;
        let names = alternative_names(certificate).unwrap_or_default();
        if names.iter().any(|name| self.allowed.contains(name)) {
            return Ok(verified);
        }
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(NotAllowed)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Returns the alternative names of a certificate, or `None` if it has no such extension or cannot be parsed.
fn alternative_names(certificate: &[u8]) -> Option<Vec<String>> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    Some(names.value.general_names.iter().filter_map(text).collect())
}

fn text(name: &GeneralName<'_>) -> Option<String> {
    match *name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            Some(name.to_owned())
        }
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()?;
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
