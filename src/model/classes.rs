//! Classes in which things are counted: the values of labels.

/// Length of the windows in which activity is counted, in seconds, with the value of their `window` label.
pub const WINDOWS: [(&str, f64); 4] =
    [("1d", 86_400.0), ("7d", 604_800.0), ("30d", 2_592_000.0), ("90d", 7_776_000.0)];

/// Values of the `role` label: `OrganizationMemberRole`, and `other` for roles that the document does not name.
pub const ROLES: [&str; 4] = ["admin", "member", "guest", "other"];

/// Values of the `method` label of members' ways to sign in.
pub const SIGN_IN_METHODS: [&str; 3] = ["mfa", "sso", "password"];

/// Values of the `visibility` label.
pub const VISIBILITIES: [&str; 2] = ["private", "public"];

/// Values of the `tier` label of a white label's users: `UserTierEnum`.
pub const TIERS: [&str; 4] = ["free", "community-plus", "professional", "enterprise"];
