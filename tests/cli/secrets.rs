//! A secret that is given in the wrong place must not appear in any output.

use clap::CommandFactory;
use edgeimpulse_exporter::cli::arguments::CommandLine;
use futures_util::stream::{self, StreamExt};

use crate::support::running::{JWT, KEY};
use crate::support::secure::Folder;
use crate::support::{Program, file, get_text};

/// A password that looks like a name.
const PASSWORD: &str = "s3cr3t";

/// Name and value of an environment variable.
type Variable = (String, String);

/// Fails if a secret, or a part of one, is in a text.
fn assert_hidden(text: &str, place: &str) {
    for secret in ["canary", PASSWORD, "eyJ"] {
        let found = text.to_lowercase().find(&secret.to_lowercase());
        let around = found.map(|at| text[at.saturating_sub(200)..].chars().take(300).collect::<String>());
        assert_eq!(around, None, "{place}");
    }
}

/// Returns what is given in place of a value.
fn values() -> [String; 6] {
    [
        KEY.to_owned(),
        JWT.to_owned(),
        KEY.to_uppercase(),
        format!("https://user:{PASSWORD}@host.example:99/v1"),
        format!("https://host.example/v1?apiKey={PASSWORD}&x={KEY}"),
        format!("//user:{PASSWORD}@host.example"),
    ]
}

#[tokio::test]
async fn a_secret_in_place_of_any_value_is_not_shown() {
    let command = CommandLine::command();
    let mut calls: Vec<(Vec<String>, Option<Variable>)> = Vec::new();
    for option in command.get_arguments().filter(|option| option.get_long().is_some()) {
        let flag = format!("--{}", option.get_long().unwrap());
        if ["--help", "--version"].contains(&&*flag) {
            continue;
        }
        for value in values() {
            calls.push((vec![format!("{flag}={value}")], None));
        }
        if let Some(variable) = option.get_env() {
            let value = format!("http://user:{PASSWORD}@{KEY}");
            calls.push((vec![], Some((variable.to_str().unwrap().to_owned(), value))));
        }
    }
    for value in values() {
        for before in
            [vec![], vec!["--log.level"], vec!["demo"], vec!["completions"], vec!["check-api", "--openapi"]]
        {
            let words = before.into_iter().map(str::to_owned).chain([value.clone()]);
            calls.push((words.collect(), None));
        }
        calls.push((vec![format!("--api.key={value}")], None));
        calls.push((vec!["--api.key".to_owned(), value.clone()], None));
        calls.push((vec![format!("--{value}")], None));
        for (command, option) in [
            ("scrape", "--record"),
            ("history", "--label"),
            ("history", "--output"),
            ("man", "--directory"),
            ("metrics", "--format"),
            ("check", "--format"),
        ] {
            // A file in the way of a directory of this name.
            let value = if option == "--directory" { format!("/dev/null/{value}") } else { value.clone() };
            calls.push((vec![command.to_owned(), option.to_owned(), value], None));
        }
        for variable in ["EDGEIMPULSE_API_KEY", "EDGEIMPULSE_JWT"] {
            calls.push((vec![], Some((variable.to_owned(), format!("{value} {value}")))));
        }
    }
    stream::iter(calls)
        .for_each_concurrent(4, async |(mut arguments, variable)| {
            let is_command = arguments.first().is_some_and(|word| !word.starts_with("--"));
            if !is_command {
                arguments.insert(0, "check-config".to_owned());
            }
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let variables: Vec<_> =
                variable.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let ended = Program::start(&arguments, &variables).end().await;
            let place = format!("{arguments:?} {variables:?}");
            assert_ne!(ended.code, None, "{place}");
            assert_hidden(&ended.stderr, &place);
            assert_hidden(&ended.stdout, &place);
        })
        .await;
}

#[tokio::test]
async fn a_short_secret_in_place_of_a_file_or_a_variable_is_not_shown() {
    // Unlike a key, it has nothing that a name cannot have.
    for secret in ["0123456789canary", PASSWORD, "Canary_1"] {
        for option in
            ["config.file", "api.key-file", "api.jwt-file", "api.ca-file", "web.config.file", "replay"]
        {
            let (flag, value) = (format!("--{option}={secret}"), file("key", "ei_x"));
            let others =
                ["api.ca-file", "web.config.file"].contains(&option).then(|| format!("--api.key-file={value}"));
            let arguments = ["check-config", &flag].into_iter().chain(others.as_deref()).collect::<Vec<_>>();
            let ended = Program::ends(&arguments, &[], 2).await;
            assert_hidden(&ended.stderr, &flag);
            assert!(ended.stderr.contains(&format!("--{option}: ")), "{}", ended.stderr);
            assert!(ended.stderr.contains("[redacted]"), "{}", ended.stderr);
        }
        for field in ["key_env", "jwt_env", "key_file", "jwt_file"] {
            let path = file("config.yaml", &format!("accounts: [{{name: a, {field}: {secret}}}]"));
            let ended = Program::ends(&["check-config", "--config.file", &path], &[], 2).await;
            // A file is relative to the one that names it.
            let ends =
                ["cannot be read: No such file or directory (os error 2)\n", "the variable is not set\n"];
            assert!(
                ended.stderr.contains(&format!("{field}: the "))
                    && ends.iter().any(|end| ended.stderr.ends_with(end))
            );
            assert_hidden(&ended.stderr, field);
        }
    }
}

