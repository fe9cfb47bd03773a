//! One JSON document, decoded while it arrives.
//!
//! Objects and lists are entered, and their members and elements read one at a time with serde_json from the receive
//! buffer. What is not read is skipped in constant memory. So memory follows the largest value that is kept, not the
//! response.

use bytes::Bytes;
use futures_util::Stream;
use tokio::task::coop;

use super::Error;
use super::budget::Share;
use super::decode::DecodeOptions;
use super::fields::{Element, Fold, Member, Object, Schema, fields, read_raw};
use super::reader::Reader;
use super::values::{Boolean, COUNTED, DecodeErrors, Text, Value, text};

/// Largest value that is kept of a response, in bytes: far more than any name, date or number has. Elements of lists up
/// to this size are read from the receive buffer; of a larger one, only the known members are buffered.
const MAX_VALUE_SIZE: usize = 64 * 1024;

/// What some servers send before a document in UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A body in parts, as they arrive.
pub trait Parts: Stream<Item = Result<Bytes, Error>> + Unpin {}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> Parts for S {}

fields!(
    /// `GenericApiResponse`: members of all responses.
    Envelope { success: Boolean = "success", error: Text = "error" }
);

/// The members of all responses.
pub const ENVELOPE: &[Member] = Envelope::MEMBERS;

/// Reads one JSON document from a stream of its parts.
#[derive(Debug)]
pub(super) struct JsonStream<S> {
    reader: Reader<S>,
    /// Whether an object or list was entered and nothing of it read yet.
    is_first: bool,
    /// Whether the document has a member that is read, even one that is null.
    pub(super) has_member: bool,
    pub(super) options: DecodeOptions,
    pub(super) errors: DecodeErrors,
}

impl<S: Parts> JsonStream<S> {
    pub(super) fn new(parts: S, options: DecodeOptions, share: Share) -> Self {
        let (reader, errors) = (Reader::new(parts), DecodeErrors::new(share));
        Self { reader, is_first: false, has_member: false, options, errors }
    }

