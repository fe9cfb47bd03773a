//! TLS versions, cipher suites and curves.

use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::{NamedGroup, ProtocolVersion, SupportedCipherSuite, SupportedProtocolVersion};
use serde_saphyr::Spanned;

use super::{Text, TlsSection};
use crate::config::yaml::LineError;

/// TLS versions by their names in exporter-toolkit. rustls supports those of 1.2 and 1.3.
const VERSIONS: [(&str, ProtocolVersion); 4] = [
    ("TLS10", ProtocolVersion::TLSv1_0),
    ("TLS11", ProtocolVersion::TLSv1_1),
    ("TLS12", ProtocolVersion::TLSv1_2),
    ("TLS13", ProtocolVersion::TLSv1_3),
];

/// Cipher suites that exporter-toolkit knows and rustls does not support.
const UNSUPPORTED_SUITES: [&str; 4] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
];

/// Cipher suites of TLS 1.2 of which HTTP/2 requires one (RFC 9113, section 9.2.2).
const HTTP2_SUITES: [&str; 2] =
    ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"];

/// Elliptic curves by their names in exporter-toolkit. ring does not support P-521.
const CURVES: [(&str, NamedGroup); 4] = [
    ("X25519", NamedGroup::X25519),
    ("CurveP256", NamedGroup::secp256r1),
    ("CurveP384", NamedGroup::secp384r1),
    ("CurveP521", NamedGroup::secp521r1),
];

/// The chosen algorithms, of which some may not be supported.
pub(super) struct Algorithms {
    min_version: ProtocolVersion,
    max_version: ProtocolVersion,
    provider: CryptoProvider,
}

impl Algorithms {
    /// Reads the names of a section. Names that exporter-toolkit does not know are errors.
    pub(super) fn read(section: &TlsSection, http2: bool) -> Result<Self, LineError> {
        let min_version = version("min_version", &section.min_version)?.unwrap_or(ProtocolVersion::TLSv1_2);
        let max_version = version("max_version", &section.max_version)?.unwrap_or(ProtocolVersion::TLSv1_3);
        let mut provider = ring::default_provider();
        let suites = section.cipher_suites.as_deref().unwrap_or_default();
        if let Some(first) = suites.first() {
            let requires_suite = http2 && min_version != ProtocolVersion::TLSv1_3 && section.is_enabled();
            if requires_suite && !suites.iter().any(|suite| HTTP2_SUITES.contains(&suite.value.as_str())) {
                let either = HTTP2_SUITES.join(" or ");
                let text = format!("cipher_suites lacks {either}, which HTTP/2 requires; or set http2: false");
                return Err(LineError::at(first, text));
            }
            let chosen =
                suites.iter().map(|name| cipher_suite(&provider, name)).collect::<Result<Vec<_>, _>>()?;
            // As in Go, the setting applies to TLS 1.2; the suites of TLS 1.3 are secure and always enabled.
            let tls13 = provider.cipher_suites.iter().filter(|suite| suite.tls13().is_some()).copied();
            let tls12 = chosen.into_iter().flatten().filter(|suite| suite.tls13().is_none());
            provider.cipher_suites = tls13.chain(tls12).collect();
        }
        if let Some(names) = section.curve_preferences.as_deref().filter(|names| !names.is_empty()) {
            let chosen = names.iter().map(|name| curve(&provider, name)).collect::<Result<Vec<_>, _>>()?;
            provider.kx_groups = chosen.into_iter().flatten().collect();
        }
        Ok(Self { min_version, max_version, provider })
    }

    /// Returns what rustls supports of the chosen algorithms, or an error if that is nothing.
    pub(super) fn supported(
        self,
        section: &TlsSection,
    ) -> Result<(CryptoProvider, Vec<&'static SupportedProtocolVersion>), LineError> {
        let allowed = u16::from(self.min_version)..=u16::from(self.max_version);
        let supported = rustls::ALL_VERSIONS.iter().copied();
        let versions: Vec<_> = supported.filter(|known| allowed.contains(&u16::from(known.version))).collect();
        if let Some(max) = section.max_version.as_ref().filter(|_| versions.is_empty()) {
            let text = "no supported version is left of min_version to max_version; expected TLS12 or TLS13";
            return Err(LineError::at(max, text));
        }
        if let Some(names) = section.curve_preferences.as_deref().filter(|_| self.provider.kx_groups.is_empty())
        {
            let text = "no supported curve is left of curve_preferences; \
                        expected some of X25519, CurveP256, CurveP384";
            return Err(names
                .first()
                .map_or_else(|| LineError::without_line(text), |name| LineError::at(name, text)));
        }
        Ok((self.provider, versions))
    }
}

fn version(name: &str, field: &Text) -> Result<Option<ProtocolVersion>, LineError> {
    let Some(field) = field else { return Ok(None) };
    let version = VERSIONS.iter().find(|(known, _)| *known == field.value).map(|(_, version)| *version);
    version.map(Some).ok_or_else(|| {
        let text = format!("{name} {:?} is not supported; expected TLS12 or TLS13", field.value);
        LineError::at(field, text)
    })
}

/// Returns a cipher suite by its name in Go, which is that of IANA, or `None` if rustls does not support it.
fn cipher_suite(
    provider: &CryptoProvider,
    name: &Spanned<String>,
) -> Result<Option<SupportedCipherSuite>, LineError> {
    // rustls names the suites of TLS 1.3 with a prefix of its own, TLS13_ instead of TLS_.
    let iana_name =
        |suite: &SupportedCipherSuite| suite.suite().as_str().map(|name| name.replacen("TLS13_", "TLS_", 1));
    let suites = &provider.cipher_suites;
    let suite = suites.iter().find(|suite| iana_name(suite).as_ref() == Some(&name.value)).copied();
    if suite.is_none() && !UNSUPPORTED_SUITES.contains(&name.value.as_str()) {
        let expected = suites.iter().filter_map(iana_name).collect::<Vec<_>>().join(", ");
        let text = format!("cipher suite {:?} is not supported; expected some of {expected}", name.value);
        return Err(LineError::at(name, text));
    }
    Ok(suite)
}

/// Returns a curve, or `None` if ring does not support it.
fn curve(
    provider: &CryptoProvider,
    name: &Spanned<String>,
) -> Result<Option<&'static dyn SupportedKxGroup>, LineError> {
    let Some((_, group)) = CURVES.iter().find(|(known, _)| *known == name.value) else {
        let text =
            format!("curve {:?} is not supported; expected some of X25519, CurveP256, CurveP384", name.value);
        return Err(LineError::at(name, text));
    };
    Ok(provider.kx_groups.iter().find(|known| known.name() == *group).copied())
}
