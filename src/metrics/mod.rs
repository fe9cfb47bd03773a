//! Metrics as text: a snapshot of the last collection and the exporter's telemetry in an exposition format.
//!
//! - `catalogue`: one table row per metric, with name, type, help, labels and the function that returns its samples
//! - `encode`: writes the tables for a snapshot, in parts
//! - `samples`, `label`: write the samples of one metric and count them
//! - `format`: `OpenMetrics` and Prometheus text
//! - `telemetry`, `process`: counters of the exporter, and statistics of its process
//! - `timestamped`: samples with timestamps, for the `history` command
//!
//! Every exposition is written from one snapshot alone, so series of removed organizations disappear.

pub mod catalogue;
mod encode;
mod format;
mod label;
pub mod process;
mod samples;
pub mod telemetry;
pub mod timestamped;

pub use catalogue::{Description, Kind, Metric, Stability};
pub use encode::{Exposition, SeriesCounts, series, write};
pub use format::Format;
pub use label::Label;
pub use samples::Samples;