    /// Reads the document into `response`. Returns the members of all responses.
    pub(super) async fn document<T: Object>(&mut self, response: &mut T) -> Result<Envelope<'static>, Error> {
        if self.reader.peek().await? == BYTE_ORDER_MARK.first().copied() {
            for byte in BYTE_ORDER_MARK {
                self.reader.expect(*byte).await?;
                self.reader.step();
            }
        }
        match self.reader.peek().await? {
            Some(b'{') => self.step_in(),
            Some(b'<') => {
                return Err(Error::Decode("expected JSON, got HTML: is a proxy answering?".to_owned()));
            }
            Some(byte) => {
                let byte = char::from(byte).escape_default();
                return Err(Error::Decode(format!(
                    "expected a JSON object, got `{byte}` as the first character"
                )));
            }
            None => return Err(Error::Decode("the body is empty".to_owned())),
        }
        let mut envelope = Envelope::default();
        while self.advance(b'}').await? {
            match self.name(|name| (T::find(name), Envelope::find(name))).await? {
                (Some(name), _) => {
                    self.has_member = true;
                    response.member(name, self).await?;
                }
                (None, Some(name)) => envelope.member(name, self).await?,
                (None, None) => self.skip().await?,
            }
        }
        match self.reader.peek().await? {
            Some(_) => Err(self.reader.malformed()),
            None => Ok(envelope),
        }
    }

    /// Reads the members of the object that was entered.
    pub(super) async fn members<T: Object>(&mut self, object: &mut T) -> Result<(), Error> {
        while self.advance(b'}').await? {
            match self.name(T::find).await? {
                Some(name) => object.member(name, self).await?,
                None => self.skip().await?,
            }
        }
        Ok(())
    }

    /// Adds the object that comes next to `fold`; counts anything else as invalid. Returns whether it is an object.
    pub(super) async fn element<F: Fold>(&mut self, name: &'static str, fold: &mut F) -> Result<bool, Error> {
        if self.reader.peek().await? != Some(b'{') {
            self.errors.count(name);
            self.skip().await?;
            return Ok(false);
        }
        let Self { reader, options, errors, .. } = self;
        let read = |text: &[u8]| {
            let (element, end) = F::Element::READ.and_then(|read| read(text))?;
            Some((fold.add(&element, options, errors), end))
        };
        let is_contiguous = <F::Element<'static> as Element<'static>>::READ.is_some();
        let value = if is_contiguous { reader.value(MAX_VALUE_SIZE, read).await? } else { None };
        let left_out = if let Some(left_out) = value {
            left_out
        } else {
            let mut element = F::Element::<'static>::default();
            self.step_in();
            self.members(&mut element).await?;
            fold.add(&element, &self.options, &mut self.errors)
        };
        self.errors.left_out(name, left_out);
        Ok(true)
    }

    /// Enters the object or list that comes next; skips anything else, and counts it as invalid unless it is null.
    pub(super) async fn enter(&mut self, opening: u8, name: &'static str) -> Result<Value<()>, Error> {
        let value = match self.reader.peek().await? {
            Some(byte) if byte == opening => {
                self.step_in();
                return Ok(Value::Valid(()));
            }
            Some(b'n') => Value::Missing,
            _ => {
                self.errors.count(name);
                Value::Invalid
            }
        };
        self.skip().await?;
        Ok(value)
    }

    fn step_in(&mut self) {
        self.reader.step();
        self.is_first = true;
    }

    /// Steps over a comma to what follows it, or over `closing` out of the object or list.
    pub(super) async fn advance(&mut self, closing: u8) -> Result<bool, Error> {
        // Other tasks run between the elements of a long list, even if all of it is received already.
        coop::consume_budget().await;
        let is_first = std::mem::take(&mut self.is_first);
        match self.reader.peek().await? {
            Some(byte) if byte == closing => {
                self.reader.step();
                Ok(false)
            }
            Some(b',') if !is_first => {
                self.reader.step();
                Ok(true)
            }
            Some(_) if is_first => Ok(true),
            Some(_) => Err(self.reader.malformed()),
            None => Err(self.reader.ends_too_early()),
        }
    }

    /// Hands the name of the member that comes next to `find`, and goes to the member's value.
    async fn name<R>(&mut self, find: impl Fn(&str) -> R) -> Result<R, Error> {
        self.reader.expect(b'"').await?;
        // A name with half of a surrogate pair, or that is too long, is unknown, like an empty one.
        let found = self.raw(|json| find(&text(json).unwrap_or_default())).await?.unwrap_or_else(|| find(""));
        self.reader.expect(b':').await?;
        self.reader.step();
        Ok(found)
    }

    /// Returns the text of the single value that comes next; an empty one, which is invalid, if it is too long. Of a
    /// list of which only the length is used, it is the number of elements.
    pub(super) async fn text(&mut self, schema: Schema) -> Result<String, Error> {
        if schema != Schema::Length || self.reader.peek().await? != Some(b'[') {
            return Ok(self.raw(str::to_owned).await?.unwrap_or_default());
        }
        let mut elements = 0_u64;
        self.step_in();
        while self.advance(b']').await? {
            self.skip().await?;
            elements += 1;
        }
        Ok(format!("{COUNTED}{elements}"))
    }

    /// Hands the text of the value that comes next to `read`; skips it if it is too long.
    async fn raw<R>(&mut self, read: impl Fn(&str) -> R) -> Result<Option<R>, Error> {
        let read = |text: &[u8]| read_raw(text).map(|(json, end)| (read(json), end));
        let value = self.reader.value(MAX_VALUE_SIZE, read).await?;
        if value.is_none() {
            self.reader.skip().await?;
        }
        Ok(value)
    }

    /// Skips the value that comes next.
    pub(super) async fn skip(&mut self) -> Result<(), Error> {
        match self.reader.peek().await? {
            Some(b'{' | b'[' | b'"') => self.reader.skip().await,
            _ => self.raw(|_| ()).await.map(drop),
        }
    }
}
