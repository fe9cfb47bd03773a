//! An answer of the API, taken apart while it arrives.
//!
//! Only what is being read is in memory: objects and lists are entered, their members and elements taken one at a
//! time from where they were received, and what nobody asks for is skipped without being built. So memory follows the
//! largest element, not the answer, and the last element is read as soon as the last byte is there.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use super::Error;
use super::scan::{self, Stop};
use super::values::{Convert, Field, Fields, Found, Unusable};
use super::window::Window;

/// The parts of an answer as they arrive.
pub trait Parts: Stream<Item = Result<Bytes, Error>> + Unpin {}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> Parts for S {}

/// Reads one JSON document from a stream of its parts.
#[derive(Debug)]
pub(super) struct JsonStream<S> {
    parts: S,
    ended: bool,
    window: Window,
    /// Whether a container was entered and nothing of it read yet.
    first: bool,
    name: String,
    success: Option<bool>,
    error: Option<String>,
    pub(super) unusable: Unusable,
}

impl<S: Parts> JsonStream<S> {
    pub(super) fn new(parts: S) -> Self {
        Self {
            parts,
            ended: false,
            window: Window::default(),
            first: false,
            name: String::new(),
            success: None,
            error: None,
            unusable: Unusable::default(),
        }
    }

    /// Enters the outermost object.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        match self.peek().await? {
            Some(b'{') => {
                self.enter();
                Ok(())
            }
            Some(byte) => {
                let byte = char::from(byte).escape_default();
                Err(Error::Decode(format!("it is no JSON object, it begins with `{byte}`")))
            }
            None => Err(Error::Decode("it is empty".to_owned())),
        }
    }

    /// Reads to the end; returns the API's `success` and `error`.
    pub(super) async fn end(&mut self) -> Result<(bool, Option<String>), Error> {
        if self.peek().await?.is_some() {
            return Err(self.malformed());
        }
        let success = self.success.ok_or_else(|| Error::Decode("it has no `success`".to_owned()))?;
        Ok((success, self.error.take()))
    }

    /// Enters the object that comes next; skips anything else, and counts it under `name`.
    pub(super) async fn enter_object(&mut self, name: &'static str) -> Result<bool, Error> {
        self.enter_if(b'{', name).await
    }

    /// Enters the list that comes next; skips anything else, and counts it under `name`.
    pub(super) async fn enter_list(&mut self, name: &'static str) -> Result<bool, Error> {
        self.enter_if(b'[', name).await
    }

    /// Goes to the next member of the object that was entered last, and returns its name; leaves the object at its
    /// end. Every member's value has to be read or skipped.
    pub(super) async fn member(&mut self) -> Result<Option<&str>, Error> {
        if !self.advance(b'}').await? {
            return Ok(None);
        }
        let name = self.value(|text, _| scan::unescaped(text)).await?;
        self.name = name.map_err(|_| self.malformed())?;
        if self.peek().await? != Some(b':') {
            return Err(self.malformed());
        }
        self.window.advance(1);
        Ok(Some(&self.name))
    }

    /// Returns the name of the member that was gone to last.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Goes to the next element of the list that was entered last; leaves the list at its end.
    pub(super) async fn element(&mut self) -> Result<bool, Error> {
        self.advance(b']').await
    }

    /// Reads a single value.
    pub(super) async fn read<T: for<'a> Convert<'a>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Error> {
        Ok(self.find(name).await?.value())
    }

    /// Like [`Self::read`], but tells what cannot be used from what is not there.
    pub(super) async fn find<T: for<'a> Convert<'a>>(&mut self, name: &'static str) -> Result<Found<T>, Error> {
        self.value(|text, unusable| Field { name, value: Some(text) }.find(unusable)).await
    }

    /// Hands the fields of the object that comes next to `fold`; counts anything else under `name`.
    pub(super) async fn object<T: Fields>(
        &mut self,
        name: &'static str,
        mut fold: impl for<'a> FnMut(T::Of<'a>, &mut Unusable),
    ) -> Result<(), Error> {
        self.fields::<T, _>(|found, unusable| match found {
            Found::Value(fields) => fold(fields, unusable),
            Found::Odd => unusable.count(name),
            Found::Nothing => {}
        })
        .await
    }

    /// Hands the fields of each element of the list that comes next to `fold`, `None` for an element that is no
    /// object. Returns whether there is a list.
    pub(super) async fn each<T: Fields>(
        &mut self,
        name: &'static str,
        mut fold: impl for<'a> FnMut(Option<T::Of<'a>>, &mut Unusable),
    ) -> Result<bool, Error> {
        if !self.enter_list(name).await? {
            return Ok(false);
        }
        while self.element().await? {
            self.fields::<T, _>(|found, unusable| match found {
                Found::Value(fields) => fold(Some(fields), unusable),
                Found::Nothing | Found::Odd => {
                    unusable.count(name);
                    fold(None, unusable);
                }
            })
            .await?;
        }
        Ok(true)
    }

    /// Skips the value that comes next; a list or an object part by part, since it may be all of a long answer.
    pub(super) async fn skip(&mut self) -> Result<(), Error> {
        match self.peek().await? {
            Some(b'[') => {
                self.enter();
                while self.element().await? {
                    self.value(|_, _| ()).await?;
                }
                Ok(())
            }
            Some(b'{') => {
                self.enter();
                while self.member().await?.is_some() {
                    self.value(|_, _| ()).await?;
                }
                Ok(())
            }
            _ => self.value(|_, _| ()).await,
        }
    }

    /// Reads a member of the outermost object that all answers share, or skips it.
    pub(super) async fn envelope(&mut self) -> Result<(), Error> {
        match self.name.as_str() {
            "success" => self.success = self.read("success").await?,
            "error" => self.error = self.read("error").await?,
            _ => self.skip().await?,
        }
        Ok(())
    }

    fn enter(&mut self) {
        self.window.advance(1);
        self.first = true;
    }

    async fn enter_if(&mut self, opening: u8, name: &'static str) -> Result<bool, Error> {
        if self.peek().await? == Some(opening) {
            self.enter();
            return Ok(true);
        }
        self.value(|text, unusable| {
            if text != b"null" {
                unusable.count(name);
            }
        })
        .await?;
        Ok(false)
    }

    /// Steps over a comma to what follows it, or over `closing` out of the container.
    async fn advance(&mut self, closing: u8) -> Result<bool, Error> {
        let first = std::mem::take(&mut self.first);
        match self.peek().await? {
            Some(byte) if byte == closing => {
                self.window.advance(1);
                Ok(false)
            }
            Some(b',') if !first => {
                self.window.advance(1);
                Ok(true)
            }
            Some(_) if first => Ok(true),
            Some(_) => Err(self.malformed()),
            None => Err(self.truncated()),
        }
    }

    /// Hands the text of the value that comes next to `read`.
    async fn value<R>(&mut self, read: impl FnOnce(&[u8], &mut Unusable) -> R) -> Result<R, Error> {
        self.whole::<Text, _>(|(), text, unusable| read(text, unusable)).await
    }

    /// Hands the fields of the value that comes next to `read`, if it is an object.
    async fn fields<T: Fields, R>(
        &mut self,
        read: impl for<'a> FnOnce(Found<T::Of<'a>>, &mut Unusable) -> R,
    ) -> Result<R, Error> {
        if self.peek().await? == Some(b'{') {
            return self.whole::<T, _>(|fields, _, unusable| read(Found::Value(fields), unusable)).await;
        }
        let found = |text: &[u8]| if text == b"null" { Found::Nothing } else { Found::Odd };
        self.value(|text, unusable| read(found(text), unusable)).await
    }

    /// Hands what `T` reads of the value that comes next to `read`, with its text, as soon as all of it has arrived.
    async fn whole<T: Fields, R>(
        &mut self,
        read: impl for<'a> FnOnce(T::Of<'a>, &'a [u8], &mut Unusable) -> R,
    ) -> Result<R, Error> {
        if self.peek().await?.is_none() {
            return Err(self.truncated());
        }
        // Parsing again at each part that arrives would cost quadratic time for a value of many parts.
        let mut enough = 0;
        let (result, length) = loop {
            let unread = self.window.unread();
            if unread.len() >= enough || self.ended {
                enough = unread.len().saturating_mul(2);
                match T::read(unread) {
                    Ok((value, length)) => break (read(value, &unread[..length], &mut self.unusable), length),
                    Err(Stop::Incomplete) if self.ended => return Err(self.truncated()),
                    Err(Stop::Incomplete) => {}
                    Err(Stop::Malformed) => return Err(self.malformed()),
                }
            }
            self.fill().await?;
        };
        self.window.advance(length);
        Ok(result)
    }

    /// Returns the next byte that is not white space, `None` at the end of the document.
    async fn peek(&mut self) -> Result<Option<u8>, Error> {
        loop {
            let unread = self.window.unread();
            if let Some(blanks) = unread.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')) {
                let found = unread[blanks];
                self.window.advance(blanks);
                return Ok(Some(found));
            }
            let length = unread.len();
            self.window.advance(length);
            if self.ended {
                return Ok(None);
            }
            self.fill().await?;
        }
    }

    /// Waits until there is more to read, or an end.
    async fn fill(&mut self) -> Result<(), Error> {
        if self.window.widen() {
            return Ok(());
        }
        match self.parts.next().await {
            Some(part) => self.window.push(part?),
            None => self.ended = true,
        }
        Ok(())
    }

    fn malformed(&self) -> Error {
        Error::Decode(format!("malformed JSON after byte {}", self.window.position()))
    }

    fn truncated(&self) -> Error {
        Error::Decode(format!(
            "it ends too early, after {} bytes",
            self.window.position() + self.window.unread().len()
        ))
    }
}

/// Nothing but the text of a value.
struct Text;

impl Fields for Text {
    type Of<'a> = ();

    fn read(text: &[u8]) -> Result<((), usize), Stop> {
        scan::value(text).map(|end| ((), end))
    }
}
