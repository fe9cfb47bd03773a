//! Entitlement limits of an organization.

/// The limit of one entitlement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Limit {
    /// The API reports a value that cannot be used.
    #[default]
    Unknown,
    /// The API reports no limit.
    None,
    /// The limit, in the base unit of the entitlement.
    At(f64),
}

/// What the contract allows: `EntitlementLimits`. All limits come from one response.
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
    /// Returns the limits with the values of the `entitlement` label.
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
