//! The bytes of a JSON document: waits for them, and finds where values end.

use futures_util::StreamExt;
use tokio::task::coop;

use super::Error;
use super::buffer::Buffer;
use super::fields::Prefix;
use super::skipper::Skipper;
use super::stream::Parts;

/// Bytes of a value that count as one unit of the task's budget.
const BYTES_PER_UNIT: usize = 2048;

/// Reads values from the parts of a document.
#[derive(Debug)]
pub(super) struct Reader<S> {
    parts: S,
    has_ended: bool,
    buffer: Buffer,
}

impl<S: Parts> Reader<S> {
    pub(super) fn new(parts: S) -> Self {
        Self { parts, has_ended: false, buffer: Buffer::default() }
    }

    /// Returns the next byte that is not white space, `None` at the end of the document.
    pub(super) async fn peek(&mut self) -> Result<Option<u8>, Error> {
        loop {
            let unread = self.buffer.unread();
            let blanks = unread.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
            let byte = unread.get(blanks).copied();
            self.buffer.advance(blanks);
            if byte.is_some() || !self.receive().await? {
                return Ok(byte);
            }
        }
    }

    /// Skips white space up to `byte`, which must come next.
    pub(super) async fn expect(&mut self, byte: u8) -> Result<(), Error> {
        match self.peek().await? {
            Some(next) if next == byte => Ok(()),
            Some(_) => Err(self.malformed()),
            None => Err(self.ends_too_early()),
        }
    }

    /// Goes behind the byte that [`Self::peek`] returned.
    pub(super) fn step(&mut self) {
        self.buffer.advance(1);
    }

    /// Hands the unread bytes, at most `limit`, to `read`: as they are, with the next part, and when the value that they
    /// begin with is complete; not at each part, so that the time stays linear. Returns `None` if the value is larger.
    pub(super) async fn value<R>(
        &mut self,
        limit: usize,
        mut read: impl FnMut(&[u8]) -> Prefix<R>,
    ) -> Result<Option<R>, Error> {
        if self.peek().await?.is_none() {
            return Err(self.ends_too_early());
        }
        for attempt in 0..3 {
            // Most values that go on after a part are complete with the next one.
            if attempt == 1 && !self.receive().await? {
                continue;
            }
            if attempt == 2 && !self.completes(limit).await? {
                return Ok(None);
            }
            let unread = self.buffer.unread();
            if let Some((value, end)) = read(&unread[..unread.len().min(limit)]) {
                self.buffer.advance(end);
                // A large value takes as long as many small ones.
                for _ in 0..end / BYTES_PER_UNIT {
                    coop::consume_budget().await;
                }
                return Ok(Some(value));
            }
        }
        Err(self.malformed())
    }

    /// Waits until the value that comes next is complete. Returns false if it is larger than `limit`.
    async fn completes(&mut self, limit: usize) -> Result<bool, Error> {
        let mut skipper = Skipper::default();
        let mut scanned = 0;
        loop {
            let unread = self.buffer.unread();
            let end = skipper.feed(&unread[scanned..]).map(|end| scanned + end);
            scanned = unread.len();
            if end.unwrap_or(scanned) >= limit {
                return Ok(false);
            }
            if end.is_some() {
                return Ok(true);
            }
            if !self.receive().await? {
                return Err(self.ends_too_early());
            }
        }
    }

    /// Skips the string, list or object that comes next, in constant memory.
    pub(super) async fn skip(&mut self) -> Result<(), Error> {
        let mut skipper = Skipper::default();
        loop {
            let unread = self.buffer.unread();
            let end = skipper.feed(unread);
            let length = end.unwrap_or(unread.len());
            self.buffer.advance(length);
            if end.is_some() {
                return Ok(());
            }
            if !self.receive().await? {
                return Err(self.ends_too_early());
            }
        }
    }

    /// Waits for more bytes. Returns false at the end of the document.
    async fn receive(&mut self) -> Result<bool, Error> {
        if self.buffer.extend() {
            return Ok(true);
        }
        if self.has_ended {
            return Ok(false);
        }
        coop::consume_budget().await;
        match self.parts.next().await {
            Some(part) => self.buffer.push(part?),
            None => self.has_ended = true,
        }
        Ok(!self.has_ended)
    }

    pub(super) fn malformed(&self) -> Error {
        Error::Decode(format!("malformed JSON after byte {}", self.buffer.position()))
    }

    pub(super) fn ends_too_early(&self) -> Error {
        let length = self.buffer.position() + self.buffer.unread().len();
        Error::Decode(format!("the body ends too early, after {length} bytes"))
    }
}
