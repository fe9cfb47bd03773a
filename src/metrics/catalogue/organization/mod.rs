//! Metrics of organizations, in the order of the exposition.

mod identity;
mod jobs;
mod projects;
mod resources;
mod trial;
mod users;

use super::metric::Metric;
use crate::metrics::Samples;
use crate::model::{EntitlementLimits, Limit, Organization};

/// The label that most of these metrics have alone.
const LABELS: &[&str] = &["organization_id"];
/// Collectors that read entitlement limits.
const LIMITS: &[&str] =
    &["organization", "user", "whitelabel_organization", "whitelabel_organizations", "whitelabel_user"];
/// Collectors that read the organization object.
const OBJECT: &[&str] = &["organization", "user_organizations"];

/// One row per metric.
pub static ORGANIZATION: &[&[Metric<Organization>]] = &[
    identity::IDENTITY,
    resources::RESOURCES,
    projects::PROJECTS,
    users::USERS,
    projects::PROJECT_ACTIVITY,
    jobs::JOBS,
    trial::TRIAL,
];

/// Writes a limit; an organization without this limit has no sample.
fn limit(organization: &Organization, limit: fn(&EntitlementLimits) -> Limit, samples: &mut Samples<'_>) {
    if let Some(Limit::At(value)) = organization.limits.as_ref().map(limit) {
        samples.add([organization.id.into()], value);
    }
}
