//! Rows with unique ids of an organization, such as its buckets.

use std::sync::Arc;

use super::DecodeOptions;
use crate::api::fields::{Convert, Each, Fold};
use crate::api::limits::MAX_SHORT_TEXT;
use crate::api::values::DecodeErrors;
use crate::metrics::{Metric, series};
use crate::model::Unique;

/// An element of a list of an organization, which becomes a row with a name and an id of its own.
pub(super) trait Row: Convert + 'static {
    /// The metrics that have a series for each row.
    const METRICS: &'static [Metric<Self>];

    /// Returns the id, which is unique within the organization.
    fn id(&self) -> &u64;

    /// Sets the organization, whose id is not in the element.
    fn set_organization(&mut self, id: u64);
}

/// Rows with different ids.
#[derive(Debug)]
pub(super) struct Rows<T>(Unique<T>);

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(Unique::default())
    }
}

impl<T: Row> Rows<T> {
    /// Adds a row. Returns how many were left out because of a limit.
    pub(super) fn insert(&mut self, row: T) -> u64 {
        self.0.add(row, T::MAX, T::id, series_of)
    }

    /// Returns the rows of the list `name` of the organization `id`, up to their limits.
    pub(super) fn finish(self, name: &'static str, id: u64, errors: &mut DecodeErrors) -> Arc<Unique<T>> {
        let Self(mut unique) = self;
        let left_out = unique.limit(T::MAX, T::id, series_of);
        let fitting = errors.fitting(unique.rows.len(), size_of::<T>() + MAX_SHORT_TEXT);
        errors.left_out(name, left_out + unique.limit(fitting, T::id, series_of));
        for row in &mut unique.rows {
            row.set_organization(id);
        }
        Arc::new(unique)
    }
}

impl<T: Row> Fold for Rows<T> {
    type Element<'a> = T::Fields<'a>;

    fn add(&mut self, fields: &T::Fields<'_>, _: &DecodeOptions, errors: &mut DecodeErrors) -> u64 {
        T::convert(fields, errors).map_or(0, |row| self.insert(row))
    }
}

impl<T: Row> Each<Rows<T>> {
    /// Returns the rows of the organization `id`, up to their limits; `None` without the list `name`.
    pub(super) fn finish(
        self,
        name: &'static str,
        id: u64,
        errors: &mut DecodeErrors,
    ) -> Option<Arc<Unique<T>>> {
        Some(self.fold?.finish(name, id, errors))
    }
}

fn series_of<T: Row>(row: &T) -> u64 {
    series(T::METRICS, row)
}
