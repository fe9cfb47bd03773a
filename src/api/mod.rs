//! The Edge Impulse Studio API: requests, and the decoding of answers into facts.
//!
//! [`transport()`] makes connections. [`Client`] sends one request over them, or `several` for one call, and streams
//! each answer through `document`, which takes it apart while it arrives.
//! `answers` says what each endpoint's answer means, [`members`] which of its members are read; `window` is what of an
//! answer is at hand, `scan` finds where a value ends and `marks` where a string may, `field` converts single values and
//! counts the ones that cannot be used, `tally` makes counts of many. [`Error`] is everything that can go wrong.

mod client;
mod counts;
mod credential;
pub mod decode;
mod error;
mod marks;
mod scan;
mod pagination;
mod stream;
mod transport;
mod values;
mod window;

pub use client::{Client, Settings, Tap, TappedResponse};
pub use credential::{Credential, CredentialError};
pub use decode::{DecodeOptions, Decoded, Listed, decode, members};
pub use error::{Error, ErrorDetail};
pub use stream::Parts;
pub use transport::transport;
