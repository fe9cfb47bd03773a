//! The Edge Impulse Studio API: requests, and the decoding of answers into facts.
//!
//! [`transport()`] makes connections. [`Client`] sends one request over them, or `several` for one call, and streams
//! each answer through `document`, which takes it apart while it arrives.
//! `answers` says what each endpoint's answer means, [`members`] which of its members are read; `window` is what of an
//! answer is at hand, `scan` finds where a value ends and `marks` where a string may, `field` converts single values and
//! counts the ones that cannot be used, `tally` makes counts of many. [`Error`] is everything that can go wrong.

mod answers;
mod client;
mod document;
mod error;
mod field;
mod marks;
mod scan;
mod several;
mod tally;
mod transport;
mod window;

pub use answers::{Decoded, Listed, Terms, decode, members};
pub use client::{Client, Settings};
pub use document::Parts;
pub use error::{Error, Said};
pub use transport::transport;
