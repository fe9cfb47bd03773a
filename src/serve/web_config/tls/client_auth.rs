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
use rustls::{Error, OtherError, RootCertStore, SignatureScheme};
use serde_saphyr::Spanned;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::{Pem, TlsSection, non_empty};
use crate::config::yaml::LineError;
use crate::trust::{Trusted, Usage};

/// Whether clients need a certificate, from the least to the most strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::serve::web_config) enum ClientAuth {
    /// Client certificates are not requested.
    Off,
    /// A client certificate is verified if there is one.
    Optional,
    /// A valid client certificate is required.
    Required,
    /// A valid client certificate with an allowed name is required.
    RequiredName,
}

/// Returns the verifier of client certificates.
pub(super) fn verifier(
    section: &TlsSection,
    authorities: Option<&Pem>,
    provider: &Arc<CryptoProvider>,
) -> Result<(ClientAuth, Arc<dyn ClientCertVerifier>), LineError> {
    let kind = non_empty(&section.client_auth_type);
    let client_auth = kind.map_or(Ok(ClientAuth::Off), parse)?;
    let names = section.client_allowed_sans.as_ref();
    if let Some(names) = names {
        let error = |text| Err(LineError::at(names, text));
        if client_auth != ClientAuth::Required {
            return error("client_allowed_sans requires client_auth_type RequireAndVerifyClientCert");
        }
        if names.value.is_empty() {
            return error("client_allowed_sans is empty; expected at least one name");
        }
    }
    let authorities = match (kind.filter(|_| client_auth > ClientAuth::Off), authorities) {
        (None, None) => return Ok((ClientAuth::Off, Arc::new(NoClientAuth))),
        (None, Some(authorities)) => {
            let text = "has no effect without client certificates; \
                        expected client_auth_type RequireAndVerifyClientCert or VerifyClientCertIfGiven";
            return Err(authorities.error(text));
        }
        (Some(kind), None) => {
            let text = format!("client_auth_type {} requires client_ca_file or client_ca", kind.value);
            return Err(LineError::at(kind, text));
        }
        (Some(_), Some(authorities)) => authorities,
    };
    let unusable = |error: &dyn std::fmt::Display| authorities.error(&format!("cannot be used: {error}"));
    let mut roots = RootCertStore::empty();
    let certificates = authorities.certificates()?;
    let trusted = Trusted::new(&certificates, provider.signature_verification_algorithms);
    for certificate in certificates {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if client_auth == ClientAuth::Optional { builder.allow_unauthenticated() } else { builder };
    let inner = builder.build().map_err(|error| unusable(&error))?;
    let client_auth = if names.is_some() { ClientAuth::RequiredName } else { client_auth };
    let allowed = names.map(|names| names.value.iter().map(|name| normalized(name)).collect());
    Ok((client_auth, Arc::new(Verifier { inner, trusted, allowed })))
}

/// Parses a value of `client_auth_type`, by its name in Go.
fn parse(kind: &Spanned<String>) -> Result<ClientAuth, LineError> {
    let error = match kind.value.as_str() {
        "NoClientCert" => return Ok(ClientAuth::Off),
        "VerifyClientCertIfGiven" => return Ok(ClientAuth::Optional),
        "RequireAndVerifyClientCert" => return Ok(ClientAuth::Required),
        unverified @ ("RequestClientCert" | "RequireAnyClientCert" | "RequireClientCert") => format!(
            "client_auth_type {unverified} is not supported, because it accepts unverified certificates; \
             expected RequireAndVerifyClientCert or VerifyClientCertIfGiven, with client_ca_file"
        ),
        unknown => format!(
            "unknown client_auth_type {unknown:?}; \
             expected NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert"
        ),
    };
    Err(LineError::at(kind, error))
}

/// Accepts certificates that webpki accepts or that are trusted, and that have one of the allowed names: DNS names, IP
/// addresses, e-mail addresses or URIs. Names are compared as a whole.
#[derive(Debug)]
struct Verifier {
    inner: Arc<dyn ClientCertVerifier>,
    trusted: Trusted,
    /// `None` if any name is allowed.
    allowed: Option<Vec<String>>,
}

/// Returns a name in the form that certificates have: an IPv6 address can be written in several ways.
fn normalized(name: &str) -> String {
    name.parse::<IpAddr>().map_or_else(|_| name.to_owned(), |address| address.to_canonical().to_string())
}

impl ClientCertVerifier for Verifier {
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
        self.inner
            .verify_client_cert(certificate, intermediates, now)
            .map(|_| ())
            .or_else(|error| self.trusted.verify(error, certificate, Usage::Client, now))?;
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
        let verified = self.inner.verify_tls12_signature(message, certificate, signature);
        verified.or_else(|error| self.trusted.verify_signature(error, message, certificate, signature))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.inner.verify_tls13_signature(message, certificate, signature);
        verified.or_else(|error| self.trusted.verify_signature(error, message, certificate, signature))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
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
