//! The samples of one metric: their labels and values, counted or written.

use std::fmt;

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, LabelSetEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::histogram::Histogram;

use super::{Description, Kind};
use crate::metrics::telemetry::Counters;

/// The value of a label.
#[derive(Clone, Copy, Debug)]
pub enum Label<'a> {
    /// A text.
    Text(&'a str),
    /// An id.
    Number(u64),
    /// The label does not apply, and is left out.
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

impl<'a> From<&'a Option<String>> for Label<'a> {
    fn from(text: &'a Option<String>) -> Self {
        text.as_deref().map_or(Self::Absent, Self::Text)
    }
}

impl From<Option<u64>> for Label<'_> {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }
}

#[derive(Clone, Copy)]
struct LabelSet<'a> {
    names: &'static [&'static str],
    values: &'a [Label<'a>],
}

impl LabelSet<'_> {
    fn is_empty(self) -> bool {
        self.values.iter().all(|value| matches!(value, Label::Text("") | Label::Absent))
    }
}

impl EncodeLabelSet for LabelSet<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for (name, value) in self.names.iter().zip(self.values) {
            match value {
                // To Prometheus an empty label is no label.
                Label::Text("") | Label::Absent => {}
                Label::Text(text) => encode_label(encoder, name, text)?,
                Label::Number(number) => encode_label(encoder, name, number)?,
            }
        }
        Ok(())
    }
}

fn encode_label(
    encoder: &mut LabelSetEncoder<'_>,
    name: &str,
    value: &impl prometheus_client::encoding::EncodeLabelValue,
) -> fmt::Result {
    use prometheus_client::encoding::EncodeLabelKey;
    let mut label = encoder.encode_label();
    let mut key = label.encode_label_key()?;
    EncodeLabelKey::encode(&name, &mut key)?;
    let mut text = key.encode_label_value()?;
    value.encode(&mut text)?;
    text.finish()
}

/// Takes the samples of one metric.
pub struct Samples<'a> {
    description: &'static Description,
    /// Where samples are written; `None` if they are only counted.
    encoder: Option<MetricEncoder<'a>>,
    pub(super) count: u64,
    pub(super) result: fmt::Result,
}

impl<'a> Samples<'a> {
    pub(super) fn new(description: &'static Description, encoder: Option<MetricEncoder<'a>>) -> Self {
        Self { description, encoder, count: 0, result: Ok(()) }
    }

    /// Adds a sample, unless there is no value.
    pub fn add<const N: usize>(&mut self, labels: [Label<'_>; N], value: impl Into<Option<f64>>) {
        let Some(value) = value.into() else { return };
        self.count += 1;
        let kind = self.description.kind;
        self.write(&labels, |encoder, labels| {
            if labels.is_empty() {
                return encode_value(encoder, kind, value);
            }
            encode_value(&mut encoder.encode_family(&labels)?, kind, value)
        });
    }

    /// Adds a sample that counts something.
    pub fn count<const N: usize>(&mut self, labels: [Label<'_>; N], value: impl Into<Option<u64>>) {
        #[expect(clippy::cast_precision_loss, reason = "no count of this exporter comes near 2^53")]
        self.add(labels, value.into().map(|value| value as f64));
    }

    /// Adds a sample that is 1 or 0.
    pub fn flag<const N: usize>(&mut self, labels: [Label<'_>; N], value: impl Into<Option<bool>>) {
        self.add(labels, value.into().map(|value| f64::from(u8::from(value))));
    }

    /// Adds a sample per counter.
    pub fn counters<const N: usize>(&mut self, counters: &Counters<N>) {
        counters.each(|labels, value| self.count(labels.each_ref().map(|label| Label::Text(label)), value));
    }

    /// Adds the samples of a histogram: its buckets, its sum and its count.
    pub fn histogram<const N: usize>(&mut self, labels: [Label<'_>; N], histogram: &Histogram) {
        self.count += crate::metrics::telemetry::SERIES_PER_HISTOGRAM;
        self.write(&labels, |encoder, labels| histogram.encode(encoder.encode_family(&labels)?));
    }

    fn write(
        &mut self,
        labels: &[Label<'_>],
        encode: impl FnOnce(&mut MetricEncoder<'_>, LabelSet<'_>) -> fmt::Result,
    ) {
        debug_assert_eq!(labels.len(), self.description.labels.len(), "{}", self.description.name);
        if let (Some(encoder), Ok(())) = (&mut self.encoder, self.result) {
            self.result = encode(encoder, LabelSet { names: self.description.labels, values: labels });
        }
    }
}

fn encode_value(encoder: &mut MetricEncoder<'_>, kind: Kind, value: f64) -> fmt::Result {
    match (kind, whole(value)) {
        (Kind::Counter, Some(whole)) => encoder.encode_counter::<NoLabelSet, _, u64>(&whole, None),
        (Kind::Counter, None) => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None),
        (_, Some(whole)) => encoder.encode_gauge(&whole),
        (_, None) => encoder.encode_gauge(&value),
    }
}

/// Returns a number without a fraction as an integer, which is shorter to write and to read.
fn whole(value: f64) -> Option<u64> {
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
    (value.fract() == 0.0 && (0.0..=LARGEST_EXACT).contains(&value)).then_some(value as u64)
}
