//! One JSON document, decoded while it arrives.
//!
//! Objects and lists are entered, and their members and elements read one at a time with serde_json from the receive
//! buffer. What is not read is scanned in constant memory. So memory follows the largest value that is kept, not the
//! response.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::Stream;
use tokio::task::coop;

use super::Error;
use super::fields::{FieldsObject, MAX_VALUE_SIZE, StreamedObject, read_fields, read_name, read_raw, streamed};
use super::reader::{Reader, too_large};
use super::schema::{Key, List, Member, Schema};
use super::values::{Boolean, DecodeErrors, Parse, Text, Value, parse};

/// Elements up to this size are read from the receive buffer. Of a larger one, only the known members are buffered.
const MAX_ELEMENT_SIZE: usize = 64 * 1024;

/// A body in parts, as they arrive.
pub trait Parts: Stream<Item = Result<Bytes, Error>> + Unpin {}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> Parts for S {}

streamed!(
    /// `GenericApiResponse`: members of all responses.
    Envelope { Success: Boolean = "success", Error: Text = "error" }
);

/// The members of all responses.
pub const ENVELOPE: &[Member] = <Envelope as super::schema::Object>::MEMBERS;

/// Reads one JSON document from a stream of its parts.
#[derive(Debug)]
pub(super) struct JsonStream<S> {
    reader: Reader<S>,
    /// Objects and lists that are entered.
    depth: usize,
    /// Whether an object or list was entered and nothing of it read yet.
    is_first: bool,
    success: Option<bool>,
    error: Option<String>,
    pub(super) errors: DecodeErrors,
}

impl<S: Parts> JsonStream<S> {
    pub(super) fn new(parts: S) -> Self {
        Self {
            reader: Reader::new(parts),
            depth: 0,
            is_first: false,
            success: None,
            error: None,
            errors: DecodeErrors::default(),
        }
    }

