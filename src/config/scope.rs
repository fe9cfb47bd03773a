//! Organizations and users that are read.

use clap::Args;
use serde::Serialize;

/// Organizations and users to read. Serialized, it has the fields of an account in the configuration file.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[command(next_help_heading = "Scope")]
pub struct ScopeOptions {
    /// Read only these organizations; default: all that the credential can see; may be repeated
    #[arg(
        long = "organization-id",
        env = "EDGEIMPULSE_ORGANIZATION_IDS",
        value_name = "ID",
        value_delimiter = ','
    )]
    pub organization_ids: Vec<u64>,
    /// Read also these users; requires a JWT; may be repeated
    #[arg(long = "user-id", env = "EDGEIMPULSE_USER_IDS", value_name = "ID", value_delimiter = ',')]
    pub user_ids: Vec<u64>,
    /// Organizations that own the white label; default: those that the JWT's user administers; may be repeated
    #[arg(
        long = "whitelabel.organization-id",
        env = "EDGEIMPULSE_WHITELABEL_ORGANIZATION_IDS",
        value_name = "ID",
        value_delimiter = ','
    )]
    #[serde(rename = "whitelabel.organization_ids")]
    pub whitelabel_organization_ids: Vec<u64>,
    /// Read these users of the white label; may be repeated
    #[arg(
        long = "whitelabel.user-id",
        env = "EDGEIMPULSE_WHITELABEL_USER_IDS",
        value_name = "ID",
        value_delimiter = ','
    )]
    #[serde(rename = "whitelabel.user_ids")]
    pub whitelabel_user_ids: Vec<u64>,
}
