//! Plain data: facts and call results, without JSON and without Prometheus.
//!
//! `None` means that the API reported no value, or one that cannot be used; it becomes no sample. No number stands for
//! "unknown" or "unlimited". A comment that is only a name in backticks is the field of the API.

mod call;
mod clock;
mod collector;
mod daily_record;
mod dataset;
mod entitlement;
mod facts;
mod label_values;
mod merge;
mod organization;
mod project;
mod snapshot;
mod trial;
mod unique;
mod user;
mod whitelabel;

pub use call::Call;
pub use clock::{Clock, ManualClock};
pub use collector::Collector;
pub use daily_record::DailyRecord;
pub use dataset::Dataset;
pub use entitlement::{EntitlementLimits, Limit};
pub use facts::Facts;
pub use label_values::{ROLES, SIGN_IN_METHODS, TIERS, VISIBILITIES, WINDOWS};
pub use organization::{Organization, OrganizationInfo};
pub use project::Project;
pub use snapshot::{AccountStatus, CallResult, Snapshot};
pub use trial::Trial;
pub use unique::Unique;
pub use user::User;
pub use whitelabel::Whitelabel;

/// Seconds since 1970-01-01T00:00:00Z.
pub type UnixTime = f64;
