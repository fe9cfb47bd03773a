//! Where each option was set, so that errors name what the person wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use serde_saphyr::Location;

use super::redaction::shown_path_given_as;
use super::{CredentialOrigin, Options, with_variable, yaml};
use crate::model::Collector;

/// Why an option cannot be used. [`OptionSources::describe`] adds where it was set.
#[derive(Debug)]
pub struct OptionError {
    /// The flag without hyphens, if one option is the reason.
    flag: Option<&'static str>,
    what: String,
}

impl OptionError {
    /// Returns an error about the option of this flag, written without hyphens.
    pub(crate) fn about(flag: &'static str, what: impl Into<String>) -> Self {
        Self { flag: Some(flag), what: what.into() }
    }
}

/// An error about no option, or one that names it.
impl From<String> for OptionError {
    fn from(what: String) -> Self {
        Self { flag: None, what }
    }
}

/// Where options were set: by flag, unless it is known here that a variable or the file did it.
#[derive(Clone, Debug, Default)]
pub struct OptionSources {
    /// The flags, without hyphens, whose values came from environment variables, and these variables.
    variables: BTreeMap<String, String>,
    /// The configuration file, if there is one, and the places of its fields.
    file: Option<(PathBuf, BTreeMap<String, Location>)>,
}

impl OptionSources {
    /// Returns the sources of the fields of a configuration file, which was named as here.
    pub(super) fn of_file(&self, path: &Path, fields: BTreeMap<String, Location>) -> Self {
        Self { variables: self.variables.clone(), file: Some((path.to_owned(), fields)) }
    }

    /// Returns the text of an error, with the variable, the flag, or the place and field that set the option.
    #[must_use]
    pub fn describe(&self, error: OptionError) -> String {
        let OptionError { flag, what } = error;
        let Some(flag) = flag else { return what };
        let name = self.name(flag);
        let place =
            self.file.as_ref().and_then(|(path, fields)| Some(yaml::place(path, Some(*fields.get(&name)?))));
        let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
        format!("{place}{name}: {what}")
    }

    /// Returns where a credential comes from. A file that does not exist is shown if what was written looks like a path.
    #[must_use]
    pub fn describe_origin(&self, origin: &CredentialOrigin) -> String {
        let CredentialOrigin::File(path) = origin else { return origin.to_string() };
        let directory = self.file.as_ref().and_then(|(file, _)| file.parent());
        let given = directory.and_then(|directory| path.strip_prefix(directory).ok());
        format!("file {}", shown_path_given_as(path, given.unwrap_or(path)))
    }

    /// Returns how an option was set, or can be set: the variable, the field of the file, or the flag, which is given without
    /// hyphens.
    #[must_use]
    pub fn name(&self, flag: &str) -> String {
        match self.variables.get(flag) {
            Some(variable) => variable.clone(),
            None if self.file.is_some() && flag != "config.file" => field(flag),
            None => format!("--{flag}"),
        }
    }

    /// Returns a text in which options are named as they were set, or can be set, instead of by their flags.
    #[must_use]
    pub fn named_in(&self, text: &str) -> String {
        let named = |word: &str| match word.strip_prefix("--") {
            Some(flag) => {
                let (flag, end) = flag.split_at(flag.trim_end_matches([',', ';', '.', ':']).len());
                self.name(flag) + end
            }
            None => word.to_owned(),
        };
        text.split(' ').map(named).collect::<Vec<_>>().join(" ")
    }
}

/// Returns the field of the configuration file that is the same option as a flag, which is given without hyphens.
#[must_use]
pub fn field(flag: &str) -> String {
    let flag = flag.strip_prefix("no-").unwrap_or(flag);
    let option = |name: &str| format!("collectors.{}", name.replace('-', "_"));
    match flag {
        "api.key-file" => "accounts.key_file".to_owned(),
        "api.jwt-file" => "accounts.jwt_file".to_owned(),
        "web.listen-address" => "web.listen_addresses".to_owned(),
        "web.config.file" => "web.config_file".to_owned(),
        "organization-id" | "user-id" | "whitelabel.organization-id" | "whitelabel.user-id" => {
            format!("accounts.{}s", flag.replace('-', "_"))
        }
        "collector.interval" => option("intervals"),
        "collector.projects" => option("projects"),
        _ => match flag.split_once('.') {
            Some(("usage", name)) => option(name),
            Some(("collector", name)) => match (name.split_once('.'), Collector::named(name)) {
                (Some((_, name)), _) => option(name),
                (None, Some(collector)) if !collector.is_on_by_default() => option("enabled"),
                (None, _) => option("disabled"),
            },
            _ => flag.replace('-', "_"),
        },
    }
}

impl Args for OptionSources {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

impl FromArgMatches for OptionSources {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let command = Options::augment_args(Command::new(""));
        let is_from_variable =
            |id: &clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::EnvVariable);
        let of_variables = matches.ids().filter(|id| is_from_variable(id));
        let variables = of_variables.filter_map(|id| {
            let option = command.get_arguments().find(|option| option.get_id() == id)?;
            let variable = with_variable(option.clone());
            Some((option.get_long()?.to_owned(), variable.get_env()?.to_string_lossy().into_owned()))
        });
        Ok(Self { variables: variables.collect(), file: None })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
