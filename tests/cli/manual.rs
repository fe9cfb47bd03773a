//! Help, completions and manual pages.

use std::collections::BTreeSet;
use std::process::Command;

use clap::ValueEnum as _;
use edgeimpulse_exporter::cli::arguments::CommandLine;

use crate::support::{Program, file};

/// Returns the output of the program, which must succeed, on a terminal of 80 columns.
async fn output_of(arguments: &[&str]) -> String {
    // Would be shown to whoever reads the help.
    let environment = [("COLUMNS", "80"), ("EDGEIMPULSE_API_URL", "https://canary.example")];
    let ended = Program::start(arguments, &environment).end().await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    assert!(!ended.stdout.contains("canary"), "{}", ended.stdout);
    ended.stdout
}

/// Returns the names of all long options in a text.
fn options(text: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let words = text.split(|c| !is_part(c)).map(|word| word.trim_end_matches('.'));
    words.filter_map(|word| word.strip_prefix("--")).filter(|name| !name.is_empty()).collect()
}

#[tokio::test]
async fn the_short_help_fits_a_screen_and_names_nothing_that_does_not_exist() {
    let (short, long) = (output_of(&["-h"]).await, output_of(&["--help"]).await);
    assert!(short.lines().count() <= 50, "{} lines:\n{short}", short.lines().count());
    let wide: Vec<_> = short.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    let mut known = options(&long);
    // Stands for the flags of all collectors.
    known.insert("no-collector.NAME");
    let unknown: Vec<_> = options(&short).difference(&known).copied().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    for command in CommandLine::documented().get_subcommands() {
        let name = command.get_name();
        let line = short.lines().find(|line| line.trim_start().starts_with(&format!("{name} ")));
        assert!(line.is_some(), "{name} is missing:\n{short}");
        let brief = output_of(&[name, "-h"]).await;
        assert!(brief.lines().count() <= 50, "{name}: {} lines:\n{brief}", brief.lines().count());
    }
}

#[tokio::test]
async fn the_long_help_has_every_option_with_its_variable_and_the_exit_codes() {
    let long = output_of(&["--help"]).await;
    for argument in CommandLine::documented().get_arguments().filter(|argument| !argument.is_hide_set()) {
        let name = argument.get_long().unwrap();
        assert!(options(&long).contains(name), "{name}");
        let variable = argument.get_env().unwrap_or_default().to_str().unwrap();
        assert!(long.contains(&format!("[env: {variable}]")) || variable.is_empty(), "{name}: {variable}");
    }
    for text in ["Credential:", "Examples:", "Exit codes:", "EDGEIMPULSE_JWT", "EDGEIMPULSE_API_KEY"] {
        assert!(long.contains(text), "{text}");
    }
}

/// Returns the completions that bash offers for the last of these words.
async fn completed(words: &[&str]) -> Vec<String> {
    let script = file("completion.bash", &output_of(&["completions", "bash"]).await);
    let line = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                registered=($(complete -p edgeimpulse-exporter)); \
                for i in \"${!registered[@]}\"; do [ \"${registered[i]}\" = -F ] && f=${registered[i + 1]}; done; \
                \"$f\" \"$1\" \"${!#}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["--norc", "-c", line, "bash", &script, "edgeimpulse-exporter"])
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn bash_completes_options_commands_and_values() {
    assert_eq!(completed(&["--api.k"]).await, ["--api.key-file"]);
    assert_eq!(completed(&["heal"]).await, ["healthcheck"]);
    assert_eq!(completed(&["--log.level", "w"]).await, ["warn"]);
    assert_eq!(completed(&["metrics", "--format", "mark"]).await, ["markdown"]);
    assert_eq!(completed(&["demo", "--organ"]).await, ["--organizations"]);
}

#[tokio::test]
async fn every_shell_has_a_completion_script() {
    for shell in clap_complete::Shell::value_variants() {
        let script = output_of(&["completions", &shell.to_string()]).await;
        for word in ["edgeimpulse-exporter", "api.key-file", "healthcheck"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[tokio::test]
async fn the_manual_has_every_option_and_a_page_for_each_command() {
    let page = output_of(&["man"]).await;
    let plain = page.replace("\\-", "-");
    for argument in CommandLine::documented().get_arguments().filter(|argument| !argument.is_hide_set()) {
        let name = format!("--{}", argument.get_long().unwrap());
        assert!(plain.contains(&name), "{name}");
    }
    for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "WEB", "SUBCOMMANDS", "EXAMPLES"] {
        assert!(page.contains(&format!(".SH {heading}\n")), "{heading}");
    }
    assert!(page.contains(".SH \"EXIT CODES\"\n.nf\n0  success"), "line by line");

    let directory = file("man", "") + ".d";
    output_of(&["man", "--directory", &directory]).await;
    let written: BTreeSet<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let named: BTreeSet<_> = CommandLine::documented()
        .get_subcommands()
        .map(|command| format!("edgeimpulse-exporter-{}.1", command.get_name()))
        .chain(["edgeimpulse-exporter.1".to_owned()])
        .collect();
    assert_eq!(written, named, "each page that the first one names");
    assert_eq!(std::fs::read_to_string(format!("{directory}/edgeimpulse-exporter.1")).unwrap(), page);
}

#[tokio::test]
async fn the_reference_of_options_is_fresh() {
    let page = crate::support::repository::read("docs/options.md");
    let fresh = page == output_of(&["man", "--markdown"]).await;
    assert!(fresh, "docs/options.md is out of date: cargo run -- man --markdown > docs/options.md");
    for argument in CommandLine::documented().get_arguments().filter(|argument| !argument.is_hide_set()) {
        assert!(options(&page).contains(argument.get_long().unwrap()), "{argument}");
    }
}

#[tokio::test]
#[ignore = "needs groff and man (Debian: groff, man-db)"]
async fn the_manual_pages_are_formatted_without_a_warning() {
    let directory = file("man", "") + ".d";
    output_of(&["man", "--directory", &directory]).await;
    for entry in std::fs::read_dir(&directory).unwrap() {
        let page = entry.unwrap().path();
        let page = page.to_str().unwrap();
        for (command, arguments) in
            [("groff", &["-man", "-Tutf8", "-ww", "-z", page][..]), ("man", &["--warnings", "-l", page])]
        {
            let output =
                Command::new(command).args(arguments).env("MANWIDTH", "80").env("LC_ALL", "C.UTF-8").output();
            let output = output.unwrap_or_else(|error| panic!("{command}: {error}"));
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && stderr.is_empty(), "{command} {page}: {stderr}");
        }
    }
}
