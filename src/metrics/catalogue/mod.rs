//! The catalogue: a table of metrics per kind of row, one metric per table row.
//!
//! `docs/metrics.md` is generated from these tables, and tests compare names, help, dashboards and rules with them. To
//! add a metric, add a row to the table of the thing that it describes.

#[macro_use]
mod metric;

mod api_key;
mod bucket;
mod dataset;
mod exporter;
mod organization;
mod pipeline;
mod project;
mod renamed;
mod sections;
mod trial;
mod user;
mod whitelabel;

pub use api_key::API_KEY;
pub use bucket::BUCKET;
pub use dataset::DATASET;
pub use exporter::{ACCOUNT, ACCOUNT_TELEMETRY, CALL_RESULT, PROCESS, SERIES, TELEMETRY};
pub use metric::{Description, Kind, Metric, Stability};
pub use organization::ORGANIZATION;
pub use pipeline::PIPELINE;
pub use project::PROJECT;
pub use renamed::{RENAMED, Renamed};
pub use sections::{Section, sections};
pub use trial::TRIAL;
pub use user::USER;
pub use whitelabel::WHITELABEL;
