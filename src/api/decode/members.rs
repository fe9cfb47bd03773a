//! Which members of each answer are read, and as what: for whoever compares them with the API's document.
//!
//! The answers are taken apart by code that does not ask this table. Tests hold it against what that code does: a
//! member that stands here spoils the answer when its value is odd, and any other may be anything.

#[cfg(test)]
mod tests;

use crate::model::Collector;

/// A member of an object of the API.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What its value is read as.
    pub value: Value,
}

/// What a value is read as. Null and absence are never odd.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// True or false.
    Boolean,
    /// A quantity or an id.
    Number,
    /// A text.
    Text,
    /// A text in the format `date-time`.
    Date,
    /// A list that is counted.
    Length,
    /// An object of which these members are read.
    Object(&'static [Member]),
    /// A list of such objects.
    List(&'static [Member]),
}

use Value::{Boolean, Date, Length, List, Number, Object, Text};

const fn read(name: &'static str, value: Value) -> Member {
    Member { name, value }
}

/// Members of all answers.
pub const ENVELOPE: &[Member] = &[read("success", Boolean), read("error", Text)];

/// Members that are read though the API's document does not have them, by endpoint and path: its pages name them, or
/// another endpoint sends the same object with them.
pub const UNDOCUMENTED: &[(Collector, &[&str])] = &[
    (
        Collector::Organization,
        &[
            "organization.whitelabelName",
            "organization.users[].idps",
            "organization.projects[].scheduledFullDeletionDate",
        ],
    ),
    (Collector::User, &["trials", "dailyMetrics"]),
    (Collector::UserOrganizations, UNDOCUMENTED_IN_LIST),
    (Collector::Organizations, UNDOCUMENTED_IN_LIST),
    (Collector::WhitelabelOrganizations, &["organizations[].isDeveloperProfile"]),
    (
        Collector::WhitelabelUser,
        &[
            "user.privatePersonalProjectsUsed",
            "user.subscriptionDowngradeDate",
            "user.subscriptionTerminationDate",
            "user.activeEnterpriseTrial",
            "user.whitelabels",
        ],
    ),
];

const UNDOCUMENTED_IN_LIST: &[&str] = &[
    "organizations[].whitelabelName",
    "organizations[].users[].idps",
    "organizations[].projects[].scheduledFullDeletionDate",
];

/// Tells whether a member is read though the API's document does not have it.
#[must_use]
pub fn is_undocumented(collector: Collector, path: &str) -> bool {
    UNDOCUMENTED.iter().any(|(of, paths)| *of == collector && paths.contains(&path))
}

/// Returns the members of the answer to `collector`, those of all answers left out.
#[must_use]
pub const fn members(collector: Collector) -> &'static [Member] {
    match collector {
        Collector::Usage => const { &[read("metrics", Object(USAGE))] },
        Collector::Organization => {
            const {
                &[
                    read("organization", Object(&ORGANIZATION)),
                    read("datasets", List(DATASET)),
                    read("defaultComputeLimits", Object(COMPUTE_LIMITS)),
                    read("entitlementLimits", Object(LIMITS)),
                    read("experiments", List(EXPERIMENT)),
                    read("performance", Object(PERFORMANCE)),
                ]
            }
        }
        Collector::User => USER,
        Collector::Trials => const { &[read("trials", List(TRIAL))] },
        Collector::UserOrganizations | Collector::Organizations => {
            const { &[read("organizations", List(&ORGANIZATION_WITH_ID))] }
        }
        Collector::WhitelabelOrganization => {
            const {
                &[
                    read("entitlementLimits", Object(LIMITS)),
                    read("totalStorage", Number),
                    read("cpuComputeTime", Number),
                    read("gpuComputeTime", Number),
                    read("computeTimeCurrentContractSince", Date),
                    read("dailyMetrics", List(RECORD)),
                ]
            }
        }
        Collector::WhitelabelOrganizations => {
            const { &[read("organizations", List(WHITELABEL_ORGANIZATION)), read("total", Number)] }
        }
        Collector::WhitelabelUser => const { &[read("user", Object(USER))] },
        Collector::WhitelabelUsers => const { &[read("total", Number)] },
        Collector::Whitelabel => const { &[read("whitelabel", Object(WHITELABEL))] },
    }
}

const USAGE: &[Member] = &[
    read("totalJobsComputeTime", Number),
    read("jobsComputeTimeCurrentYear", Number),
    read("jobsComputeTimeCurrentYearSince", Date),
    read("cpuComputeTimeCurrentContract", Number),
    read("gpuComputeTimeCurrentContract", Number),
    read("totalStorage", Number),
    read("projectCount", Number),
    read("userCount", Number),
];

