//! The body of a response: decompressed, and within its limits.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_compression::tokio::bufread::GzipDecoder;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use tokio_util::io::{ReaderStream, StreamReader};
use url::Url;

use super::Error;
use super::stream::Parts;
use super::transport::classify;

/// Size of the parts of a decompressed body, in bytes.
const PART_SIZE: usize = 32 * 1024;

/// A body of up to this size may be compressed at any ratio, in bytes.
const SIZE_AT_ANY_RATIO: u64 = 1 << 20;

/// Largest size of a larger body, as a multiple of its compressed size. Responses of the API have a ratio of about 12.
pub(super) const MAX_RATIO: u64 = 100;

/// Returns the parts of a body as they arrive, without its compression. `limit` is the maximum size, in bytes; `url` is
/// the API's.
pub(super) fn parts(response: Response, limit: u64, url: &Url) -> impl Parts {
    let encoding = encoding(response.headers());
    let received = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&received);
    let raw = response.bytes_stream().inspect_ok(move |part| {
        counter.fetch_add(part.len() as u64, Ordering::Relaxed);
    });
    let parts: BoxStream<'_, _> = match encoding.as_slice() {
        [] => raw.map_err(|error| classify(error, url)).boxed(),
        [name] if matches!(name.as_str(), "gzip" | "x-gzip") => {
            let mut decoder = GzipDecoder::new(StreamReader::new(raw.map_err(io::Error::other)));
            decoder.multiple_members(true);
            ReaderStream::with_capacity(decoder, PART_SIZE).map_err(|error| of_decoder(error, url)).boxed()
        }
        names => {
            let names = names.join(", ");
            let text = format!("expected no compression or gzip, got Content-Encoding {names:.40}");
            stream::iter([Err(Error::Decode(text))]).boxed()
        }
    };
    let mut size = 0;
    parts.map(move |part| {
        let part = part?;
        size += part.len() as u64;
        if size > limit {
            return Err(Error::TooLarge { limit });
        }
        if size > SIZE_AT_ANY_RATIO && size / MAX_RATIO > received.load(Ordering::Relaxed) {
            return Err(Error::TooCompressed);
        }
        Ok(part)
    })
}

/// Returns the names in `Content-Encoding`, in lower case.
fn encoding(headers: &HeaderMap) -> Vec<String> {
    let values =
        headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let names = values
        .flat_map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()).collect::<Vec<_>>());
    names.filter(|name| !matches!(name.as_str(), "" | "identity")).collect()
}

/// Converts an error of the decoder: of the connection, which passes through it, or of the compression.
fn of_decoder(error: io::Error, url: &Url) -> Error {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => classify(error, url),
        Err(error) => Error::Decode(format!("invalid compression: {error}")),
    }
}
