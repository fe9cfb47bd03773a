//! Client of the Edge Impulse Studio API: requests, and the decoding of responses into facts.
//!
//! [`Transport`] has the connections, and `tls` their certificates. [`Client`] sends the request of a call, or the
//! several requests of a paginated one. `body` decompresses each response, and [`decode()`] decodes it while it arrives:
//! `stream` walks through the JSON document, `reader` and `buffer` hold the received bytes, `fields` reads the known
//! members of an object with serde_json, `values` converts single values, and `skipper` passes over what is not read.
//! [`members`] lists every member that is read.

mod body;
mod budget;
mod buffer;
mod client;
mod counts;
mod credential;
mod decode;
mod error;
mod error_text;
mod fields;
pub mod limits;
mod pagination;
mod reader;
mod request;
mod skipper;
mod stream;
mod tls;
mod traffic;
mod transport;
mod values;

pub use body::parts as body_parts;
pub use budget::{Budget, Share};
pub use client::{Client, Settings, Tap, TappedResponse};
pub use credential::{Credential, CredentialError};
pub use decode::{DecodeOptions, Decoded, PageInfo, decode, members};
pub use error::{Error, ErrorDetail};
pub use fields::{Member, Schema};
pub use pagination::START_DATE;
pub use request::refusal;
pub(crate) use stream::BYTE_ORDER_MARK;
pub use stream::{ENVELOPE, Parts};
pub use transport::Transport;
pub(crate) use values::is_no_date;
