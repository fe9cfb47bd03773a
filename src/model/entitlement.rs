//! Entitlement limits of an organization.

/// One entitlement, once the limits of an organization were read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Limit {
    /// The API's value cannot be used.
    #[default]
    Unknown,
    /// There is no limit.
    None,
    /// The limit, in the entitlement's base unit.
    At(f64),
}

/// `EntitlementLimits`: what the contract allows; comes whole from one collector.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EntitlementLimits {
    /// `totalStorage`, in bytes.
    pub storage: Limit,
    /// `computeTimePerYear` (CPU + GPU), in seconds.
    pub compute: Limit,
    /// `gpuComputeTimePerYear`, in seconds.
    pub gpu_compute: Limit,
    /// `numberOfProjects`
    pub projects: Limit,
    /// `numberOfUsers`
    pub users: Limit,
}

impl EntitlementLimits {
    /// Returns each entitlement with the value of its `entitlement` label.
    #[must_use]
    pub const fn by_name(&self) -> [(&'static str, Limit); 5] {
        [
            ("storage", self.storage),
            ("compute", self.compute),
            ("gpu_compute", self.gpu_compute),
            ("projects", self.projects),
            ("users", self.users),
        ]
    }
}
