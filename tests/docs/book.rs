//! The pages: every block is run or validated, every link leads to a file or heading, every named option exists.
//!
//! The language of a block decides how it is checked. Unknown languages, commands and configuration fail.

mod built;
mod commands;
mod configuration;
mod endpoints;

use std::collections::BTreeSet;

use edgeimpulse_exporter::cli::arguments::CommandLine;
use edgeimpulse_exporter::model::Collector;

use self::commands::Workspace;
use crate::support::pages::{Block, Page, pages};
use crate::support::repository::{files_below, path, read, root};
use crate::support::{catalogue, promql};

/// Checks that a query names metrics and labels that exist.
fn check_query(query: &str) -> Result<(), String> {
    let rules = read("deploy/prometheus/rules.yaml");
    let recorded = rules.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
    let recorded = recorded.map(str::to_owned).chain(["ALERTS".to_owned()]).collect();
    catalogue::check(&promql::read(query)?, &recorded)
}

/// Checks a block of text: samples of metrics, or a map of modules, in which arrows point to modules.
fn check_text(text: &str) -> Result<(), String> {
    if !text.contains(" -> ") {
        return text.lines().try_for_each(|line| check_query(line.rsplit_once(' ').ok_or("no sample")?.0));
    }
    let words: Vec<_> = text.split_whitespace().map(|word| word.trim_end_matches(',')).collect();
    let modules = words.windows(2).filter(|two| two[0] == "->" && two[1].starts_with(char::is_lowercase));
    let sources: Vec<_> = files_below("src").into_iter().map(|file| file.with_extension("")).collect();
    let exists =
        |name: &str| name == "text" || sources.iter().any(|source| source.iter().any(|part| part == name));
    let missing = modules.map(|two| two[1]).find(|module| !exists(module));
    missing.map_or(Ok(()), |module| Err(format!("there is no module {module}")))
}

/// Checks that a piece of source is in the catalogue, up to white space.
fn check_source(text: &str) -> Result<(), String> {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let wanted = squeezed(text);
    let mut sources = files_below("src/metrics").into_iter().map(|file| std::fs::read_to_string(file).unwrap());
    let is_there = sources.any(|source| squeezed(&source).contains(&wanted));
    if is_there { Ok(()) } else { Err("not in the catalogue".to_owned()) }
}

async fn check(workspace: &Workspace, block: &Block) -> Result<(), String> {
    match (&*block.language, &*block.page) {
        // tutorial.rs runs the tutorial; tests in configuration.rs give units to systemd and servers to nginx.
        ("sh" | "text", "docs/tutorial.md") | ("ini" | "nginx", _) => Ok(()),
        ("sh", _) => workspace.run(block).await,
        ("text", _) => check_text(&block.text),
        ("yaml", _) => configuration::check(workspace, block).await,
        ("promql", _) => check_query(&block.text),
        ("rust", _) => check_source(&block.text),
        ("", _) => Err("a block needs a language".to_owned()),
        (language, _) => Err(format!("no test checks blocks of {language}")),
    }
}

