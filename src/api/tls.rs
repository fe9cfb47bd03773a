//! TLS of connections to the API: which certificates are trusted.

use std::path::Path;
use std::sync::Arc;

use rustls::client::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, ProtocolVersion, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier as SystemVerifier;

use crate::config::{OptionError, file_reader, shown_path};
use crate::trust::{self, Trusted, Usage};

/// Returns the TLS settings of connections. Without `uses_tls` no certificates are loaded, which an image may lack.
pub(super) fn client_config(ca_file: Option<&Path>, uses_tls: bool) -> Result<ClientConfig, OptionError> {
    let provider = Arc::new(ring::default_provider());
    let file = ca_file.map(|path| {
        let about = |what| OptionError::about("api.ca-file", format!("{}: {what}", shown_path(path)));
        read(path).map_err(about)
    });
    let certificates = file.transpose()?.unwrap_or_default();
    let builder = ClientConfig::builder_with_details(Arc::clone(&provider), Arc::new(trust::TimeSince1970))
        .with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    if !uses_tls {
        return Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    }
    let trusted = Trusted::new(&certificates, provider.signature_verification_algorithms);
    let no_tls = |error| format!("cannot set up TLS: {error}; are the system's CA certificates installed?");
    let system = SystemVerifier::new_with_extra_roots(certificates, provider).map_err(no_tls)?;
    let verifier = Arc::new(Verifier { system, trusted });
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = file_reader::read(path).map_err(|error| error.to_string())?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| format!("invalid PEM: {error}"))?;
    if certificates.is_empty() {
        return Err("expected certificates in PEM, found none".to_owned());
    }
    for (index, certificate) in certificates.iter().enumerate() {
        let usable = RootCertStore::empty().add(certificate.clone());
        usable.map_err(|error| format!("certificate {} cannot be used: {error}", index + 1))?;
    }
    Ok(certificates)
}

/// Trusts the system's certificates, and those of the file in the way that OpenSSL and Go do.
#[derive(Debug)]
struct Verifier {
    system: SystemVerifier,
    trusted: Trusted,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.system.verify_server_cert(certificate, intermediates, name, ocsp_response, now);
        verified.or_else(|error| {
            self.trusted.verify(error, certificate, Usage::Server, now)?;
            rustls::client::verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
            Ok(ServerCertVerified::assertion())
        })
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
        self.system.supported_verify_schemes()
    }
}
