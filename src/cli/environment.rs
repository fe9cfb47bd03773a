//! Environment variables that nothing reads, which are most likely misspelled.

use std::collections::BTreeSet;

use clap::Arg;

use super::arguments::CommandLine;
use super::usage_error::is_on_command_line;
use crate::config::{AccountOptions, CREDENTIAL_VARIABLES, CredentialOrigin, nearest, redact};

/// The beginning of every variable of an option.
const PREFIX: &str = "EDGEIMPULSE_";

/// Logs a warning for each variable that looks like an option and is none; `accounts` name variables of their own.
pub(super) fn warn_about_unknown(accounts: &[AccountOptions]) {
    for text in unknown(accounts) {
        tracing::warn!("{text}");
    }
}

/// Returns these warnings for an error that came before the log was set up. With a configuration file there are none: no
/// variable is an option then, and the accounts of the file may name any.
#[must_use]
pub fn warnings_without_log() -> Vec<String> {
    let command = CommandLine::documented();
    let mut options = command.get_arguments();
    let file = options.find(|option| option.get_long() == Some("config.file"));
    if tracing::dispatcher::has_been_set() || file.is_some_and(|file| is_set(file) || is_on_command_line(file))
    {
        return Vec::new();
    }
    unknown(&[])
}

/// Returns a text about each variable that looks like an option and is none.
fn unknown(accounts: &[AccountOptions]) -> Vec<String> {
    let known = known(accounts);
    let variables: BTreeSet<_> =
        std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    let is_unknown = |name: &&String| name.starts_with(PREFIX) && !known.contains(*name);
    let unknown = variables.iter().filter(is_unknown).filter(|name| !is_of_a_service(name, &variables));
    let text = |name: &String| {
        let known = known.iter().filter_map(|known| known.strip_prefix(PREFIX));
        // A credential may be given as a name.
        let shown = redact(name);
        let nearest = nearest(name.trim_start_matches(PREFIX), known);
        let nearest = nearest.map(|nearest| format!(": did you mean {PREFIX}{nearest}?")).unwrap_or_default();
        format!("the environment variable {shown} is ignored, no option has this name{nearest}")
    };
    unknown.map(text).collect()
}

/// Returns true if the environment variable of an option has a value.
fn is_set(option: &Arg) -> bool {
    option.get_env().and_then(std::env::var_os).is_some_and(|value| !value.is_empty())
}

/// Returns the names of variables that are read.
fn known(accounts: &[AccountOptions]) -> BTreeSet<String> {
    let command = CommandLine::documented();
    let of_options =
        command.get_arguments().filter_map(|option| Some(option.get_env()?.to_string_lossy().into_owned()));
    let of_accounts = accounts.iter().filter_map(|account| match &account.origin {
        CredentialOrigin::Environment(name, _) => Some(name.clone()),
        CredentialOrigin::File(_) => None,
    });
    of_options.chain(of_accounts).chain(CREDENTIAL_VARIABLES.map(str::to_owned)).collect()
}

/// Returns true for a variable that Kubernetes sets in each container for a Service of the namespace.
fn is_of_a_service(name: &str, variables: &BTreeSet<String>) -> bool {
    ["_SERVICE_", "_PORT"].iter().filter_map(|part| name.find(part)).any(|end| {
        name.get(..end).is_some_and(|service| variables.contains(&format!("{service}_SERVICE_HOST")))
    })
}
