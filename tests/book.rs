//! What the pages say is so: every block of every page is run or validated, every link leads somewhere.
//!
//! A block says its language, and that says what is done with it. A language, a command or a configuration that is not
//! known here fails the test, until somebody decides how it is checked.

mod commands;
mod configuration;
mod endpoints;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use edgeimpulse_exporter::cli::arguments::CommandLine;

use self::commands::Workshop;
use crate::dashboards;
use crate::support::markdown::{Block, Page, pages, root};
use crate::support::{Exposition, promql};

/// Returns all blocks of all pages.
fn blocks() -> Vec<Block> {
    pages().iter().flat_map(Page::blocks).collect()
}

/// Returns all blocks of a language.
pub fn blocks_of(language: &str) -> Vec<Block> {
    blocks().into_iter().filter(|block| block.language == language).collect()
}

/// Returns the names under which rules record, and those of alerts.
fn recorded() -> BTreeSet<String> {
    let rules = std::fs::read_to_string(root().join("deploy/prometheus/rules.yaml")).unwrap();
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
    names.map(str::to_owned).chain(["ALERTS".to_owned()]).collect()
}

/// Checks that a query names metrics and labels that exist.
fn check_query(query: &str) -> Result<(), String> {
    let uses = promql::read(query)?;
    if uses.selectors.is_empty() {
        return Err("it asks for no metric".to_owned());
    }
    let recorded = recorded();
    for selector in uses.selectors.iter().filter(|selector| !recorded.contains(&selector.metric)) {
        let metric = &selector.metric;
        if dashboards::described(metric).is_none() {
            return Err(format!("there is no metric {metric}"));
        }
        let labels = dashboards::labels(metric);
        if let Some(matcher) = selector.matchers.iter().find(|matcher| !labels.contains(&*matcher.name)) {
            return Err(format!("{metric} has no label {}", matcher.name));
        }
    }
    Ok(())
}

/// Checks a block of text: an extract of metrics, a map of modules, or what the commands before it print, which the
/// test of the tutorial sees.
fn check_text(block: &Block, before: Option<&Block>) -> Result<(), String> {
    if block.text.contains(" -> ") {
        let words = block.text.split_whitespace().collect::<Vec<_>>();
        let modules = words.windows(2).filter(|two| two[0] == "->" && two[1].starts_with(char::is_lowercase));
        let missing: Vec<_> = modules
            .map(|two| two[1].trim_end_matches(','))
            .filter(|module| *module != "text" && !root().join(format!("src/{module}.rs")).exists())
            .collect();
        return if missing.is_empty() { Ok(()) } else { Err(format!("no modules: {missing:?}")) };
    }
    if block.page == "docs/tutorial.md" {
        let is_output = before.is_some_and(|before| before.language == "sh");
        return if is_output { Ok(()) } else { Err("it follows no commands".to_owned()) };
    }
    for line in block.text.lines() {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        let metric = dashboards::described(name).ok_or_else(|| format!("there is no metric {name}"))?;
        let help = format!("# HELP {name} {}\n# TYPE {name} {}\n{line}\n", metric.help, metric.kind.name());
        let read = Exposition::of_prometheus_text(&help);
        let labels = dashboards::labels(name);
        let unknown: Vec<_> =
            read.samples[0].labels.keys().filter(|label| !labels.contains(label.as_str())).collect();
        if !unknown.is_empty() {
            return Err(format!("{name} has no labels {unknown:?}"));
        }
    }
    Ok(())
}

/// Checks that a piece of source stands in the catalogue as it does here.
fn check_source(block: &Block) -> Result<(), String> {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let folder = std::fs::read_dir(root().join("src/metrics/catalogue")).unwrap();
    let mut sources = folder.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let wanted = squeezed(&block.text);
    if sources.any(|source| squeezed(&source).contains(&wanted)) {
        Ok(())
    } else {
        Err("it is in no table".to_owned())
    }
}

