//! Verification of client certificates.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};

use super::super::file::{LineError, TlsSection};
use super::allowed_names::AllowedNames;
use super::non_empty;
use super::pem::Pem;

/// Whether clients need a certificate, from the least to the most strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum ClientAuth {
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
    let client_auth = match kind {
        None => ClientAuth::Off,
        Some(kind) => parse(&kind.value).map_err(|text| LineError::at(kind, text))?,
    };
    let names = section.client_allowed_sans.as_ref();
    if let Some(names) = names {
        if client_auth != ClientAuth::Required {
            let text = "client_allowed_sans requires client_auth_type RequireAndVerifyClientCert";
            return Err(LineError::at(names, text));
        }
        if names.value.is_empty() {
            let text = "client_allowed_sans is empty; expected at least one name";
            return Err(LineError::at(names, text));
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
    for certificate in authorities.certificates()? {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if client_auth == ClientAuth::Optional { builder.allow_unauthenticated() } else { builder };
    let verifier = builder.build().map_err(|error| unusable(&error))?;
    Ok(match names {
        Some(names) => (ClientAuth::RequiredName, Arc::new(AllowedNames::new(verifier, &names.value))),
        None => (client_auth, verifier),
    })
}

/// Parses a value of `client_auth_type`, by its name in Go.
fn parse(kind: &str) -> Result<ClientAuth, String> {
    match kind {
        "NoClientCert" => Ok(ClientAuth::Off),
        "VerifyClientCertIfGiven" => Ok(ClientAuth::Optional),
        "RequireAndVerifyClientCert" => Ok(ClientAuth::Required),
        "RequestClientCert" | "RequireAnyClientCert" | "RequireClientCert" => Err(format!(
            "client_auth_type {kind} is not supported, because it accepts unverified certificates; \
             expected RequireAndVerifyClientCert or VerifyClientCertIfGiven, with client_ca_file"
        )),
        _ => Err(format!(
            "unknown client_auth_type {kind:?}; \
             expected NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert"
        )),
    }
}
