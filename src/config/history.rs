//! What `history` can be told.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::{Options, value};
use crate::snapshot::UnixTime;

/// The job that Prometheus' own examples give the exporter, and its label if no other is named.
const JOB: (&str, &str) = ("job", "edgeimpulse");

/// What is written of the past, and where.
#[derive(Args, Debug)]
pub struct HistoryOptions {
    /// Directory to write to, one file per organization and user; what is there already is not asked for again
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Label that Prometheus gives the live series, such as instance=HOST:PORT, may be repeated [default: job=edgeimpulse]
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = value::label)]
    pub labels: Vec<(String, String)>,
    /// Leave out what is later, such as the time when Prometheus began to scrape [default: 3 hours ago]
    #[arg(long, value_name = "TIME", value_parser = value::moment)]
    pub until: Option<UnixTime>,
    /// Whose past.
    #[command(flatten)]
    pub options: Options,
}

impl HistoryOptions {
    /// Returns all labels by name.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        let default = (JOB.0.to_owned(), JOB.1.to_owned());
        std::iter::once(default).chain(self.labels.iter().cloned()).collect()
    }
}
