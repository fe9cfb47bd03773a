//! Plain data: facts and call results, without JSON and without Prometheus.
//!
//! `None` means that the API reported no value, or one that cannot be used; it becomes no sample. No number stands for
//! "unknown" or "unlimited". A comment that is only a name in backticks is the field of the API.

mod bucket;
mod api_key;
mod call;
mod clock;
mod collector;
mod daily_record;
mod facts;
mod merge;
mod organization;
mod pipeline;
mod snapshot;
mod unique;
mod user;
mod whitelabel;

pub use api_key::ApiKey;
pub use bucket::Bucket;
pub use call::Call;
pub use clock::{Clock, ManualClock, time_suspended};
pub use collector::Collector;
pub use daily_record::DailyRecord;
pub use facts::Facts;
pub use organization::{Dataset, EntitlementLimits, Limit, Organization, OrganizationInfo, Project, Trial};
pub use pipeline::Pipeline;
pub use snapshot::{AccountStatus, CallResult, Snapshot};
pub use unique::Unique;
pub use user::User;
pub use whitelabel::Whitelabel;

/// Seconds since 1970-01-01T00:00:00Z.
pub type UnixTime = f64;

/// Values of the `window` label, with the length of the window in seconds.
pub const WINDOWS: [(&str, f64); 4] =
    [("1d", 86_400.0), ("7d", 604_800.0), ("30d", 2_592_000.0), ("90d", 7_776_000.0)];

/// Values of the `window` label of what is unused: the longer ones of [`WINDOWS`].
pub const UNUSED_WINDOWS: [(&str, f64); 2] = [WINDOWS[2], WINDOWS[3]];

/// Values of the `role` label: `OrganizationMemberRole`, and `other` for any role that is not in the API's specification.
pub const ROLES: [&str; 4] = ["admin", "member", "guest", "other"];

/// Values of the `method` label: how members sign in.
pub const SIGN_IN_METHODS: [&str; 3] = ["mfa", "sso", "password"];

/// Values of the `visibility` label of projects.
pub const VISIBILITIES: [&str; 2] = ["private", "public"];

/// Status of a transformation or upload job: `TransformationJobStatusEnum`.
pub const JOB_STATUSES: [&str; 5] = ["waiting", "created", "started", "finished", "failed"];

/// Values of the `tier` label of a white label's users: `UserTierEnum`.
pub const TIERS: [&str; 4] = ["free", "community-plus", "professional", "enterprise"];
