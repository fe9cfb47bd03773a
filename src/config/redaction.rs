//! Removes what looks like a secret from messages about the configuration.
//!
//! A key is easily given in place of the name of its file or variable, and a URL may contain a password. Messages show
//! what was given, because this helps to find the mistake, but not if it looks like one of these. The name of a file or
//! variable that does not exist is shown only if it looks like one: a short secret looks like nothing in particular.

use std::path::Path;

/// What is shown instead of a secret.
const MARK: &str = "[redacted]";

/// Length above which letters with digits, without a separator, look like a secret.
const LONGEST_NAME: usize = 20;

/// Replaces everything in `text` that looks like a secret.
#[must_use]
pub fn redact(text: &str) -> String {
    let is_separator = |c: char| !(c.is_ascii_alphanumeric() || "_-%.~+=@:".contains(c));
    let mut shown = String::new();
    for part in text.split_inclusive(is_separator) {
        let word = part.trim_end_matches(|c| is_separator(c) || ":.".contains(c));
        let is_query = word.contains('=') && shown.ends_with(['?', '&']);
        let user = word.rfind('@').filter(|_| shown.ends_with("//"));
        match user {
            _ if is_query => shown.push_str(MARK),
            // The host may be shown.
            Some(end) => shown.extend([MARK, &redact(&word[end..])]),
            None if is_secret(word) => shown.push_str(MARK),
            None => shown.push_str(word),
        }
        shown.push_str(&part[word.len()..]);
    }
    shown
}

/// Returns a path that may be shown: of a file that exists, with a separator, or with an extension of 2 to 4 letters.
#[must_use]
pub fn shown_path(path: &Path) -> String {
    shown_path_given_as(path, path)
}

/// Returns a path that may be shown as [`shown_path`] says, if it was `given` relative to another one.
pub(super) fn shown_path_given_as(path: &Path, given: &Path) -> String {
    let is_extension =
        |text: &str| (2..=4).contains(&text.len()) && text.chars().all(|c| c.is_ascii_lowercase());
    let has_extension = given.extension().and_then(std::ffi::OsStr::to_str).is_some_and(is_extension);
    let is_path = given.components().count() > 1 || has_extension || path.exists();
    if is_path { redact(&path.to_string_lossy()) } else { MARK.to_owned() }
}

/// Returns the name of an environment variable that may be shown: of one that is set, or of capital letters with
/// underscores.
#[must_use]
pub fn shown_variable(name: &str) -> &str {
    let is_name = name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if is_name || std::env::var_os(name).is_some() { name } else { MARK }
}

/// Returns true for an API key, a JWT, and other words that are unlike any name.
#[must_use]
pub fn is_secret(word: &str) -> bool {
    let has_digit = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    let lower = word.to_ascii_lowercase();
    let is_key =
        lower.split_once("ei_").is_some_and(|(_, key)| key.len() >= 6 && has_digit(key) || key.len() >= 16);
    let is_jwt = word.contains("eyJ") && word.len() >= LONGEST_NAME;
    let mut runs = word.split(|c: char| !(c.is_ascii_alphanumeric() || c == '%'));
    let has_letter = |text: &str| text.contains(|c: char| c.is_ascii_alphabetic());
    is_key || is_jwt || runs.any(|run| run.len() >= LONGEST_NAME && has_digit(run) && has_letter(run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_replaced_and_nothing_else() {
        for (text, expected) in [
            ("file /etc/ei_key, /run/secrets/edgeimpulse-api-key-2026.txt: no", None),
            ("api.url: expected an http or https URL, e.g. https://studio.edgeimpulse.com/v1", None),
            ("a path of 64 MiB at 2026-10-30T12:00:00Z, jan@example.com:443?", None),
            ("file /etc/ei_s3cr3t: no", Some("file /etc/[redacted]: no")),
            ("'EI_CANARY0123456789' is", Some("'[redacted]' is")),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.canary-1", Some("[redacted]")),
            ("http://user:s3cr3t@host.example:3128/v1", Some("http://[redacted]@host.example:3128/v1")),
            ("http://host.example/v1?apiKey=s3cr3t&b=c", Some("http://host.example/v1?[redacted]&[redacted]")),
            ("0123456789abcdef0123456789abcdef", Some("[redacted]")),
        ] {
            assert_eq!(redact(text), expected.unwrap_or(text));
        }
    }
}