#[tokio::test]
async fn every_block_of_every_page_is_run_or_validated() {
    let workshop = Workshop::open().await;
    let mut ways: BTreeMap<String, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    let blocks = blocks();
    for (number, block) in blocks.iter().enumerate() {
        let before =
            number.checked_sub(1).map(|before| &blocks[before]).filter(|before| before.page == block.page);
        let result = match block.language.as_str() {
            "sh" => workshop.run(block).await,
            "yaml" => configuration::check(block).await,
            "promql" => check_query(&block.text).map(|()| vec!["query: names checked"]),
            "text" => check_text(block, before).map(|()| vec!["text: names checked"]),
            "rust" => check_source(block).map(|()| vec!["source: found"]),
            "ini" => configuration::check_unit(block).map(|()| vec!["unit: variables checked"]),
            "nginx" => configuration::check_nginx(block).map(|()| vec!["nginx: run by a test of its own"]),
            "" => Err("a block has a language".to_owned()),
            other => Err(format!("nobody has decided how {other} is checked")),
        };
        match result {
            Ok(done) if done.is_empty() => failures.push(format!("{}: nothing was done", block.place())),
            Ok(done) => done.into_iter().for_each(|way| *ways.entry(way.to_owned()).or_default() += 1),
            Err(error) => failures.push(format!("{}: {error}", block.place())),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let told = ways.iter().fold(String::new(), |mut told, (way, count)| {
        let _ = writeln!(told, "{count:4} {way}");
        told
    });
    assert!(
        blocks.len() > 50 && ways["exporter: run"] > 15 && ways["curl: asked"] > 3,
        "they are found:\n{told}"
    );
}

#[test]
fn every_block_has_a_fence() {
    for page in pages() {
        let prose = page.prose();
        for two in prose.windows(2) {
            let is_block = two[0].1.is_empty() && two[1].1.starts_with("    ");
            assert!(!is_block, "{}:{}: a block without a fence is not checked", page.path, two[1].0);
        }
        let nested = prose.iter().find(|(_, line)| line.trim_start().starts_with("```"));
        assert!(nested.is_none(), "{}: a fence inside a list is not found: {nested:?}", page.path);
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut followed = 0;
    for page in pages() {
        for (line, link) in page.links() {
            let place = format!("{}:{line}: {link}", page.path);
            if link.starts_with("https://") {
                continue;
            }
            followed += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { root().join(&page.path) } else { page.beside(path) };
            assert!(target.exists(), "{place}");
            if !anchor.is_empty() {
                let target = target.canonicalize().unwrap();
                let target = target.strip_prefix(root().canonicalize().unwrap()).unwrap();
                let anchors = Page::read(target.to_str().unwrap()).anchors();
                assert!(anchors.contains(anchor), "{place}: none of {anchors:?}");
            }
        }
    }
    assert!(followed > 100, "they are found: {followed}");
}

#[test]
fn every_page_of_the_book_is_in_its_contents() {
    let contents = Page::read("docs/README.md");
    let listed: BTreeSet<_> = contents.links().into_iter().map(|(_, link)| link).collect();
    for page in pages() {
        if let Some(name) = page.path.strip_prefix("docs/").filter(|name| *name != "README.md") {
            assert!(listed.contains(name), "docs/README.md does not list {name}");
        }
    }
}

#[test]
fn every_option_that_the_pages_name_exists() {
    // Of other programs.
    const OTHERS: [&str; 10] = [
        "--build",
        "--locked",
        "--no-build",
        "--no-collector.NAME",
        "--platform",
        "--query.lookback-delta",
        "--remap-path-prefix",
        "--set",
        "--storage.tsdb.path",
        "--storage.tsdb.retention.time",
    ];
    let program = CommandLine::documented();
    let commands = std::iter::once(&program).chain(program.get_subcommands());
    let options = commands.flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long);
    let known: BTreeSet<_> = options
        .map(|option| format!("--{option}"))
        .chain(["--help".to_owned(), "--version".to_owned()])
        .collect();
    let mut named = 0;
    for page in pages().iter().filter(|page| !page.path.starts_with("tools")) {
        let prose: Vec<_> = page.prose().into_iter().map(|(_, line)| line).collect();
        for code in prose.join("\n").split('`').skip(1).step_by(2) {
            if ["docker", "cargo", "prometheus", "promtool", "htpasswd"]
                .iter()
                .any(|other| code.starts_with(other))
            {
                continue;
            }
            for word in code.split([' ', '\n', '=', '[']).filter(|word| word.starts_with("--")) {
                named += 1;
                let exists = known.contains(word) || OTHERS.contains(&word);
                assert!(exists, "{}: there is no option {word}", page.path);
            }
        }
    }
    assert!(named > 100, "they are found: {named}");
}