const LIMITS: &[Member] = &[
    read("totalStorage", Number),
    read("computeTimePerYear", Number),
    read("gpuComputeTimePerYear", Number),
    read("numberOfProjects", Number),
    read("numberOfUsers", Number),
];

const COMPUTE_LIMITS: &[Member] = &[
    read("requestsCpu", Number),
    read("requestsMemory", Number),
    read("limitsCpu", Number),
    read("limitsMemory", Number),
];

const EXPERIMENT: &[Member] = &[read("type", Text), read("enabled", Boolean)];

const PERFORMANCE: &[Member] = &[read("jobLimitM", Number)];

/// An organization whose id the path of the call has.
const ORGANIZATION: [Member; 11] = [
    read("name", Text),
    read("whitelabelId", Number),
    read("whitelabelName", Text),
    read("isDeveloperProfile", Boolean),
    read("created", Date),
    read("contractStartDate", Date),
    read("deletedDate", Date),
    read("trialExpiredDate", Date),
    read("trialUpgradedDate", Date),
    read("users", List(ORGANIZATION_USER)),
    read("projects", List(PROJECT)),
];

/// The same in a list.
const ORGANIZATION_WITH_ID: [Member; 12] = {
    let mut members = [read("id", Number); 12];
    let mut index = 0;
    while index < ORGANIZATION.len() {
        members[index + 1] = ORGANIZATION[index];
        index += 1;
    }
    members
};

const ORGANIZATION_USER: &[Member] = &[
    read("role", Text),
    read("pending", Boolean),
    read("activated", Boolean),
    read("mfaConfigured", Boolean),
    read("idps", Length),
    read("lastAccessToOrganization", Date),
];

const PROJECT: &[Member] = &[
    read("id", Number),
    read("name", Text),
    read("created", Date),
    read("lastModified", Date),
    read("lastAccessed", Date),
    read("scheduledFullDeletionDate", Date),
    read("isPublic", Boolean),
    read("allowsLivePublicAccess", Boolean),
    read("collaborators", Length),
];

const BUCKET: &[Member] = &[read("bucket", Text)];

const DATASET: &[Member] = &[
    read("dataset", Text),
    read("type", Text),
    read("category", Text),
    read("bucket", Object(BUCKET)),
    read("totalFileSize", Number),
    read("totalFileCount", Number),
    read("totalItemCount", Number),
    read("totalItemCountChecklistOK", Number),
    read("totalItemCountChecklistFailed", Number),
    read("lastFileCreated", Date),
];

const USER: &[Member] = &[
    read("id", Number),
    read("tier", Text),
    read("suspended", Boolean),
    read("mfaConfigured", Boolean),
    read("privatePersonalProjectsUsed", Number),
    read("subscriptionDowngradeDate", Date),
    read("subscriptionTerminationDate", Date),
    read("organizations", List(USER_ORGANIZATION)),
    read("activeEnterpriseTrial", Object(TRIAL)),
    read("trials", List(TRIAL)),
    read("dailyMetrics", List(RECORD)),
    read("whitelabels", List(ADMINISTERED)),
];

const USER_ORGANIZATION: &[Member] = &[
    read("id", Number),
    read("name", Text),
    read("isDeveloperProfile", Boolean),
    read("whitelabelId", Number),
    read("created", Date),
    read("trialExpiredDate", Date),
    read("trialUpgradedDate", Date),
    read("entitlementLimits", Object(LIMITS)),
    read("userCount", Number),
    read("adminCount", Number),
    read("privateProjectCount", Number),
];

const TRIAL: &[Member] = &[
    read("id", Number),
    read("organizationId", Number),
    read("created", Date),
    read("expirationDate", Date),
    read("expiredDate", Date),
    read("deletedDate", Date),
    read("upgradedDate", Date),
];

/// A daily record of an organization or a user.
const RECORD: &[Member] = &[
    read("date", Date),
    read("totalUsers", Number),
    read("totalStaffUsers", Number),
    read("totalCurrentContractCpuComputeTimeSeconds", Number),
    read("totalCurrentContractGpuComputeTimeSeconds", Number),
    read("computeTimeCalculatedSince", Date),
    read("totalStorageSizeBytes", Number),
    read("totalProjects", Number),
];

/// A white label as its admin's own user has it.
const ADMINISTERED: &[Member] =
    &[read("ownerOrganizationId", Number), read("isAdmin", Boolean), read("id", Number), read("name", Text)];

const WHITELABEL: &[Member] = &[read("id", Number), read("name", Text), read("organizationsLimit", Number)];

const WHITELABEL_ORGANIZATION: &[Member] = &[
    read("id", Number),
    read("name", Text),
    read("isDeveloperProfile", Boolean),
    read("whitelabelId", Number),
    read("created", Date),
    read("entitlementLimits", Object(LIMITS)),
    read("privateProjectCount", Number),
];
