//! What is kept of responses at most. docs/reliability.md says what happens above these limits.

/// Organizations in all lists of an account: five times the largest portfolio in `docs/portfolio.md`.
pub const MAX_ORGANIZATIONS: usize = 10_000;

/// Size of all rows and long texts of an account, in bytes: twice that of 2,000 organizations with 8 datasets each.
pub const MAX_BYTES: usize = 16 << 20;

/// Length of a text, in bytes: what is read becomes a label or part of a message.
pub const MAX_TEXT: usize = 1024;

/// Length of a text after many long ones, in bytes: more than most names have.
pub const MAX_SHORT_TEXT: usize = 64;

/// White labels of a user.
pub const MAX_WHITELABELS: usize = 100;

/// Trials of a user.
pub const MAX_TRIALS: usize = 1000;

/// Experiments of an organization.
pub const MAX_EXPERIMENTS: usize = 200;

/// Projects of an organization. All of them are counted.
pub const MAX_PROJECTS: usize = 10_000;

/// Buckets of an organization.
pub const MAX_BUCKETS: usize = 1000;

/// Pipelines of an organization.
pub const MAX_PIPELINES: usize = 1000;

/// API keys of an organization that expire. All keys are counted.
pub const MAX_API_KEYS: usize = 1000;

/// Finished jobs of an organization.
pub const MAX_FINISHED_JOBS: usize = 20_000;

/// Transformation jobs of an organization that are requested and counted: the latest ones.
pub const MAX_TRANSFORMATION_JOBS: usize = 100;

/// Daily records of an organization or user that are kept one by one: those of 27 years.
pub const MAX_DAYS: usize = 10_000;
