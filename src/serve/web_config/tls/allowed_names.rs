//! The names in a client's certificate, and a verifier that lets only some of them in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme};

/// Verifies as another verifier does, and then asks for one of the allowed names.
#[derive(Debug)]
pub(super) struct AllowedNames {
    inner: Arc<dyn ClientCertVerifier>,
    allowed: Vec<String>,
}

/// The client's certificate is sound, and has no name that is allowed.
#[derive(Debug, thiserror::Error)]
#[error("none of the certificate's alternative names is in client_allowed_sans")]
struct NotAllowed;

impl AllowedNames {
    /// Lets in whom `inner` lets in, with one of these names: DNS names, IP addresses, e-mail addresses or URIs.
    pub(super) fn new(inner: Arc<dyn ClientCertVerifier>, allowed: &[String]) -> Self {
        // An IP address can be written in several ways.
        let normal = |name: &String| match name.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().to_string(),
            Err(_) => name.clone(),
        };
        Self { inner, allowed: allowed.iter().map(normal).collect() }
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

// Tags of DER, as RFC 5280 uses them.
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const EXTENSIONS: u8 = 0xa3;
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;

/// 2.5.29.17, subjectAltName
const SUBJECT_ALTERNATIVE_NAME: [u8; 3] = [0x55, 0x1d, 0x11];

/// Returns the alternative names of a certificate that has been verified, so that its form is known to be right;
/// nothing if it has none.
fn alternative_names(certificate: &[u8]) -> Option<Vec<String>> {
    let certificate = first(certificate, SEQUENCE)?;
    let signed = first(certificate, SEQUENCE)?;
    let extensions = first(first(signed, EXTENSIONS)?, SEQUENCE)?;
    let names = Elements(extensions).filter(|(tag, _)| *tag == SEQUENCE).find_map(|(_, extension)| {
        let is_it = first(extension, OBJECT_IDENTIFIER)? == SUBJECT_ALTERNATIVE_NAME;
        if is_it { first(first(extension, OCTET_STRING)?, SEQUENCE) } else { None }
    })?;
    Some(Elements(names).filter_map(|(tag, value)| name(tag, value)).collect())
}

fn name(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        EMAIL | DNS | URI => String::from_utf8(value.to_vec()).ok(),
        IP => {
            let v4 = <[u8; 4]>::try_from(value).ok().map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
            let v6 = <[u8; 16]>::try_from(value).ok().map(|octets| IpAddr::V6(Ipv6Addr::from(octets)));
            v4.or(v6).map(|address| address.to_canonical().to_string())
        }
        _ => None,
    }
}

/// Returns the value of the first element with that tag.
fn first(der: &[u8], tag: u8) -> Option<&[u8]> {
    Elements(der).find(|(found, _)| *found == tag).map(|(_, value)| value)
}

/// The elements of DER that stand side by side, as tags and values; it ends where it is broken.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, length], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match length {
            ..=0x7f => (usize::from(length), rest),
            // As many bytes of length follow as the low bits say; four are 4 GiB.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::SanType;

    use super::*;

    #[test]
    fn names_of_all_four_kinds_are_found() {
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
    fn a_certificate_without_names_or_cut_short_has_none() {
        let params = rcgen::CertificateParams::default();
        let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        assert_eq!(alternative_names(certificate.der()), None);
        for length in 0..certificate.der().len() {
            assert_eq!(alternative_names(&certificate.der()[..length]), None, "{length}");
        }
    }
}
