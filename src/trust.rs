//! Certificates that OpenSSL and Go accept and webpki refuses: version 1 of X.509, and authorities that identify a peer.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, DigitallySignedStruct, Error, InconsistentKeys, OtherError, ProtocolVersion};
use webpki::RawPublicKeyEntity;
use x509_cert::certificate::Version;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::der::oid::db::rfc5280::{ANY_EXTENDED_KEY_USAGE, ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::{Certificate, TbsCertificate};

/// What the peer uses its certificate for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Usage {
    /// To identify a client.
    Client,
    /// To identify a server.
    Server,
}

/// Extensions that may be critical, because they are checked here or by the caller.
const KNOWN: [ObjectIdentifier; 4] =
    [BasicConstraints::OID, KeyUsage::OID, ExtendedKeyUsage::OID, SubjectAltName::OID];

/// Certificates of a file of trusted authorities.
#[derive(Debug)]
pub(crate) struct Trusted {
    certificates: Vec<Certificate>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trusted {
    /// Trusts these certificates.
    pub(crate) fn new(certificates: &[CertificateDer<'_>], algorithms: WebPkiSupportedAlgorithms) -> Self {
        let certificates = certificates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
        Self { certificates, algorithms }
    }

    /// Verifies a certificate that webpki refused with `error`: accepts it if its form was the reason, and it is trusted
    /// itself or signed by a trusted one without an intermediate one. The caller verifies its name.
    ///
    /// # Errors
    /// Why it is not accepted.
    pub(crate) fn verify(
        &self,
        error: Error,
        certificate: &CertificateDer<'_>,
        usage: Usage,
        now: UnixTime,
    ) -> Result<(), Error> {
        if !is_of_form(&error) {
            return Err(error);
        }
        let Ok(certificate) = Certificate::from_der(certificate) else { return Err(error) };
        let refused = |error| Err(Error::InvalidCertificate(error));
        let Some(issuer) = self.issuer(&certificate) else {
            return refused(CertificateError::UnknownIssuer);
        };
        for certificate in [&certificate, issuer] {
            let validity = certificate.tbs_certificate().validity();
            if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
                return refused(CertificateError::NotValidYet);
            }
            if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
                return refused(CertificateError::Expired);
            }
        }
        if !is_for(certificate.tbs_certificate(), usage) {
            return refused(CertificateError::InvalidPurpose);
        }
        if !has_known_extensions(certificate.tbs_certificate()) {
            return refused(CertificateError::UnhandledCriticalExtension);
        }
        Ok(())
    }

    /// Returns the trusted certificate that is this one, or that has signed it.
    fn issuer(&self, certificate: &Certificate) -> Option<&Certificate> {
        self.certificates.iter().find(|trusted| {
            let tbs = certificate.tbs_certificate();
            *trusted == certificate
                || trusted.tbs_certificate().subject() == tbs.issuer()
                    && may_sign(trusted.tbs_certificate())
                    && self.has_signed(trusted, certificate).unwrap_or_default()
        })
    }

    fn has_signed(&self, issuer: &Certificate, certificate: &Certificate) -> Option<bool> {
        let key = public_key(issuer)?;
        let key = RawPublicKeyEntity::try_from(&key).ok()?;
        // The content of an algorithm identifier, without its tag and length, which are of two bytes for all of them.
        let algorithm = certificate.signature_algorithm().to_der().ok()?;
        let message = certificate.tbs_certificate().to_der().ok()?;
        let signature = certificate.signature().as_bytes()?;
        Some(self.algorithms.all.iter().any(|known| {
            algorithm.get(2..) == Some(&*known.signature_alg_id())
                && key.verify_signature(*known, &message, signature).is_ok()
        }))
    }

