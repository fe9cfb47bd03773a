//! Bodies of responses with metrics.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::encode::{SeriesCounts, write_facts, write_rest};
use super::format::Format;
use super::telemetry::Telemetry;
use crate::model::Snapshot;

/// Writes expositions. The text of the facts is kept while the facts do not change.
#[derive(Debug, Default)]
pub struct Writer {
    kept: Mutex<Option<Kept>>,
    /// The names of the metrics to write; all if `None`.
    names: Option<Arc<BTreeSet<String>>>,
}

#[derive(Clone, Debug)]
struct Kept {
    snapshot: Arc<Snapshot>,
    counts: SeriesCounts,
    /// The text of the facts in each format that was requested.
    texts: Vec<(Format, Bytes)>,
}

impl Writer {
    /// Returns a writer of the metrics with these names, or of all.
    #[must_use]
    pub fn only(names: Option<BTreeSet<String>>) -> Self {
        Self { names: names.map(Arc::new), ..Self::default() }
    }

    /// Returns the two parts of an exposition: the facts, then call results and telemetry.
    ///
    /// # Errors
    /// See [`super::write`].
    pub fn write(
        &self,
        snapshot: &Arc<Snapshot>,
        telemetry: Option<&Arc<Telemetry>>,
        format: Format,
    ) -> Result<[Bytes; 2], fmt::Error> {
        let (facts, counts) = self.facts(snapshot, format)?;
        let rest = write_rest(format, self.names.clone(), Arc::clone(snapshot), telemetry.cloned(), counts)?;
        Ok([facts, rest.into()])
    }

    fn facts(&self, snapshot: &Arc<Snapshot>, format: Format) -> Result<(Bytes, SeriesCounts), fmt::Error> {
        // Taken, so that two large texts are not in memory at the same time.
        let kept = self.lock().take().filter(|kept| kept.snapshot.facts == snapshot.facts);
        if let Some(kept) = kept.clone()
            && let Some((_, text)) = kept.texts.iter().find(|(of, _)| *of == format)
        {
            let written = (text.clone(), kept.counts);
            *self.lock() = Some(kept);
            return Ok(written);
        }
        let (text, counts) = write_facts(format, self.names.clone(), Arc::clone(snapshot))?;
        let text = Bytes::from(text);
        let mut kept =
            kept.unwrap_or_else(|| Kept { snapshot: Arc::clone(snapshot), counts, texts: Vec::new() });
        kept.texts.push((format, text.clone()));
        *self.lock() = Some(kept);
        Ok((text, counts))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Kept>> {
        // The value is replaced as a whole, so a panic cannot leave it incomplete.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
