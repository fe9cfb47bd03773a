//! Parsers of values: flags, environment variables and the configuration file accept the same.

use std::ffi::OsStr;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command};
use serde::{Serialize, Serializer};
use url::Url;

use crate::model::UnixTime;

/// Default base URL of the API.
pub const STUDIO_URL: &str = "https://studio.edgeimpulse.com/v1";

pub(super) fn telemetry_path(text: &str) -> Result<String, String> {
    const TAKEN: [&str; 6] = ["/", "/-/healthy", "/-/ready", "/-/reload", "/probe", "/sd"];
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    if !text.starts_with('/') || !text.chars().all(allowed) {
        return Err("expected a path, e.g. /metrics".to_owned());
    }
    if TAKEN.contains(&text) {
        return Err(format!(
            "{text} is another endpoint of the exporter: expected another path, e.g. /metrics"
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn base_url(text: &str) -> Result<Url, String> {
    let url = http_url(text, STUDIO_URL)?;
    if has_credential(&url) {
        return Err("the URL contains a credential, which logs would show: \
                    configure an API key or JWT separately"
            .to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("expected a URL without query and fragment, e.g. {STUDIO_URL}"));
    }
    Ok(url)
}

pub(super) fn proxy_url(text: &str) -> Result<Url, String> {
    let url = http_url(text, "http://proxy.example:3128")?;
    if has_credential(&url) {
        return Err("the URL contains a credential, which logs would show: set HTTPS_PROXY instead".to_owned());
    }
    Ok(url)
}

/// Parses the URL of a flag. Errors do not contain the value, which may contain a credential.
#[derive(Clone)]
pub(super) struct UrlParser(pub(super) fn(&str) -> Result<Url, String>);

impl TypedValueParser for UrlParser {
    type Value = Url;

    fn parse_ref(&self, command: &Command, flag: Option<&Arg>, value: &OsStr) -> Result<Url, clap::Error> {
        (self.0)(&value.to_string_lossy()).map_err(|error| {
            let flag = flag.map(ToString::to_string).unwrap_or_default();
            let text = format!("invalid value for '{flag}': {error}");
            clap::Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
        })
    }
}

fn http_url(text: &str, example: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| format!("expected an http or https URL, e.g. {example}"))
}

fn has_credential(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

pub(super) fn server_name(text: &str) -> Result<String, String> {
    match url::Host::parse(text) {
        Ok(url::Host::Domain(name)) => Ok(name),
        _ => Err("expected a host name, e.g. studio.edgeimpulse.com".to_owned()),
    }
}

/// Parses a date with a time of day.
///
/// # Errors
/// If the text is not such a date.
pub fn moment(text: &str) -> Result<UnixTime, String> {
    let moment = text.parse::<jiff::Timestamp>();
    let moment = moment.map_err(|_| "expected a time, e.g. 2026-10-30T12:00:00Z".to_owned())?;
    Ok(moment.as_duration().as_secs_f64())
}

/// Parses a duration that is greater than zero.
///
/// # Errors
/// If the text is not such a duration.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be greater than zero, e.g. 10s".to_owned()),
        duration => Ok(duration),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "expected a duration, e.g. 10s or 1m30s".to_owned())
}

/// The units of sizes, the largest first.
const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.into_iter().find(|(name, _)| *name == unit || unit.is_empty() && *name == "B");
    let size = unit.and_then(|(_, unit)| number.parse::<u64>().ok()?.checked_mul(unit));
    size.filter(|size| *size > 0)
        .ok_or_else(|| "expected a size, e.g. 64MiB (units: B, KiB, MiB, GiB)".to_owned())
}

/// Writes a size as it can be configured.
fn write_size(bytes: u64) -> String {
    let unit = UNITS.into_iter().find(|(_, unit)| bytes.is_multiple_of(*unit));
    unit.map(|(name, unit)| format!("{}{name}", bytes / unit)).unwrap_or_default()
}

/// Most concurrent calls that can be configured.
pub(super) const MAX_CONCURRENCY: u16 = 1000;

pub(super) fn concurrency(text: &str) -> Result<u16, String> {
    number(text, 1..=MAX_CONCURRENCY)
}

pub(super) fn calls_per_minute(text: &str) -> Result<u32, String> {
    number(text, 1..=u32::MAX)
}

pub(super) fn id(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "expected a whole number, e.g. 1002".to_owned())
}

/// Parses a whole number within bounds.
///
/// # Errors
/// If the text is not such a number.
pub fn number<T: FromStr + PartialOrd + Display>(text: &str, bounds: RangeInclusive<T>) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| format!("expected a whole number from {} to {}", bounds.start(), bounds.end()))
}

/// Serializes a path, which need not be UTF-8, as text.
pub(super) fn path_as_text<'a, S: Serializer>(
    path: impl Into<Option<&'a PathBuf>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    path.into().map(|path| path.to_string_lossy()).serialize(serializer)
}

/// Defines for a parser of this module a module of the same name for `#[serde(with = "...")]`: the file accepts the
/// texts that the flag accepts, and a value is serialized as such a text. The field may be an `Option`.
macro_rules! in_the_file_as_text {
    ($($parser:ident: $value:ty => $write:expr;)*) => {$(
        pub(super) mod $parser {
            use serde::de::{Deserialize, Deserializer, Error};
            use serde::ser::{Serialize, Serializer};

            pub(in crate::config) fn serialize<'a, S: Serializer>(
                value: impl Into<Option<&'a $value>>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                value.into().map($write).serialize(serializer)
            }

            pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>, T: From<$value>>(
                deserializer: D,
            ) -> Result<T, D::Error> {
                super::$parser(&String::deserialize(deserializer)?).map(T::from).map_err(D::Error::custom)
            }
        }
    )*};
}

in_the_file_as_text! {
    base_url: url::Url => url::Url::as_str;
    calls_per_minute: u32 => |number| *number;
    concurrency: u16 => |number| *number;
    duration: std::time::Duration => |duration| humantime::format_duration(*duration).to_string();
    positive_duration: std::time::Duration => |duration| humantime::format_duration(*duration).to_string();
    proxy_url: url::Url => url::Url::as_str;
    server_name: String => String::as_str;
    size: u64 => |bytes| super::write_size(*bytes);
    telemetry_path: String => String::as_str;
}