    /// Verifies the signature of a handshake, also by a certificate that webpki cannot parse.
    ///
    /// # Errors
    /// If the signature is invalid.
    pub(crate) fn verify_signature(
        &self,
        version: ProtocolVersion,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = match version {
            ProtocolVersion::TLSv1_2 => {
                verify_tls12_signature(message, certificate, signature, &self.algorithms)
            }
            _ => verify_tls13_signature(message, certificate, signature, &self.algorithms),
        };
        let Err(error) = verified else { return verified };
        if !is_of_form(&error) {
            return Err(error);
        }
        let Some(key) = Certificate::from_der(certificate).ok().as_ref().and_then(public_key) else {
            return Err(error);
        };
        let Ok(key) = RawPublicKeyEntity::try_from(&key) else { return Err(error) };
        let mapping = self.algorithms.mapping.iter();
        let mut algorithms =
            mapping.filter(|(scheme, _)| *scheme == signature.scheme).flat_map(|(_, all)| *all);
        let is_valid =
            algorithms.any(|known| key.verify_signature(*known, message, signature.signature()).is_ok());
        let invalid = Error::InvalidCertificate(CertificateError::BadSignature);
        if is_valid { Ok(HandshakeSignatureValid::assertion()) } else { Err(invalid) }
    }
}

/// The time for TLS: before 1970, where rustls panics by default, it is 1970.
#[derive(Debug)]
pub(crate) struct TimeSince1970;

impl TimeProvider for TimeSince1970 {
    fn current_time(&self) -> Option<UnixTime> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(UnixTime::since_unix_epoch(now))
    }
}

/// Returns a certificate, with its chain, and its key.
///
/// # Errors
/// If they do not belong together.
pub(crate) fn certified_key(
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
) -> Result<CertifiedKey, Error> {
    let certified = CertifiedKey::new(chain, key);
    let expected = certified.key.public_key();
    let first = || Certificate::from_der(certified.cert.first()?).ok();
    match certified.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(error) if is_of_form(&error) && first().as_ref().and_then(public_key) == expected => Ok(certified),
        Err(error) if is_of_form(&error) => Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)),
        Err(error) => Err(error),
    }
}

/// Returns whether webpki refused a certificate because it can be used as an authority or is of version 1.
fn is_of_form(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(OtherError(error))) = error else { return false };
    matches!(
        error.downcast_ref(),
        Some(webpki::Error::CaUsedAsEndEntity | webpki::Error::UnsupportedCertVersion)
    )
}

fn public_key(certificate: &Certificate) -> Option<SubjectPublicKeyInfoDer<'static>> {
    certificate.tbs_certificate().subject_public_key_info().to_der().ok().map(Into::into)
}

/// Returns whether a trusted certificate may sign others. One of version 1 cannot say so.
fn may_sign(certificate: &TbsCertificate) -> bool {
    let constraints = certificate.get_extension::<BasicConstraints>().ok().flatten();
    let key_usage = certificate.get_extension::<KeyUsage>();
    let may_sign =
        certificate.version() == Version::V1 || constraints.is_some_and(|(_, constraints)| constraints.ca);
    may_sign
        && key_usage.is_ok_and(|usage| usage.is_none_or(|(_, usage)| usage.key_cert_sign()))
        && has_known_extensions(certificate)
}

fn is_for(certificate: &TbsCertificate, usage: Usage) -> bool {
    let id = match usage {
        Usage::Client => ID_KP_CLIENT_AUTH,
        Usage::Server => ID_KP_SERVER_AUTH,
    };
    let allowed = certificate.get_extension::<ExtendedKeyUsage>();
    allowed.is_ok_and(|allowed| {
        allowed.is_none_or(|(_, ids)| ids.0.contains(&id) || ids.0.contains(&ANY_EXTENDED_KEY_USAGE))
    })
}

/// Returns whether there is no critical extension that nobody checks, such as name constraints.
fn has_known_extensions(certificate: &TbsCertificate) -> bool {
    certificate.extensions().is_none_or(|extensions| {
        extensions.iter().all(|extension| !extension.critical || KNOWN.contains(&extension.extn_id))
    })
}