#[tokio::test]
async fn a_secret_in_place_of_any_value_of_a_file_is_not_shown() {
    let account = "accounts: [{name: a, key_file: b}]";
    let folder = Folder::empty();
    let mut checks = 0;
    for value in values() {
        for text in [
            "accounts: [{name: 'SECRET', key_file: b}]",
            "accounts: [{name: a, key_file: 'SECRET'}]",
            "accounts: [{name: a, jwt_file: 'SECRET'}]",
            "accounts: [{name: a, key_env: 'SECRET'}]",
            "accounts: [{name: a, jwt_env: 'SECRET'}]",
            "accounts: [{name: a, 'SECRET': b}]",
            "accounts: [{name: a, key_file: b, organization_ids: ['SECRET']}]",
            "accounts: 'SECRET'",
            "'SECRET'",
            "'SECRET': b",
            "{'SECRET': b, 'SECRET': b}",
            "ACCOUNT\napi: {url: 'SECRET'}",
            "ACCOUNT\napi: {proxy_url: 'SECRET'}",
            "ACCOUNT\napi: {ca_file: 'SECRET'}",
            "ACCOUNT\napi: {timeout: 'SECRET'}",
            "ACCOUNT\napi: {tls_server_name: 'SECRET'}",
            "ACCOUNT\napi: {compute_time_unit: 'SECRET'}",
            "ACCOUNT\nlog: {level: 'SECRET'}",
            "ACCOUNT\ncollectors: {disabled: ['SECRET']}",
            "ACCOUNT\ncollectors: {intervals: {'SECRET': 1h}}",
            "ACCOUNT\ncollectors: {projects: 'SECRET'}",
            "ACCOUNT\nweb: {config_file: 'SECRET'}",
            "ACCOUNT\nweb: {listen_addresses: ['SECRET']}",
            "ACCOUNT\nweb: {telemetry_path: 'SECRET'}",
        ] {
            let text = text.replace("ACCOUNT", account).replace("SECRET", &value);
            let path = file("config.yaml", &text);
            let ended = Program::start(&["check-config", "--config.file", &path], &[]).end().await;
            assert_eq!(ended.code, Some(2), "{text}: {ended:?}");
            assert_hidden(&ended.stderr, &text);
            checks += 1;
        }
        for text in [
            "basic_auth_users: {'a': 'SECRET'}",
            "basic_auth_users: 'SECRET'",
            "'SECRET': a",
            "tls_server_config: {cert_file: 'SECRET', key_file: a}",
            "tls_server_config: {cert: 'SECRET', key: 'SECRET'}",
            "tls_server_config: {min_version: 'SECRET'}",
            "tls_server_config: {'SECRET': a}",
            "http_server_config: {http2: 'SECRET'}",
            "http_server_config: {headers: {'SECRET': a}}",
            "rate_limit: {interval: 'SECRET', burst: 1}",
        ] {
            assert_hidden(&folder.refused(&text.replace("SECRET", &value)), text);
            checks += 1;
        }
    }
    assert_eq!(checks, 6 * 34);
}

#[tokio::test]
async fn a_secret_in_the_path_of_the_url_is_not_shown() {
    let url = format!("http://127.0.0.1:1/{KEY}/v1");
    let arguments = ["--api.url", &url, "--log.level=trace", "--web.listen-address=127.0.0.1:0"];
    let mut program = Program::start(&arguments, &[("EDGEIMPULSE_API_KEY", "ei_x")]);
    let line = program.says("listening").await;
    assert!(line.contains("http://127.0.0.1:1/[redacted]/v1"), "{line}");
    let (_, address) = line.split_once("address=").unwrap();
    let address = address.split(' ').next().unwrap();
    for path in ["/metrics", "/", "/nowhere"] {
        assert_hidden(&get_text(format!("http://{address}{path}")).await, path);
    }
    assert_hidden(&program.stop().await.stderr, "log");
}
