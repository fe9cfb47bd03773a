//! The catalogue: a table of metrics per kind of row, one metric per table row.
//!
//! `docs/metrics.md` is generated from these tables, and tests compare names, help, dashboards and rules with them. To
//! add a metric, add a row to the table of the thing that it describes.

#[macro_use]
mod metric;

mod account;
mod call_result;
mod dataset;
mod organization;
mod process;
mod project;
mod renamed;
mod sections;
mod series;
mod telemetry;
mod trial;
mod user;
mod whitelabel;

pub use account::{ACCOUNT, ACCOUNT_TELEMETRY};
pub use call_result::CALL_RESULT;
pub use dataset::DATASET;
pub use metric::{Description, Kind, Metric, Stability};
pub use organization::ORGANIZATION;
pub use process::PROCESS;
pub use project::PROJECT;
pub use renamed::{RENAMED, Renamed};
pub use sections::{Section, sections};
pub use series::SERIES;
pub use telemetry::TELEMETRY;
pub use trial::TRIAL;
pub use user::USER;
pub use whitelabel::WHITELABEL;
