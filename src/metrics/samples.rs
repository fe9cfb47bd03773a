//! The samples of one metric.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::Histogram;

use super::label::LabelSet;
use super::telemetry::{Counters, SERIES_PER_HISTOGRAM};
use super::{Description, Format, Kind, Label};

/// Writes and counts the samples of one metric.
pub struct Samples<'a> {
    description: &'static Description,
    /// `None` if samples are only counted.
    encoder: Option<MetricEncoder<'a>>,
    /// Whether the encoder adds `_total` to the name.
    has_suffix: bool,
    count: u64,
    result: fmt::Result,
}

impl<'a> Samples<'a> {
    /// Counts samples without writing them.
    pub(super) fn counting(description: &'static Description) -> Self {
        Self { description, encoder: None, has_suffix: false, count: 0, result: Ok(()) }
    }

    /// Writes `HELP`, `TYPE` and, in OpenMetrics, `UNIT`; and samples as they are added.
    pub(super) fn writing(
        description: &'static Description,
        format: Format,
        encoder: &'a mut DescriptorEncoder<'_>,
    ) -> Result<Self, fmt::Error> {
        let Description { name, kind, help, .. } = description;
        // In OpenMetrics the name of a counter is the one of its samples without `_total`, which the encoder adds.
        let has_suffix = (*kind, format) == (Kind::Counter, Format::OpenMetrics);
        let name = if has_suffix { name.trim_end_matches("_total") } else { name };
        let kind = match kind {
            Kind::Gauge => MetricType::Gauge,
            Kind::Counter => MetricType::Counter,
            Kind::Histogram => MetricType::Histogram,
        };
        // The text format has no units.
        let unit = description.unit().filter(|_| format == Format::OpenMetrics);
        // The encoder adds the unit to the name.
        let name = unit.map_or(name, |unit| name.trim_end_matches(unit.as_str()).trim_end_matches('_'));
        let encoder = Some(encoder.encode_descriptor(name, help, unit, kind)?);
        Ok(Self { description, encoder, has_suffix, count: 0, result: Ok(()) })
    }

    /// Returns the number of samples.
    pub(super) const fn len(&self) -> u64 {
        self.count
    }

    /// Returns the number of samples if all of them could be written.
    pub(super) fn finish(self) -> Result<u64, fmt::Error> {
        self.result.map(|()| self.count)
    }

    /// Adds a sample, unless there is no value.
    pub fn add<const N: usize>(&mut self, labels: [Label<'_>; N], value: impl Into<Option<f64>>) {
        let Some(value) = value.into() else { return };
        self.count += 1;
        let has_suffix = self.has_suffix;
        self.write(&labels, |encoder, labels| {
            if labels.is_empty() {
                return encode_value(encoder, has_suffix, value);
            }
            encode_value(&mut encoder.encode_family(&labels)?, has_suffix, value)
        });
    }

    /// Adds a sample with an integer value.
    pub fn count<const N: usize>(&mut self, labels: [Label<'_>; N], value: impl Into<Option<u64>>) {
        #[expect(clippy::cast_precision_loss, reason = "no count of this exporter comes near 2^53")]
        self.add(labels, value.into().map(|value| value as f64));
    }

    /// Adds a sample with the value 1 for `true` and 0 for `false`.
    pub fn flag<const N: usize>(&mut self, labels: [Label<'_>; N], value: impl Into<Option<bool>>) {
        self.add(labels, value.into().map(|value| f64::from(u8::from(value))));
    }

    /// Adds a sample per class, with the labels `id` and the name of the class.
    pub fn classes<'l, const N: usize>(
        &mut self,
        id: impl Into<Label<'l>>,
        names: [&str; N],
        counts: Option<[impl Into<u64>; N]>,
    ) {
        let id = id.into();
        for (name, count) in names.into_iter().zip(counts.into_iter().flatten()) {
            self.count([id, name.into()], count.into());
        }
    }

    /// Adds a sample per counter.
    pub fn counters<const N: usize>(&mut self, counters: &Counters<N>) {
        counters.each(|labels, value| self.count(labels.each_ref().map(|label| Label::Text(label)), value));
    }

    /// Adds the samples of a histogram: its buckets, its sum and its count.
    pub fn histogram<const N: usize>(&mut self, labels: [Label<'_>; N], histogram: &Histogram) {
        self.count += SERIES_PER_HISTOGRAM;
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

/// Writes a value. A counter without suffix is written like a gauge: `TYPE` is written already.
fn encode_value(encoder: &mut MetricEncoder<'_>, has_suffix: bool, value: f64) -> fmt::Result {
    match (has_suffix, whole(value)) {
        (true, Some(whole)) => encoder.encode_counter::<NoLabelSet, _, u64>(&whole, None),
        (true, None) => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None),
        (false, Some(whole)) => encoder.encode_gauge(&whole),
        (false, None) => encoder.encode_gauge(&value),
    }
}

/// Returns a number without a fraction as an integer, which is shorter: `1` for `1.0`.
fn whole(value: f64) -> Option<u64> {
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
    (value.fract() == 0.0 && (0.0..=LARGEST_EXACT).contains(&value)).then_some(value as u64)
}
