//! The configuration file: what it configures, and its errors.

use clap::CommandFactory;
use edgeimpulse_exporter::cli::arguments::CommandLine;
use edgeimpulse_exporter::collect::Exporter;
use edgeimpulse_exporter::config::{Configuration, OptionSources, file as config_file};
use edgeimpulse_exporter::model::{Clock, Collector};
use serde_json::Value;

use crate::support::running::{JWT, KEY};
use crate::support::{FakeApi, Program, Running, file};

fn schema() -> Value {
    serde_json::from_str(&config_file::schema()).unwrap()
}

/// Returns the documents of `text` as the JSON that a schema is about.
fn as_json(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn read(text: &str) -> Result<Configuration, String> {
    read_file(&file("config.yaml", text))
}

fn read_file(path: &str) -> Result<Configuration, String> {
    config_file::read(std::path::Path::new(path), &OptionSources::default())
}

#[test]
fn the_schema_in_the_docs_is_fresh() {
    let found = crate::support::repository::read("docs/config.schema.json");
    assert_eq!(found, config_file::schema(), "cargo run -- check-config --schema > docs/config.schema.json");
}

#[test]
fn the_example_says_the_defaults_and_agrees_with_the_schema() {
    let example =
        include_str!("../docs/config.example.yaml").replace("jwt_env: PARTNER_JWT", "jwt_file: partner");
    jsonschema::validate(&schema(), &as_json(&example)).unwrap();
    let said = read(&example).unwrap();
    let silent = read("accounts: [{name: a, key_file: b}]").unwrap();
    assert_eq!(said.api, silent.api);
    assert_eq!(said.common.web, silent.common.web);
    assert_eq!(said.common.log, silent.common.log);
    assert_eq!(said.common.collectors, silent.common.collectors);
    assert_eq!(format!("{:?}", said.common.scrape), format!("{:?}", silent.common.scrape));
    assert_eq!(format!("{:?}", said.common.cache), format!("{:?}", silent.common.cache));
    // Without a word about it, a flag's default holds.
    let flags = <CommandLine as clap::Parser>::try_parse_from(["edgeimpulse-exporter"]).unwrap().options;
    assert_eq!(silent.api, flags.api);
    assert_eq!(silent.common.collectors, flags.common.collectors);
    assert_eq!(silent.common.web, flags.common.web);
}

/// Flags whose place in the file is not their name with underscores.
const OTHER_NAMES: [(&str, &str); 13] = [
    ("api.key-file", "accounts.key_file"),
    ("api.jwt-file", "accounts.jwt_file"),
    ("organization-id", "accounts.organization_ids"),
    ("user-id", "accounts.user_ids"),
    ("whitelabel.organization-id", "accounts.whitelabel.organization_ids"),
    ("whitelabel.user-id", "accounts.whitelabel.user_ids"),
    ("web.listen-address", "web.listen_addresses"),
    ("web.config.file", "web.config_file"),
    ("collector.projects", "collectors.projects"),
    ("collector.interval", "collectors.intervals"),
    ("collector.organization.most-datasets", "collectors.most_datasets"),
    ("usage.exclude-edge-impulse-users", "collectors.exclude_edge_impulse_users"),
    ("usage.project-visibility", "collectors.project_visibility"),
];

#[test]
fn everything_that_a_flag_can_say_the_file_can_say() {
    let schema = schema();
    let has = |path: &[&str]| {
        let mut place = &schema;
        for name in path {
            let reference = place["$ref"].as_str().or_else(|| place["items"]["$ref"].as_str());
            if let Some(reference) = reference {
                place = &schema["$defs"][reference.trim_start_matches("#/$defs/")];
            }
            place = &place["properties"][*name];
        }
        !place.is_null()
    };
    let mut flags = 0;
    for argument in CommandLine::command().get_arguments() {
        let Some(flag) = argument.get_long() else { continue };
        if ["help", "version"].contains(&flag) || argument.is_hide_set() {
            continue;
        }
        if ["config.file", "replay"].contains(&flag) {
            continue;
        }
        flags += 1;
        let same_name = flag.replace('-', "_");
        let other_name = OTHER_NAMES.iter().find(|(other, _)| *other == flag).map(|(_, name)| *name);
        let name = match flag.strip_prefix("collector.") {
            Some(collector) if Collector::named(collector).is_some() => "collectors.disabled",
            _ => other_name.unwrap_or(&same_name),
        };
        let path: Vec<&str> = name.split('.').collect();
        assert!(has(&path), "--{flag} is not at {name}");
    }
    assert!(flags > 30);
}

/// Wrong settings of a file with one account: the error, and whether the schema finds it too.
const WRONG_SETTINGS: [(&str, &str, bool); 29] = [
    (
        "web: {listen_adress: x}",
        ":1:7: web.listen_adress: unknown field: expected one of listen_addresses, config_file, ",
        true,
    ),
    (
        "log: {levle: debug}",
        ":1:7: log.levle: unknown field: expected one of level, format; did you mean level?",
        true,
    ),
    ("api:\n  timeout: 5 parsecs", ":2:12: api.timeout: expected a duration, e.g. 10s or 1m30s", false),
    ("api:\n  timeout: 5", ":2:12: api.timeout: expected a duration", true),
    ("api:\n  timeout: 0s", ":2:12: api.timeout: must be greater than zero, e.g. 10s", false),
    ("api:\n  timeout: [5s]", ":2:12: api.timeout: expected text, got a list", true),
    ("api:\n  timeout:", ":2:10: api.timeout: expected text, got nothing", true),
    (
        "api: {url: studio}",
        ":1:12: api.url: expected an http or https URL, e.g. https://studio.edgeimpulse.com/v1",
        false,
    ),
    (
        "api: {url: 'https://user:canary@a.example'}",
        ":1:12: api.url: the URL contains a credential, which logs would show",
        false,
    ),
    ("api: {concurrency: 0}", ":1:20: api.concurrency: expected a whole number from 1 to 1000", true),
    ("api: {concurrency: many}", ":1:20: api.concurrency: expected a whole number from 1 to 1000", true),
    (
        "api: {calls_per_minute: -1}",
        ":1:25: api.calls_per_minute: expected a whole number from 1 to 4294967295",
        true,
    ),
    (
        "collectors: {disabled: [useage]}",
        ":1:25: collectors.disabled[0]: unknown value \"useage\": expected one of usage, organization, ",
        true,
    ),
    (
        "collectors: {intervals: {whitelabel_user: 1m}}",
        ":1:43: collectors.intervals.whitelabel_user: expected 15m or more",
        false,
    ),
    (
        "collectors: {intervals: {usage: 0s}}",
        ":1:33: collectors.intervals.usage: must be greater than zero",
        false,
    ),
    (
        "collectors: {intervals: {useage: 1m}}",
        ":1:26: collectors.intervals.useage: unknown collector: expected one of usage, organization, ",
        false,
    ),
    ("web: {listen_addresses: :1}", ":1:25: web.listen_addresses: expected a list, got text", true),
    ("web:\n  listen_addresses: 'unix:/a: b'", ":2:21: web.listen_addresses: expected a list, got text", true),
    (
        "collectors:\n  projects: |\n    a: b",
        ":3:5: collectors.projects: expected true or false, got text",
        true,
    ),
    ("collectors: {projects: yes}", ":1:24: collectors.projects: expected true or false, got text", false),
    (
        "collectors: {most_datasets: 99999999999999999999}",
        ":1:29: collectors.most_datasets: expected a whole number, got a number that is too large",
        false,
    ),
    ("api: 5", ":1:6: api: expected a mapping, got a number", true),
    ("api:", ":1:4: api: expected a mapping, got nothing", true),
    (
        "log: {level: loud}",
        ":1:14: log.level: unknown value \"loud\": expected one of error, warn, info, debug, trace",
        true,
    ),
    ("log: {level: [canary]}", ":1:14: log.level: expected text, got a list", true),
    (
        "log: {level: 5}",
        ":1:14: log.level: expected one of error, warn, info, debug, trace, got a number",
        true,
    ),
    ("accounts: []", ":2:1: field \"accounts\" is set twice", false),
    ("api: *canary", ":1:6: there is no anchor of this name", false),
    ("{}\n---", ":3:1: expected one YAML document, found a second one", false),
];

/// The same of whole files.
const WRONG_FILES: [(&str, &str, bool); 20] = [
    (
        "api: {concurrency: 1}\naccounts: [{name: a, key_file: b}, {name: c, key_file: d}]",
        ":1:20: api.concurrency: expected 2 or more",
        false,
    ),
    ("accounts: []", ": no accounts: expected at least one, with a name", true),
    ("{}", ": no accounts", false),
    ("", ": no accounts", false),
    ("accounts: canary", ":1:11: accounts: expected a list, got text", true),
    ("accounts:\n  name: a", ":2:3: accounts: expected a list, got a mapping", true),
    ("accounts: [canary]", ":1:12: accounts[0]: expected a mapping, got text", true),
    ("accounts: [[canary]]", ":1:12: accounts[0]: expected a mapping, got a list", true),
    ("canary", ":1:1: expected a mapping, got text", true),
    ("accounts:\n  - name: a", ":2:11: account a: no credential: expected key_file, key_env", false),
    (
        "accounts:\n  - name: a\n    key_file: b\n    jwt_env: C",
        ":4:14: account a: more than one credential: expected one of key_file, key_env",
        false,
    ),
    (
        "accounts:\n  - name: a b\n    key_file: b",
        ":2:11: accounts.name \"a b\": expected only letters, digits",
        true,
    ),
    ("accounts:\n  - key_file: b", ":2:5: accounts[0]: field \"name\" is missing", true),
    ("accounts:\n  - name: {canary: a}", ":2:11: accounts[0].name: expected text, got a mapping", true),
    (
        "accounts:\n  - {name: a, key_file: b}\n  - {name: a, key_file: c}",
        ":3:12: accounts: the name \"a\" is used twice",
        false,
    ),
    ("accounts: [{name: a, key_file: b, user_ids: [1]}]", ":1:19: account a: user_ids require a JWT", false),
    (
        "accounts:\n  - {name: a, key_file: b, organization_ids: [canary]}",
        ":2:47: accounts[0].organization_ids[0]: expected a whole number, got text",
        true,
    ),
    (
        "accounts:\n  - {name: a, key_file: b, organization_ids: [1, -2]}",
        ":2:50: accounts[0].organization_ids[1]: expected a whole number, got a negative number",
        true,
    ),
    (
        "accounts:\n  - {name: a, key_file: b, organization_ids: [1.5]}",
        ":2:47: accounts[0].organization_ids[0]: expected a whole number, got a number with a fraction",
        true,
    ),
    ("accounts: [{name: a, key_file: b}", ":1:11: invalid YAML: unclosed bracket '['", false),
];

#[test]
fn what_is_wrong_is_named_with_file_line_and_what_was_expected() {
    let with_account = |(text, hint, schema_finds): (&str, _, _)| {
        (format!("{text}\naccounts: [{{name: a, key_file: b}}]"), hint, schema_finds)
    };
    let whole = WRONG_FILES.map(|(text, hint, schema_finds)| (text.to_owned(), hint, schema_finds));
    for (text, hint, schema_finds) in WRONG_SETTINGS.map(with_account).into_iter().chain(whole) {
        let error = read(&text).unwrap_err();
        let (_, after_path) = error.split_once("config.yaml").unwrap_or_else(|| panic!("{error}"));
        assert!(after_path.starts_with(hint), "{text}\n{error}\n{hint}");
        assert_eq!(error.lines().count(), 1, "{error}");
        for inner in ["canary", "u16", "u32", "u64", "struct", "enum", "Spanned", "Policy", "scalar"] {
            assert!(!error.contains(inner), "{text}\n{error}");
        }
        assert!(!schema_finds || !jsonschema::is_valid(&schema(), &as_json(&text)), "{text}");
    }
}

#[tokio::test]
async fn check_config_says_so_without_starting() {
    let wrong = file("config.yaml", "accounts:\n  - name: a\n    key_file: nowhere\n");
    let ended = Program::ends(&["check-config", "--config.file", &wrong], &[], 2).await;
    assert!(
        ended.stderr.contains(":3:15: key_file: the API key in file ") && ended.stderr.contains("No such file"),
        "{ended:?}"
    );
    let key = file("key", "ei_canary");
    let right = file("config.yaml", &format!("accounts:\n  - name: a\n    key_file: {key}\n"));
    let ended = Program::ends(&["check-config"], &[("EDGEIMPULSE_CONFIG_FILE", &right)], 0).await;
    assert_eq!(ended.stdout, "The configuration is valid. Accounts: 1 (a).\n");
}

#[tokio::test]
async fn what_the_configuration_file_would_override_is_refused() {
    let file_with = |credential: &str| file("config.yaml", &format!("accounts: [{{ name: a, {credential} }}]"));
    let of_file = file_with(&format!("key_file: {}", file("key", "ei_x")));
    let set_it = "cannot be combined with --config.file: set it in the file";
    for (arguments, (name, value), hint) in [
        (vec!["--log.level=debug"], ("X", ""), set_it),
        (vec!["--no-collector.usage"], ("X", ""), set_it),
        (vec!["--replay=x"], ("X", ""), "--replay cannot be combined with --config.file"),
        (vec![], ("EDGEIMPULSE_API_URL", "http://127.0.0.1:1"), set_it),
        (vec![], ("EDGEIMPULSE_API_KEY_FILE", "key"), set_it),
        (
            vec![],
            ("EDGEIMPULSE_API_KEY", "canary"),
            "EDGEIMPULSE_API_KEY cannot be combined with --config.file: name it",
        ),
        (
            vec![],
            ("EDGEIMPULSE_JWT", "canary"),
            "EDGEIMPULSE_JWT cannot be combined with --config.file: name it",
        ),
    ] {
        let arguments = [vec!["check-config", "--config.file", &of_file], arguments].concat();
        let ended = Program::ends(&arguments, &[(name, value)], 2).await;
        assert!(ended.stderr.contains(hint) && !ended.stderr.contains("canary"), "{ended:?}");
    }
    let ended = Program::ends(&["--log.level=debug"], &[("EDGEIMPULSE_CONFIG_FILE", &of_file)], 2).await;
    let both =
        "--log.level cannot be combined with environment variable EDGEIMPULSE_CONFIG_FILE: set it in the file";
    assert!(ended.stderr.contains(both), "{ended:?}");
    let of_variable = file_with("key_env: EDGEIMPULSE_API_KEY");
    let environment = [("EDGEIMPULSE_API_KEY", "ei_x"), ("EDGEIMPULSE_JWT", "")];
    Program::ends(&["check-config", "--config.file", &of_variable], &environment, 0).await;
}

#[tokio::test]
async fn a_configuration_is_checked_without_its_credentials() {
    let config = file(
        "config.yaml",
        "accounts:\n  - { name: a, key_env: NOT_SET }\n  - { name: b, jwt_file: nowhere }\n",
    );
    let ended = Program::ends(&["check-config", "--config.file", &config], &[], 2).await;
    let missing = "config.yaml:2:25: key_env: the API key in environment variable NOT_SET is missing: the variable is not set\n";
    assert!(ended.stderr.ends_with(missing), "{ended:?}");
    let without = ["check-config", "--without-credentials"];
    let ended = Program::ends(&[&without[..], &["--config.file", &config]].concat(), &[], 0).await;
    assert_eq!(
        ended.stdout,
        "The configuration is valid. Accounts: 2 (a, b). The credentials were not read.\n"
    );
    let ended = Program::ends(&[&without[..], &["--api.timeout=5s"]].concat(), &[], 0).await;
    assert_eq!(ended.stdout, "The configuration is valid. Accounts: 0. The credentials were not read.\n");
    let wrong = file(
        "config.yaml",
        "accounts: [{ name: a, key_env: NOT_SET, collectors: { disabled: [organizations] } }]",
    );
    let ended = Program::ends(&[&without[..], &["--config.file", &wrong]].concat(), &[], 2).await;
    assert!(ended.stderr.contains("nothing to read"), "{ended:?}");
    Program::ends(&[&without[..], &["--web.config.file=nowhere"]].concat(), &[], 2).await;
}

#[tokio::test]
async fn what_is_no_credential_is_found_at_the_start_and_by_check_config() {
    let expired = "eyJhbGciOiJub25lIn0.eyJleHAiOjEwMDAwMDAwMDB9.canary";
    let long = "0".repeat(10_000_000);
    for (flag, text, hint) in [
        ("--api.key-file", "\u{feff}ei_canary", "begins with a byte order mark: save it as UTF-8 without one"),
        ("--api.key-file", "'ei_canary'", "is in quotes: remove them"),
        ("--api.key-file", "EDGEIMPULSE_API_KEY=ei_canary", "is written as NAME=VALUE: leave only the value"),
        ("--api.key-file", "ei_can\u{200b}ary", "has the character U+200B at position 7"),
        ("--api.key-file", JWT, "is a JWT: configure it with --api.jwt-file"),
        ("--api.jwt-file", KEY, "is an API key: configure it with --api.key-file"),
        ("--api.key-file", &long, "the file is larger than 4 MiB"),
    ] {
        let path = file("credential", text);
        for arguments in [&["check-config", flag, &path][..], &[flag, &path]] {
            let ended = Program::ends(arguments, &[], 2).await;
            assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
            assert!(ended.stderr.contains(hint) && ended.stderr.contains(&path), "{hint}: {}", ended.stderr);
            assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
        }
    }
    let path = file("jwt", expired);
    let ended = Program::ends(&["check-config", "--api.jwt-file", &path], &[], 1).await;
    let line = format!("error: account default: JWT expired: provide a new one in file {path}\n");
    assert!(ended.stderr.ends_with(&line), "{}", ended.stderr);
    let mut program = Program::start(&["--web.listen-address=127.0.0.1:0", "--api.jwt-file", &path], &[]);
    let line = program.says("JWT expired").await;
    assert!(line.contains("WARN") && line.contains(&path), "{line}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_credential_that_every_user_can_replace_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let path = file("key", KEY);
    for (mode, warnings) in [(0o644, 0), (0o666, 1)] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let ended = Program::ends(&["check-config", "--api.key-file", &path], &[], 0).await;
        let advice = format!("run chmod 600 {path}");
        assert_eq!(ended.stderr.matches(&advice).count(), warnings, "{mode:o}: {}", ended.stderr);
    }
}

/// Returns a file with an account for each of `keys`, which is its name too.
pub fn with_accounts(api: &str, keys: &[&str], rest: &str) -> String {
    let mut text = format!("api:\n  url: {api}\n{rest}accounts:\n");
    for key in keys {
        let path = file("key", key);
        text.extend(["  - name: ", key, "\n    key_file: ", &path, "\n"]);
    }
    text
}

pub fn build(config: &str) -> std::sync::Arc<Exporter> {
    Exporter::build(read_file(config).unwrap(), Clock::System, None).unwrap()
}

#[tokio::test]
async fn each_account_sees_what_its_credential_sees() {
    let api = FakeApi::with_keys(&["one", "two"]).await;
    // However few calls are allowed, each account has a share of them.
    let rest = "  concurrency: 2\n  calls_per_minute: 1\ncollectors: {disabled: [organization, buckets, pipelines], intervals: {usage: 1h}}\n";
    let exporter = build(&file("config.yaml", &with_accounts(&api.url(), &["one", "two"], rest)));
    let metrics = Running::serve(exporter).await.scrape().await;
    for (account, id) in [("one", "1"), ("two", "2")] {
        assert_eq!(metrics.value("edgeimpulse_up", &[("account", account)]), Some(1.0));
        let labels = [("account", account), ("collector", "usage"), ("organization_id", id)];
        assert_eq!(metrics.value("edgeimpulse_scrape_collector_success", &labels), Some(1.0));
        assert_eq!(metrics.series("edgeimpulse_scrape_collector_success", &labels[..2]).len(), 1);
    }
}
