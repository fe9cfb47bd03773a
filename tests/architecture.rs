//! The structure of src/: which modules use which, and the length of files.

use crate::support::repository::{files_below, path, read};

const MAX_LINES: usize = 400;

/// A file of src/.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Returns the module of lib.rs that the file belongs to; `main` and `lib` are not among them.
    fn module(&self) -> &str {
        self.path.trim_start_matches("src/").split(['/', '.']).next().unwrap()
    }
}

fn sources() -> Vec<Source> {
    let source = |file: std::path::PathBuf| {
        let path = file.strip_prefix(path("")).unwrap().to_str().unwrap().to_owned();
        Source { text: read(&path), path }
    };
    files_below("src").into_iter().map(source).collect()
}

/// Returns the names after `prefix` in `text`: of `crate::a::B` and `crate::{a::B, c}` these are `a` and `c`.
fn names_after(prefix: &str, text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let rest = &text[at + prefix.len()..];
        let mut depth = 0;
        let mut name = String::new();
        let mut in_path = false;
        for c in rest.chars() {
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' if !in_path => {
                    name.push(c);
                    continue;
                }
                ':' => in_path = true,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => in_path = false,
                _ => {}
            }
            if !name.is_empty() {
                names.push(std::mem::take(&mut name));
            }
            if depth <= 0 {
                break;
            }
        }
    }
    names
}

/// Returns the modules of lib.rs, in the order in which they are declared there.
fn modules() -> Vec<String> {
    let lib = read("src/lib.rs");
    let declared = lib.lines().filter_map(|line| {
        line.trim_start_matches("pub ").strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'))
    });
    declared.map(str::to_owned).collect()
}

/// Returns every use of a module by a module that is declared below it.
fn violations(sources: &[Source], modules: &[String]) -> Vec<String> {
    let position = |name: &str| modules.iter().position(|module| module == name);
    let mut violations = Vec::new();
    for source in sources {
        let Some(own) = position(source.module()) else { continue };
        for name in names_after("crate::", &source.text) {
            if position(&name).is_some_and(|used| used < own) {
                violations.push(format!(
                    "{}: {} uses {name}, which is above it in lib.rs",
                    source.path,
                    source.module()
                ));
            }
        }
    }
    violations
}

#[test]
fn a_module_uses_only_modules_below_it() {
    let (sources, modules) = (sources(), modules());
    assert!(sources.len() > 100 && modules.len() > 10, "the source was found: {modules:?}");
    let violations = violations(&sources, &modules);
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn a_use_of_a_module_above_is_found_in_every_form() {
    let modules = ["serve", "collect", "api"].map(str::to_owned);
    let uses = |path: &str, text: &str| {
        let source = Source { path: path.to_owned(), text: text.to_owned() };
        violations(&[source], &modules)
    };
    assert_eq!(
        uses("src/api/client.rs", "use crate::collect::Account;"),
        ["src/api/client.rs: api uses collect, which is above it in lib.rs"]
    );
    assert_eq!(uses("src/collect/mod.rs", "use crate::{\n    api::{Client, Error},\n    serve,\n};").len(), 1);
    assert_eq!(uses("src/api/mod.rs", "fn f() { crate::serve::open(); crate::collect::run() }").len(), 2);
    assert!(uses("src/serve/mod.rs", "use crate::{api, collect::{serve}};\nuse super::serve;").is_empty());
    assert!(uses("src/api/mod.rs", "use crate::api::Error; use reqwest::serve;").is_empty());
}

#[test]
fn the_demo_does_not_use_the_module_api() {
    for source in sources().iter().filter(|source| source.module() == "demo") {
        let names = names_after("crate::", &source.text);
        assert!(!names.iter().any(|name| name == "api"), "{} uses api", source.path);
    }
}

#[test]
fn a_file_has_at_most_400_lines_without_its_tests() {
    for Source { path, text } in sources() {
        let is_tests = |line: &&str| *line == "mod tests {";
        let lines = text.lines().take_while(|line| !is_tests(line)).count();
        assert!(lines <= MAX_LINES, "{path} has {lines} lines, more than {MAX_LINES}");
    }
}
