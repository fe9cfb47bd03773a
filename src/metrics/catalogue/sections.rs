//! Sections of the metrics reference.

use super::{
    ACCOUNT, ACCOUNT_TELEMETRY, API_KEY, BUCKET, CALL_RESULT, DATASET, Description, Metric, ORGANIZATION,
    PIPELINE, PROCESS, PROJECT, SERIES, TELEMETRY, TRIAL, USER, WHITELABEL,
};

/// A section of the metrics reference.
#[derive(Debug)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// A sentence about all of its metrics.
    pub about: &'static str,
    /// Its metrics.
    pub metrics: Vec<&'static Description>,
}

/// Returns all metrics, in the order of the exposition.
#[must_use]
pub fn sections() -> Vec<Section> {
    let section = |title, about, metrics| Section { title, about, metrics };
    vec![
        section(
            "Organizations",
            "One series per organization that the credential can read.",
            descriptions(ORGANIZATION).collect(),
        ),
        section(
            "Trials",
            "One series per enterprise trial of the users that are read. Needs a JWT.",
            descriptions(TRIAL).collect(),
        ),
        section(
            "Datasets",
            "One series per dataset. Sizes come from an index of the storage buckets. Datasets may overlap: do not sum them.",
            descriptions(DATASET).collect(),
        ),
        section("Buckets", "One series per storage bucket of an organization.", descriptions(BUCKET).collect()),
        section("Pipelines", "One series per pipeline of an organization.", descriptions(PIPELINE).collect()),
        section(
            "Projects",
            "One series per project. Disabled by default: enable them with `--collector.projects`.",
            descriptions(PROJECT).collect(),
        ),
        section(
            "API keys",
            "One series per API key of an organization that expires, without those of transformation jobs. Needs a JWT. Names of keys are never exported.",
            descriptions(API_KEY).collect(),
        ),
        section(
            "Users",
            "One series per user: the user of the credential and the users in the configuration. Names and e-mail addresses are never exported.",
            descriptions(USER).collect(),
        ),
        section(
            "White labels",
            "One series per white label that the credential administers. Absent until a response of the API contains the id of the white label.",
            descriptions(WHITELABEL).collect(),
        ),
        section("Accounts", "One series per configured credential.", descriptions(ACCOUNT).collect()),
        section(
            "Collectors",
            "The result of each call of the last scrape.",
            descriptions(CALL_RESULT).collect(),
        ),
        section(
            "Exporter",
            "The exporter itself. Disable these metrics with `--web.disable-exporter-metrics`.",
            descriptions(ACCOUNT_TELEMETRY)
                .chain(descriptions(TELEMETRY))
                .chain(descriptions(SERIES))
                .chain(descriptions(PROCESS))
                .collect(),
        ),
    ]
}

fn descriptions<T>(table: &'static [Metric<T>]) -> impl Iterator<Item = &'static Description> {
    table.iter().map(|metric| &metric.description)
}
