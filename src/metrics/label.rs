//! Label values, and their encoding.

use std::fmt;
use std::ops::Deref;

use prometheus_client::encoding::{EncodeLabelKey, EncodeLabelSet, EncodeLabelValue, LabelSetEncoder};

/// The value of a label.
#[derive(Clone, Copy, Debug)]
pub enum Label<'a> {
    /// A text.
    Text(&'a str),
    /// An id.
    Number(u64),
    /// No value: the label is empty.
    Absent,
}

impl<'a> From<&'a str> for Label<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Label<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl<'a, T: Deref<Target = str>> From<&'a Option<T>> for Label<'a> {
    fn from(text: &'a Option<T>) -> Self {
        text.as_deref().map_or(Self::Absent, Self::Text)
    }
}

impl From<Option<u64>> for Label<'_> {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }
}

/// The labels of one sample.
#[derive(Clone, Copy)]
pub(super) struct LabelSet<'a> {
    pub(super) names: &'static [&'static str],
    pub(super) values: &'a [Label<'a>],
}

impl LabelSet<'_> {
    pub(super) fn is_empty(self) -> bool {
        self.names.is_empty()
    }
}

impl EncodeLabelSet for LabelSet<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for (name, value) in self.names.iter().zip(self.values) {
            match value {
                // All series of a metric have the same labels in the text; an empty one is the same as none.
                Label::Absent => encode_label(encoder, name, &"")?,
                Label::Text(text) => encode_label(encoder, name, text)?,
                Label::Number(number) => encode_label(encoder, name, number)?,
            }
        }
        Ok(())
    }
}

fn encode_label(encoder: &mut LabelSetEncoder<'_>, name: &str, value: &impl EncodeLabelValue) -> fmt::Result {
    let mut label = encoder.encode_label();
    let mut key = label.encode_label_key()?;
    EncodeLabelKey::encode(&name, &mut key)?;
    let mut text = key.encode_label_value()?;
    value.encode(&mut text)?;
    text.finish()
}
