//! User name and password of a request.

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretSlice};

/// The content of an `Authorization` header with the scheme `Basic`.
pub(super) struct Credentials {
    pub(super) name: String,
    /// As bytes, because a password need not be UTF-8.
    pub(super) password: SecretSlice<u8>,
}

impl Credentials {
    /// Parses the header, or returns `None` if it does not contain basic authentication.
    pub(super) fn parse(authorization: &HeaderValue) -> Option<Self> {
        let (scheme, encoded) = authorization.as_bytes().split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return None;
        }
        let decoded = SecretSlice::from(STANDARD.decode(encoded.trim_ascii()).ok()?);
        let decoded = decoded.expose_secret();
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let name = str::from_utf8(&decoded[..colon]).ok()?.to_owned();
        Some(Self { name, password: decoded[colon + 1..].to_vec().into() })
    }
}
