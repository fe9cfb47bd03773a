//! What a scrape is answered with: text in one of two formats, compressed where that is asked for.
//!
//! Most of it says what the API said. As long as that is the same, it is written, translated and compressed once;
//! only how the scrape itself went and the exporter's own counters are written anew each time and put behind it.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use crate::metrics::{self, Exposed};
use crate::own::Own;
use crate::server::Format;
use crate::snapshot::{Facts, Snapshot};

/// The fastest: expositions become a sixteenth of their size, in a fifth of the time that the usual level takes to make
/// them a twentieth.
const LEVEL: Compression = Compression::fast();

/// The head of a gzip file without a name, a date or any other extra.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// Writes expositions, and keeps what the next one may need again.
#[derive(Debug, Default)]
pub struct Writer(Mutex<Option<Kept>>);

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
        own: Option<&Arc<Own>>,
        encoding: Encoding,
    ) -> Result<Vec<u8>, fmt::Error> {
        let (part, exposed) = self.facts(snapshot, encoding)?;
        let rest = encoding.format.write(metrics::rest(Arc::clone(snapshot), own.cloned(), exposed)?);
        if encoding.gzip { part.gzip_with(&rest).map_err(|_| fmt::Error) } else { Ok(part.with(&rest)) }
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
        let part = Arc::new(Part::new(encoding.format.write(text), encoding.gzip)?);
        let mut kept =
            kept.unwrap_or_else(|| Kept { snapshot: Arc::clone(snapshot), exposed, parts: Vec::new() });
        kept.parts.push((encoding, Arc::clone(&part)));
        *self.lock() = Some(kept);
        Ok((part, exposed))
    }

    /// Returns what was written before, if the API still says the same.
    fn kept(&self, facts: &Facts) -> Option<Kept> {
        let kept = self.lock().clone()?;
        (kept.snapshot.facts == *facts).then_some(kept)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Kept>> {
        // It is replaced as a whole or not at all.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn new(text: String, gzip: bool) -> Result<Self, fmt::Error> {
        let mut checksum = Crc::new();
        if !gzip {
            return Ok(Self { bytes: text.into_bytes(), checksum });
        }
        checksum.update(text.as_bytes());
        // Flushed and not finished, so that it ends with a whole byte and more can follow.
        let mut encoder = DeflateEncoder::new(GZIP_HEAD.to_vec(), LEVEL);
        let flushed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.flush());
        flushed.map_err(|_| fmt::Error)?;
        // Taken out before the encoder ends, since with it would end the file.
        let bytes = std::mem::take(encoder.get_mut());
        Ok(Self { bytes, checksum })
    }

    fn with(&self, rest: &str) -> Vec<u8> {
        [&self.bytes, rest.as_bytes()].concat()
    }

    /// Appends compressed text, and what ends a gzip file.
    fn gzip_with(&self, rest: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + rest.len() / 4 + 64);
        bytes.extend_from_slice(&self.bytes);
        let mut encoder = DeflateEncoder::new(bytes, LEVEL);
        encoder.write_all(rest.as_bytes())?;
        let mut bytes = encoder.finish()?;
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