#[tokio::test]
async fn every_block_of_every_page_is_run_or_validated() {
    let workspace = Workspace::open().await;
    let blocks: Vec<_> = pages().into_iter().flat_map(|page| page.blocks).collect();
    let mut failures = Vec::new();
    for block in &blocks {
        if let Err(error) = check(&workspace, block).await {
            failures.push(format!("{}: {error}", block.place()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(blocks.len() > 50, "only {} blocks were found", blocks.len());
}

#[test]
fn each_symptom_of_the_troubleshooting_page_ends_with_what_to_run() {
    let page = read("docs/troubleshooting.md");
    let sections: Vec<_> = page.split("\n## ").skip(1).collect();
    let without: Vec<_> = sections.iter().filter(|section| !section.trim_end().ends_with("\n```")).collect();
    assert!(without.is_empty(), "{without:#?}");
    assert!(sections.len() > 10);
}

#[tokio::test]
async fn a_block_that_cannot_work_fails() {
    let workspace = Workspace::open().await;
    for (language, text) in [
        ("", "text"),
        ("toml", "a = 1"),
        ("sh", "tar -x"),
        ("sh", "false | install -d here"),
        ("sh", "curl http://localhost:10101/nowhere"),
        ("sh", "curl --fail http://localhost:10101/metrics"),
        ("sh", "edgeimpulse-exporter --no-such-option"),
        ("sh", "edgeimpulse-exporter --api.key-file nowhere.txt"),
        ("sh", "docker compose -f deploy/nowhere.yaml up"),
        ("sh", "docker ps"),
        ("sh", "cargo bench --bench nothing"),
        ("sh", "kubectl create secret generic other --from-file=key.txt"),
        ("sh", "sudo systemctl reload nothing"),
        ("sh", "echo $(unknown-program)"),
        ("yaml", "accounts: []"),
        ("yaml", "unknown: 1"),
        ("promql", "edgeimpulse_nothing"),
        ("promql", "sum by (nothing) (edgeimpulse_up)"),
        ("text", "edgeimpulse_up{nothing=\"1\"} 1"),
        ("text", "here -> nowhere"),
        ("rust", "gauge(\"edgeimpulse_nothing\")"),
    ] {
        let (page, language) = ("docs/page.md".to_owned(), language.to_owned());
        let block = Block { page, line: 1, language, text: text.to_owned() };
        assert!(check(&workspace, &block).await.is_err(), "{block:?}");
    }
}

#[test]
fn the_page_of_permissions_has_what_each_collector_reads_and_needs() {
    let page = read("docs/permissions.md");
    for collector in Collector::ALL {
        let row = format!("| `{}` | {} | {} |", collector.name(), collector.about(), collector.needs());
        assert!(page.lines().any(|line| line == row), "{row} is missing");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut followed = 0;
    for page in pages() {
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            followed += 1;
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let from = root().join(&page.path);
            let target = if target.is_empty() { from } else { from.parent().unwrap().join(target) };
            let target = target.canonicalize().unwrap_or_else(|error| panic!("{}: {link}: {error}", page.path));
            if !anchor.is_empty() {
                let target = target.strip_prefix(root().canonicalize().unwrap()).unwrap();
                let anchors = Page::read(target.to_str().unwrap()).anchors;
                assert!(anchors.contains(anchor), "{}: {link}: not in {anchors:?}", page.path);
            }
        }
    }
    assert!(followed > 100, "only {followed} links were found");
}

#[test]
fn the_readme_begins_with_the_two_commands_that_need_no_account() {
    let blocks = Page::read("README.md").blocks;
    let commands: Vec<_> =
        blocks[0].text.lines().map(|line| line.split(" #").next().unwrap().trim_end()).collect();
    assert_eq!(commands, ["cargo run --release -- demo", "cargo test"]);
}

#[test]
fn every_page_of_the_book_is_in_its_contents() {
    let listed = Page::read("docs/README.md").links;
    for file in files_below("docs").iter().filter(|file| file.extension() == Some("md".as_ref())) {
        let name = file.strip_prefix(path("docs")).unwrap().to_str().unwrap();
        assert!(
            ["README.md", "SUMMARY.md"].contains(&name) || listed.contains(&name.to_owned()),
            "docs/README.md does not list {name}"
        );
    }
}

#[test]
fn every_option_that_the_pages_name_exists() {
    /// Options of other programs, and placeholders.
    const OTHERS: &str = "--build --locked --no-build --no-collector.NAME --platform --query.lookback-delta \
                          --remap-path-prefix --set --storage.tsdb.path --storage.tsdb.retention.time";
    let program = CommandLine::documented();
    let commands = std::iter::once(&program).chain(program.get_subcommands());
    let options = commands.flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long);
    let mut known: BTreeSet<_> = options.map(|option| format!("--{option}")).collect();
    known.extend(OTHERS.split_whitespace().chain(["--help", "--version"]).map(str::to_owned));
    let mut named = 0;
    for page in pages().iter().filter(|page| !page.path.starts_with("tools")) {
        for code in &page.code {
            let program = code.split(' ').next().unwrap();
            if ["docker", "cargo", "gh", "helm", "kubectl", "prometheus", "promtool", "htpasswd"]
                .contains(&program)
            {
                continue;
            }
            for word in code.split([' ', '\n', '=', '[']).filter(|word| word.starts_with("--")) {
                named += 1;
                assert!(known.contains(word), "{}: there is no option {word}", page.path);
            }
        }
    }
    assert!(named > 100, "only {named} options were found");
}
