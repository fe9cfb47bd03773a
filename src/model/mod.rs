//! Plain data: what the API reports and how its calls went. Knows neither JSON nor Prometheus.
//!
//! `None` means that the API did not report a value, or reported one that cannot be used; it becomes no sample. No number
//! stands for "unknown" or "unlimited".

mod call;
mod classes;
mod clock;
mod collector;
mod daily_record;
mod dataset;
mod entitlement;
mod facts;
mod organization;
mod project;
mod snapshot;
mod trial;
mod unique;
mod user;
mod whitelabel;

pub use call::Call;
pub use classes::{ROLES, SIGN_IN_METHODS, TIERS, VISIBILITIES, WINDOWS};
pub use clock::{Clock, Hand};
pub use collector::Collector;
pub use daily_record::DailyRecord;
pub use dataset::Dataset;
pub use entitlement::{EntitlementLimits, Limit};
pub use facts::Facts;
pub use organization::{Organization, OrganizationInfo};
pub use project::Project;
pub use snapshot::{AccountStatus, CallResult, Snapshot};
pub use trial::Trial;
pub use unique::Unique;
pub use user::User;
pub use whitelabel::Whitelabel;

/// Seconds since 1970-01-01T00:00:00Z.
pub type UnixTime = f64;
