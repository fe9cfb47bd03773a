//! Metrics as text: a snapshot of the last collection and the exporter's telemetry in an exposition format.
//!
//! - `catalogue`: one table row per metric, with name, type, help, labels and the function that returns its samples
//! - `encode`: writes the tables for a snapshot
//! - `samples`, `label`: write the samples of one metric and count them
//! - `exposition`: response bodies; the text of the facts is kept while the facts do not change
//! - `format`: `OpenMetrics` and Prometheus text
//! - `telemetry`, `process`: counters of the exporter, and statistics of its process
//! - `timestamped`: samples with timestamps, for the `history` command
//!
//! Every exposition is written from one snapshot alone, so series of removed organizations disappear.

pub mod catalogue;
mod encode;
pub mod exposition;
mod format;
mod label;
pub mod process;
mod samples;
pub mod telemetry;
pub mod timestamped;

pub use catalogue::{Description, Kind, Metric, Stability};
pub use encode::{SeriesCounts, series, write};
pub use format::Format;
pub use label::Label;
pub use samples::Samples;