    /// Enters the outermost object.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        match self.reader.peek().await? {
            Some(b'{') => {
                self.enter();
                Ok(())
            }
            Some(b'<') => Err(Error::Decode("expected JSON, got HTML: is a proxy answering?".to_owned())),
            Some(byte) => {
                let byte = char::from(byte).escape_default();
                Err(Error::Decode(format!("expected a JSON object, got `{byte}` as the first character")))
            }
            None => Err(Error::Decode("the body is empty".to_owned())),
        }
    }

    /// Reads to the end; returns the `success` and `error` of the response.
    pub(super) async fn end(&mut self) -> Result<(bool, Option<String>), Error> {
        if self.reader.peek().await?.is_some() {
            return Err(self.reader.malformed());
        }
        let success = self.success.ok_or_else(|| Error::Decode("no `success` member".to_owned()))?;
        Ok((success, self.error.take()))
    }

    /// Enters the object that comes next; skips anything else, and counts it as invalid unless it is null.
    pub(super) async fn enter_object<T>(&mut self, key: Key<T>) -> Result<bool, Error> {
        self.enter_if(b'{', key.name).await
    }

    /// Enters the list that comes next; skips anything else, and counts it as invalid unless it is null.
    pub(super) async fn enter_list<T>(&mut self, key: Key<List<T>>) -> Result<bool, Error> {
        self.enter_if(b'[', key.name).await
    }

    /// Goes to the next known member of the object that was entered last; leaves the object at its end. The member's
    /// value must be read before the next call.
    pub(super) async fn member<T: StreamedObject>(&mut self) -> Result<Option<T>, Error> {
        while self.advance(b'}').await? {
            let (member, shared) = self.name(|name| (T::find(name), Envelope::find(name))).await?;
            if member.is_some() {
                return Ok(member);
            }
            match shared.filter(|_| self.depth == 1) {
                Some(Envelope::Success(key)) => self.success = self.read(key).await?,
                Some(Envelope::Error(key)) => self.error = self.read(key).await?,
                None => self.skip().await?,
            }
        }
        Ok(None)
    }

    /// Goes to the next element of the list that was entered last; leaves the list at its end.
    pub(super) async fn element(&mut self) -> Result<bool, Error> {
        self.advance(b']').await
    }

    /// Returns a single value if it is valid.
    pub(super) async fn read<T, O>(&mut self, key: Key<T>) -> Result<Option<O>, Error>
    where
        T: for<'a> Parse<Output<'a> = O>,
    {
        Ok(self.get(key).await?.valid())
    }

    /// Converts a single value, and counts it if it is invalid.
    pub(super) async fn get<T, O>(&mut self, key: Key<T>) -> Result<Value<O>, Error>
    where
        T: for<'a> Parse<Output<'a> = O>,
    {
        self.raw(|json, errors| parse(key, Some(json), errors)).await
    }

    /// Hands the fields of the object that comes next to `fold`; counts anything else as invalid unless it is null.
    pub(super) async fn object<T: FieldsObject>(
        &mut self,
        key: Key<T>,
        fold: impl for<'a> FnMut(T::Fields<'a>, &mut DecodeErrors),
    ) -> Result<(), Error> {
        if self.reader.peek().await? == Some(b'{') {
            return self.fields::<T>(fold).await;
        }
        self.enter_object(key).await?;
        Ok(())
    }

    /// Hands the fields of each element of the list that comes next to `fold`; an element that is no object counts as
    /// invalid and gives `None`. Returns whether there is a list.
    pub(super) async fn each<T: FieldsObject>(
        &mut self,
        key: Key<List<T>>,
        mut fold: impl for<'a> FnMut(Option<T::Fields<'a>>, &mut DecodeErrors),
    ) -> Result<bool, Error> {
        if !self.enter_list(key).await? {
            return Ok(false);
        }
        while self.element().await? {
            if self.reader.peek().await? == Some(b'{') {
                self.fields::<T>(|fields, errors| fold(Some(fields), errors)).await?;
            } else {
                self.skip().await?;
                self.errors.count(key.name);
                fold(None, &mut self.errors);
            }
        }
        Ok(true)
    }

    fn enter(&mut self) {
        self.reader.step();
        self.depth += 1;
        self.is_first = true;
    }

    async fn enter_if(&mut self, opening: u8, name: &'static str) -> Result<bool, Error> {
        match self.reader.peek().await? {
            Some(byte) if byte == opening => {
                self.enter();
                return Ok(true);
            }
            Some(b'n') => {}
            _ => self.errors.count(name),
        }
        self.skip().await?;
        Ok(false)
    }

    /// Steps over a comma to what follows it, or over `closing` out of the object or list.
    async fn advance(&mut self, closing: u8) -> Result<bool, Error> {
        // Other tasks run between the elements of a long list, even if all of it is received already.
        coop::consume_budget().await;
        let is_first = std::mem::take(&mut self.is_first);
        match self.reader.peek().await? {
            Some(byte) if byte == closing => {
                self.reader.step();
                self.depth -= 1;
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
    async fn name<R>(&mut self, find: impl Fn(&[u8]) -> R) -> Result<R, Error> {
        self.reader.expect(b'"').await?;
        let found =
            self.reader.value(MAX_VALUE_SIZE, |text| read_name(text, &find)).await?.ok_or_else(too_large)?;
        self.reader.expect(b':').await?;
        self.reader.step();
        Ok(found)
    }

    /// Hands the text of the value that comes next to `read`.
    async fn raw<R>(&mut self, read: impl Fn(&str, &mut DecodeErrors) -> R) -> Result<R, Error> {
        let errors = &mut self.errors;
        let read = |text: &[u8]| read_raw(text).map(|(json, end)| (read(json, errors), end));
        self.reader.value(MAX_VALUE_SIZE, read).await?.ok_or_else(too_large)
    }

    /// Hands the fields of the object that comes next to `fold`.
    async fn fields<T: FieldsObject>(
        &mut self,
        mut fold: impl for<'a> FnMut(T::Fields<'a>, &mut DecodeErrors),
    ) -> Result<(), Error> {
        let mut read = |text: &[u8], errors: &mut DecodeErrors| {
            read_fields::<T::Fields<'_>>(text).map(|(fields, end)| (fold(fields, errors), end))
        };
        let errors = &mut self.errors;
        if self.reader.value(MAX_ELEMENT_SIZE, |text| read(text, errors)).await?.is_none() {
            let object = self.known_members(T::MEMBERS).await?;
            read(&object, &mut self.errors).map_err(|_| self.reader.malformed())?;
        }
        Ok(())
    }

    /// Reads the object that comes next member by member. Returns an object of its known members.
    async fn known_members(&mut self, members: &[Member]) -> Result<Vec<u8>, Error> {
        let mut known = BTreeMap::new();
        self.enter();
        while self.advance(b'}').await? {
            let is = |name: &[u8]| members.iter().find(|member| member.name.as_bytes() == name).copied();
            match self.name(is).await? {
                Some(Member { name, schema: Schema::Length }) if self.reader.peek().await? == Some(b'[') => {
                    known.insert(name, self.list_of_that_length().await?);
                }
                Some(Member { name, .. }) => {
                    known.insert(name, self.raw(|json, _| json.to_owned()).await?);
                }
                None => self.skip().await?,
            }
        }
        let members: Vec<_> = known.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
        Ok(format!("{{{}}}", members.join(",")).into_bytes())
    }

    /// Reads the list that comes next. Returns one of as many zeros.
    async fn list_of_that_length(&mut self) -> Result<String, Error> {
        let mut zeros = Vec::new();
        self.enter();
        while self.element().await? {
            self.skip().await?;
            zeros.push("0");
            if zeros.len() > MAX_VALUE_SIZE {
                return Err(too_large());
            }
        }
        Ok(format!("[{}]", zeros.join(",")))
    }

    /// Skips the value that comes next.
    async fn skip(&mut self) -> Result<(), Error> {
        match self.reader.peek().await? {
            Some(b'{' | b'[' | b'"') => self.reader.skip().await,
            _ => self.raw(|_, _| ()).await,
        }
    }
}
