//! What a scrape is answered with: text in one of two formats, compressed where that is asked for.
//!
//! Most of it says what the API said. As long as that is the same, it is written, translated and compressed once;
//! only how the scrape itself went and the exporter's own counters are written anew each time and put behind it.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::format::Format;
use crate::metrics::telemetry::Telemetry;
use crate::metrics::{self, Exposed};
use crate::model::{Facts, Snapshot};

/// The fastest: expositions become a sixteenth of their size, in a fifth of the time that the usual level takes to make
/// them a twentieth.
const LEVEL: Compression = Compression::fast();

/// The head of a gzip file without a name, a date or any other extra.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// Writes expositions, and keeps what the next one may need again.
#[derive(Debug, Default)]
pub struct Writer {
    kept: Mutex<Option<Kept>>,
    deflater: Deflater,
}

/// Compresses with tables that are made once: to make them takes four times as long as to compress what a scrape adds.
#[derive(Debug, Default)]
struct Deflater(Mutex<Option<DeflateEncoder<Vec<u8>>>>);

/// How the bytes of an answer are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The format of the text.
    pub format: Format,
    /// Whether the text is compressed with gzip.
    pub gzip: bool,
}

/// What was written of one state of the world.
#[derive(Clone, Debug)]
struct Kept {
    /// What the API said.
    snapshot: Arc<Snapshot>,
    exposed: Exposed,
    /// Its text, in the encodings that were asked for.
    parts: Vec<(Encoding, Arc<Part>)>,
}

/// The beginning of an answer.
#[derive(Debug)]
struct Part {
    bytes: Vec<u8>,
    /// Of the text, if the bytes are compressed.
    checksum: Crc,
}

impl Writer {
    /// Writes a snapshot, and the exporter's own metrics if they are given.
    ///
    /// # Errors
    /// None: writing to memory does not fail. The type is that of the encoder.
    pub fn write(
        &self,
        snapshot: &Arc<Snapshot>,
        own: Option<&Arc<Telemetry>>,
        encoding: Encoding,
    ) -> Result<Vec<u8>, fmt::Error> {
        let (part, exposed) = self.facts(snapshot, encoding)?;
        let rest = encoding.format.write(metrics::rest(Arc::clone(snapshot), own.cloned(), exposed)?);
        if encoding.gzip {
            part.gzip_with(&rest, &self.deflater).map_err(|_| fmt::Error)
        } else {
            Ok(part.with(&rest))
        }
    }

    /// Returns what the API said, written before or now, and how much that is.
    fn facts(&self, snapshot: &Arc<Snapshot>, encoding: Encoding) -> Result<(Arc<Part>, Exposed), fmt::Error> {
        let kept = self.kept(&snapshot.facts);
        if let Some(kept) = &kept
            && let Some((_, part)) = kept.parts.iter().find(|(of, _)| *of == encoding)
        {
            return Ok((Arc::clone(part), kept.exposed));
        }
        let (text, exposed) = metrics::facts(Arc::clone(snapshot))?;
        let text = encoding.format.write(text);
        let part = if encoding.gzip { Part::compressed(&text, &self.deflater) } else { Ok(Part::plain(text)) };
        let part = Arc::new(part.map_err(|_| fmt::Error)?);
        let mut kept =
            kept.unwrap_or_else(|| Kept { snapshot: Arc::clone(snapshot), exposed, parts: Vec::new() });
        kept.parts.push((encoding, Arc::clone(&part)));
        *lock(&self.kept) = Some(kept);
        Ok((part, exposed))
    }

    /// Returns what was written before, if the API still says the same.
    fn kept(&self, facts: &Facts) -> Option<Kept> {
        let kept = lock(&self.kept).clone()?;
        (kept.snapshot.facts == *facts).then_some(kept)
    }
}

fn lock<T>(kept: &Mutex<Option<T>>) -> MutexGuard<'_, Option<T>> {
    // It is replaced as a whole or not at all.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Deflater {
    /// Compresses `text` behind `head`, up to a whole byte, so that more can follow.
    fn begin(&self, head: Vec<u8>, text: &str) -> io::Result<Vec<u8>> {
        let mut encoder = self.write(head, text)?;
        encoder.flush()?;
        // Taken out first: whatever ends the stream goes elsewhere.
        let bytes = std::mem::take(encoder.get_mut());
        self.reset(encoder)?;
        Ok(bytes)
    }

    /// Compresses `text` behind `head`, to the end of the stream.
    fn end(&self, head: Vec<u8>, text: &str) -> io::Result<Vec<u8>> {
        self.reset(self.write(head, text)?)
    }

    /// Two at a time have tables of their own, of which those of the one that ends last are kept.
    fn write(&self, head: Vec<u8>, text: &str) -> io::Result<DeflateEncoder<Vec<u8>>> {
        let kept = lock(&self.0).take();
        let mut encoder = kept.unwrap_or_else(|| DeflateEncoder::new(Vec::new(), LEVEL));
        *encoder.get_mut() = head;
        encoder.write_all(text.as_bytes())?;
        Ok(encoder)
    }

    fn reset(&self, mut encoder: DeflateEncoder<Vec<u8>>) -> io::Result<Vec<u8>> {
        let bytes = encoder.reset(Vec::new())?;
        *lock(&self.0) = Some(encoder);
        Ok(bytes)
    }
}

impl Part {
    fn plain(text: String) -> Self {
        Self { bytes: text.into_bytes(), checksum: Crc::new() }
    }

    fn compressed(text: &str, deflater: &Deflater) -> io::Result<Self> {
        let mut checksum = Crc::new();
        checksum.update(text.as_bytes());
        Ok(Self { bytes: deflater.begin(GZIP_HEAD.to_vec(), text)?, checksum })
    }

    fn with(&self, rest: &str) -> Vec<u8> {
        [&self.bytes, rest.as_bytes()].concat()
    }

    /// Appends compressed text, and what ends a gzip file.
    fn gzip_with(&self, rest: &str, deflater: &Deflater) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + rest.len() / 4 + 64);
        bytes.extend_from_slice(&self.bytes);
        let mut bytes = deflater.end(bytes, rest)?;
        let mut checksum = Crc::new();
        checksum.update(rest.as_bytes());
        let mut whole = Crc::new();
        whole.combine(&self.checksum);
        whole.combine(&checksum);
        bytes.extend_from_slice(&whole.sum().to_le_bytes());
        bytes.extend_from_slice(&whole.amount().to_le_bytes());
        Ok(bytes)
    }
}
