//! TLS versions, cipher suites and curves.

use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::{NamedGroup, ProtocolVersion, SupportedCipherSuite, SupportedProtocolVersion};
use serde_saphyr::Spanned;

use super::{Text, TlsSection, non_empty};
use crate::config::yaml::LineError;

/// Returns the allowed versions, by default TLS 1.2 and TLS 1.3.
pub(super) fn versions(section: &TlsSection) -> Result<Vec<&'static SupportedProtocolVersion>, LineError> {
    let min = version("min_version", &section.min_version)?.unwrap_or(ProtocolVersion::TLSv1_2);
    let max = version("max_version", &section.max_version)?.unwrap_or(ProtocolVersion::TLSv1_3);
    let allowed = u16::from(min)..=u16::from(max);
    if let Some(field) = section.max_version.as_ref().filter(|_| allowed.is_empty()) {
        return Err(LineError::at(field, "max_version is lower than min_version"));
    }
    let versions = rustls::ALL_VERSIONS.iter().copied();
    Ok(versions.filter(|version| allowed.contains(&u16::from(version.version))).collect())
}

fn version(name: &str, field: &Text) -> Result<Option<ProtocolVersion>, LineError> {
    let Some(field) = non_empty(field) else { return Ok(None) };
    match field.value.as_str() {
        "TLS12" => Ok(Some(ProtocolVersion::TLSv1_2)),
        "TLS13" => Ok(Some(ProtocolVersion::TLSv1_3)),
        other => {
            let text = format!("{name} {other:?} is not supported; expected TLS12 or TLS13");
            Err(LineError::at(field, text))
        }
    }
}

/// Returns ring with the allowed cipher suites and curves.
pub(super) fn provider(section: &TlsSection) -> Result<CryptoProvider, LineError> {
    let mut provider = ring::default_provider();
    if let Some(names) = section.cipher_suites.as_deref().filter(|names| !names.is_empty()) {
        let chosen = names.iter().map(|name| cipher_suite(&provider, name)).collect::<Result<Vec<_>, _>>()?;
        // As in Go, the setting applies to TLS 1.2; the suites of TLS 1.3 are secure and always enabled.
        let tls13 = provider.cipher_suites.iter().filter(|suite| suite.tls13().is_some());
        let tls12 = chosen.into_iter().filter(|suite| suite.tls13().is_none());
        provider.cipher_suites = tls13.copied().chain(tls12).collect();
    }
    if let Some(names) = section.curve_preferences.as_deref().filter(|names| !names.is_empty()) {
        provider.kx_groups = names.iter().map(|name| curve(&provider, name)).collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

/// Returns a cipher suite by its name in Go, which is that of IANA.
fn cipher_suite(provider: &CryptoProvider, name: &Spanned<String>) -> Result<SupportedCipherSuite, LineError> {
    // rustls names the suites of TLS 1.3 with a prefix of its own, TLS13_ instead of TLS_.
    let iana_name =
        |suite: &SupportedCipherSuite| suite.suite().as_str().map(|name| name.replacen("TLS13_", "TLS_", 1));
    let suites = &provider.cipher_suites;
    suites.iter().find(|suite| iana_name(suite).as_ref() == Some(&name.value)).copied().ok_or_else(|| {
        let expected = suites.iter().filter_map(iana_name).collect::<Vec<_>>().join(", ");
        LineError::at(
            name,
            format!("cipher suite {:?} is not supported; expected some of {expected}", name.value),
        )
    })
}

/// Elliptic curves by their names in Go.
const CURVES: [(&str, NamedGroup); 3] = [
    ("X25519", NamedGroup::X25519),
    ("CurveP256", NamedGroup::secp256r1),
    ("CurveP384", NamedGroup::secp384r1),
];

fn curve(
    provider: &CryptoProvider,
    name: &Spanned<String>,
) -> Result<&'static dyn SupportedKxGroup, LineError> {
    let group = CURVES.iter().find(|(known, _)| *known == name.value).map(|(_, group)| *group);
    let found = provider.kx_groups.iter().find(|known| Some(known.name()) == group);
    found.copied().ok_or_else(|| {
        let expected = CURVES.map(|(known, _)| known).join(", ");
        LineError::at(name, format!("curve {:?} is not supported; expected some of {expected}", name.value))
    })
}
