//! Organizations and users that are read.

use clap::Args;

/// What is read.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Scope")]
pub struct ScopeOptions {
    /// Read these organizations only, may be repeated; without it all that the credential sees
    #[arg(
        long = "organization-id",
        env = "EDGEIMPULSE_ORGANIZATION_IDS",
        value_name = "ID",
        value_delimiter = ','
    )]
    pub organization_ids: Vec<u64>,
    /// Read these users too (with a JWT), may be repeated
    #[arg(long = "user-id", env = "EDGEIMPULSE_USER_IDS", value_name = "ID", value_delimiter = ',')]
    pub user_ids: Vec<u64>,
    /// Organization that owns the white label, may be repeated; without it those that the credential administers
    #[arg(
        long = "whitelabel.organization-id",
        env = "EDGEIMPULSE_WHITELABEL_ORGANIZATION_IDS",
        value_name = "ID",
        value_delimiter = ','
    )]
    pub whitelabel_organization_ids: Vec<u64>,
    /// Read these users of the white label, may be repeated
    #[arg(
        long = "whitelabel.user-id",
        env = "EDGEIMPULSE_WHITELABEL_USER_IDS",
        value_name = "ID",
        value_delimiter = ','
    )]
    pub whitelabel_user_ids: Vec<u64>,
}
