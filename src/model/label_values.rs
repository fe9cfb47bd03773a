//! Label values that are the same everywhere.

/// Values of the `window` label, with the length of the window in seconds.
pub const WINDOWS: [(&str, f64); 4] =
    [("1d", 86_400.0), ("7d", 604_800.0), ("30d", 2_592_000.0), ("90d", 7_776_000.0)];

/// Values of the `role` label: `OrganizationMemberRole`, and `other` for any role that is not in the API's specification.
pub const ROLES: [&str; 4] = ["admin", "member", "guest", "other"];

/// Values of the `method` label: how members sign in.
pub const SIGN_IN_METHODS: [&str; 3] = ["mfa", "sso", "password"];

/// Values of the `visibility` label of projects.
pub const VISIBILITIES: [&str; 2] = ["private", "public"];

/// Values of the `tier` label of a white label's users: `UserTierEnum`.
pub const TIERS: [&str; 4] = ["free", "community-plus", "professional", "enterprise"];
