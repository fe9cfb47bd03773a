//! The state of an organization at a given time, and of what belongs to it.

use super::scenarios::{Limits, Trial};
use crate::model::UnixTime;

/// An organization.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Id.
    pub id: u64,
    /// Name.
    pub name: &'static str,
    /// Entitlement limits.
    pub limits: Limits,
    /// Time of creation.
    pub created: UnixTime,
    /// Start of the contract.
    pub contract_start: Option<UnixTime>,
    /// Storage in use, in bytes.
    pub storage: f64,
    /// CPU compute time since `compute_since`, in seconds.
    pub cpu: f64,
    /// GPU compute time since `compute_since`, in seconds.
    pub gpu: f64,
    /// Start of the period of `cpu` and `gpu`.
    pub compute_since: UnixTime,
    /// Members.
    pub members: Vec<Member>,
    /// Projects.
    pub projects: Vec<Project>,
    /// Datasets.
    pub datasets: Vec<Dataset>,
    /// The trial of the organization.
    pub trial: Option<Trial>,
    /// True if it belongs to the white label.
    pub whitelabel: bool,
    /// True for the developer profile of a user.
    pub developer_profile: bool,
}

/// A member of an organization.
#[derive(Clone, Debug)]
pub struct Member {
    /// Id of the user.
    pub id: u64,
    /// Role.
    pub role: &'static str,
    /// True if the invitation is not accepted yet.
    pub pending: bool,
    /// True if multi-factor authentication is configured.
    pub mfa: bool,
    /// True if the member signs in with an identity provider.
    pub sso: bool,
    /// Time of joining.
    pub added: UnixTime,
    /// Time of the last access to the organization.
    pub last_access: Option<UnixTime>,
}

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Id.
    pub id: u64,
    /// Time of creation.
    pub created: UnixTime,
    /// Time of the last modification.
    pub modified: UnixTime,
    /// True if the project is public.
    pub public: bool,
    /// Scheduled time of deletion.
    pub deletion: Option<UnixTime>,
    /// Number of collaborators.
    pub collaborators: u64,
}

/// A dataset.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Name.
    pub name: &'static str,
    /// Type: `clinical` or `files`.
    pub kind: &'static str,
    /// Size, in bytes.
    pub size: f64,
    /// Number of files.
    pub files: u64,
    /// Number of items.
    pub items: u64,
    /// Number of items with a failed checklist.
    pub failed: u64,
    /// Time of creation of the newest file.
    pub newest: UnixTime,
}

/// Totals at the end of a day.
#[derive(Clone, Copy, Debug)]
pub struct DailyRecord {
    /// Start of the day.
    pub date: UnixTime,
    /// CPU compute time since the start of the contract, in seconds.
    pub cpu: f64,
    /// GPU compute time since the start of the contract, in seconds.
    pub gpu: f64,
    /// Storage in use, in bytes.
    pub storage: f64,
    /// Number of projects.
    pub projects: u64,
}
